"""What a gate's evidence says of skills, written where pages and plans look for it.

Parts of the services of stages and gates: inside their transactions, with their audit entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from curriculum import engine
from curriculum.models import Run, Stage, StageSkill
from curriculum.states import SETTLED, SkillOutcome


def note(stage: Stage, evidence: Mapping[str, Any]) -> None:
    """Of the stage's skills what the evidence says; of those behind it what is forgotten."""
    for verdict in evidence["stage"]:
        stage.stage_skills.filter(skill__key=verdict["skill"]).update(outcome=verdict["answer"])
    note_retention(stage.run)


def note_retention(run: Run) -> None:
    """Which skills of settled stages the student as it is has forgotten, and which it has not, or
    not any more: by the gates on the way to it, not by those of a student given up.
    """
    settled = StageSkill.objects.filter(stage__run=run, stage__status__in=SETTLED)
    lost = Q(skill__key__in=engine.forgotten_by_now(run))
    settled.filter(lost, outcome=SkillOutcome.MASTERED).update(outcome=SkillOutcome.FORGOTTEN)
    settled.filter(~lost, outcome=SkillOutcome.FORGOTTEN).update(outcome=SkillOutcome.MASTERED)
