"""The plan as it stands: for the record, and for who signs or changes what they have looked at."""

from __future__ import annotations

import hashlib
from typing import Any

from curriculum.errors import Overtaken
from curriculum.models import Run, Stage


def stages_of(run: Run) -> list[dict[str, Any]]:
    """The plan as plain JSON, for the record."""
    stages = Stage.objects.filter(run=run).prefetch_related("stage_skills__skill")
    return [
        {"title": stage.title, "skills": [row.skill.key for row in stage.stage_skills.all()]}
        for stage in stages
    ]


def digest(run: Run) -> str:
    """Of the plan as it is: another as soon as a stage, its place or a skill in it is another."""
    return hashlib.sha256(repr(stages_of(run)).encode()).hexdigest()[:16]


def require_seen(run: Run, seen: str) -> None:
    """Raise `Overtaken` where the plan is not the one of that digest. Empty: whatever it is."""
    if seen and seen != digest(run):
        raise Overtaken("This curriculum")
