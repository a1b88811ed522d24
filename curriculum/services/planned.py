"""The plan as it stands: for the record, and for who signs or changes what they have looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from curriculum.errors import Overtaken
from curriculum.models import Run, Skill, Stage


def stages_of(run: Run) -> list[dict[str, Any]]:
    """The plan as plain JSON, for the record."""
    stages = Stage.objects.filter(run=run).prefetch_related("stage_skills__skill")
    return [
        {"title": stage.title, "skills": [row.skill.key for row in stage.stage_skills.all()]}
        for stage in stages
    ]


def title_of(skills: Iterable[Skill]) -> str:
    """What a stage that teaches these is called: people sign it, and auditors read it, by that."""
    return ", ".join(skill.title for skill in skills)[:200]


def digest(run: Run) -> str:
    """Of the plan as it is: another as soon as a stage, its place or a skill in it is another, or
    what is taught is said in other words.
    """
    stages = Stage.objects.filter(run=run).prefetch_related("stage_skills__skill")
    plan = [
        (stage.title, [(row.skill.key, row.skill.digest) for row in stage.stage_skills.all()])
        for stage in stages
    ]
    return hashlib.sha256(repr(plan).encode()).hexdigest()[:16]


def require_seen(run: Run, seen: str) -> None:
    """Raise `Overtaken` where the plan is not the one of that digest. Empty: whatever it is."""
    if seen and seen != digest(run):
        raise Overtaken("This curriculum")
