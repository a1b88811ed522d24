"""What was measured since the plan was made, and the plan of the rest that follows from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import takewhile

from curriculum.engine.describe import settings_of
from curriculum.engine.exam import grades_of
from curriculum.engine.planning import edges_of, gaps_of, taught_skills
from curriculum.models import Answer, Checkpoint, Run, Score, Stage
from curriculum.states import StageStatus
from distill import records
from distill.assessment.gate import known_by_now
from distill.organizer import stages as organizer
from distill.organizer.replanning import is_same, replan
from distill.records import Curriculum, Gap, PlannedStage, Split


@dataclass(frozen=True, slots=True)
class Rest:
    """Another plan of the stages behind `n_kept`; and what it stands on."""

    n_kept: int
    stages: list[tuple[str, bool, float, list[str]]]  # title, is_bridge, difficulty, skill keys
    notices: list[str]  # of the whole plan
    checkpoint: int  # pk of the student that was measured
    measured: dict[str, tuple[float, float]]  # skill -> mean grade at the diagnosis, and since
    left: list[str]  # skills that sit by now and leave the plan

    @property
    def digest(self) -> str:
        """The same for the same plan from the same student, in every process."""
        content = json.dumps([self.n_kept, self.stages, self.checkpoint])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def plan_rest(run: Run) -> Rest | None:
    """How the stages that have not begun would be planned now; None where that changes nothing.

    Also None where a stage was begun before one in front of it: that order is a person's.
    """
    rows = list(run.stages.order_by("position").prefetch_related("stage_skills__skill"))
    kept = list(takewhile(_has_begun, rows))
    rest = rows[len(kept) :]
    student = Checkpoint.objects.filter(run=run, is_current=True, parent__isnull=False).first()
    if student is None or not rest or any(map(_has_begun, rest)):
        return None
    settings, gaps = settings_of(run), gaps_of(run)
    keys = {row.skill.key for stage in rest for row in stage.stage_skills.all()} & gaps.keys()
    now = _means(student, keys)
    answers = Answer.objects.filter(
        checkpoint=student, probe__split=Split.DIAGNOSE, probe__skill__key__in=now
    )
    so_far = Curriculum(tuple(_planned(s, gaps) for s in rows), notices=tuple(run.notices))
    found = replan(
        so_far,
        len(kept),
        [records.Skill(s.key, s.title, s.statement) for s in taught_skills(run)],
        edges_of(run),
        gaps,
        settings.thresholds,
        now=now,
        sits=known_by_now(gaps, grades_of(answers), settings.thresholds).keys(),
    )
    if is_same(found.stages, so_far.stages):
        return None
    new = found.stages[len(kept) :]
    return Rest(
        len(kept),
        [(s.title, s.is_bridge, s.difficulty, list(s.skills)) for s in new],
        list(found.notices),
        student.pk,
        {k: (gaps[k].student.mean, now[k]) for k in sorted(now)},
        sorted(keys - {k for s in new for k in s.skills}),
    )


def _has_begun(stage: Stage) -> bool:
    """A stage that was rolled back has: its items and gates are its own."""
    return stage.status != StageStatus.PLANNED or stage.round > 0


def _means(student: Checkpoint, keys: set[str]) -> dict[str, float]:
    scores = Score.objects.filter(checkpoint=student, split=Split.DIAGNOSE, skill__key__in=keys)
    return dict(scores.values_list("skill__key", "mean"))


def _planned(stage: Stage, gaps: dict[str, Gap]) -> PlannedStage:
    skills = tuple(row.skill.key for row in stage.stage_skills.all())
    d = stage.difficulty
    if d is None:  # a person made it
        each = [organizer.difficulty(gaps[k]) for k in skills if k in gaps]
        d = sum(each) / len(each) if each else 0.0
    return PlannedStage(skills, stage.title, stage.is_bridge, d)
