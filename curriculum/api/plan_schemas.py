"""What goes in and out where the diagnosis and the plan are changed before they are taught."""

from __future__ import annotations

from typing import Annotated

from ninja import Schema
from pydantic import Field

from curriculum.api.operations import MOST_ID
from curriculum.api.schemas import MOST_INT, In, Reason

Key = Annotated[str, Field(min_length=1, max_length=40, description="Of a skill.")]
Keys = Annotated[list[Key], Field(max_length=1000)]
StageId = Annotated[int, Field(ge=1, le=MOST_ID)]


class BudgetIn(In):
    """Only upwards; what is not said stays as it is."""

    items: Annotated[int, Field(ge=1, le=MOST_INT)] | None = None
    teacher_tokens: Annotated[int, Field(ge=1, le=MOST_INT)] | None = None


class ProbeIn(In):
    width: Annotated[float, Field(gt=0, le=1, description="Of an interval, at most.")]
    skills: Keys = []  # []: all whose interval is wider


class SkillIn(In):
    """What is not said stays as it is."""

    title: Annotated[str, Field(min_length=1, max_length=160)] | None = None
    statement: Annotated[str, Field(max_length=1000)] | None = None


class PrerequisiteIn(In):
    source: Key
    target: Key  # builds on `source`
    reason: Reason = ""


class MoveIn(In):
    skill: Key
    stage_id: StageId


class SplitIn(In):
    skills: Annotated[Keys, Field(min_length=1)]  # some of the stage's, but not all


class MergeIn(In):
    into: StageId


class OrderIn(In):
    stages: Annotated[list[StageId], Field(max_length=1000)]  # every stage of the run once


class DomainSkillOut(Schema):
    key: str
    title: str
    builds_on: list[str]
    is_transfer: bool


class DomainOut(Schema):
    """`name` is what a run calls it; `faults` say why it cannot be used."""

    name: str
    title: str
    version: str
    skills: list[DomainSkillOut]
    faults: list[str]
