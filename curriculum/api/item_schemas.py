"""What goes in and out of items: see schemas.py."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from curriculum.api.schemas import MOST_INT, In, Long, Round, Version
from curriculum.states import Verdict


class CheckOut(Schema):
    id: str
    version: int
    passed: bool
    detail: str

    @staticmethod
    def resolve_detail(obj: Any) -> str:
        return str(obj.get("detail", ""))  # items of an archive may have none


class ItemOut(Schema):
    id: int
    stage_id: int
    round: int
    key: str
    skill: str = Field(alias="skill.key")
    question: str
    solution: str
    answer: str
    level: int
    origin: str
    operations: list[str]
    checks: list[CheckOut]
    is_flagged: bool
    is_leak: bool
    version: int
    verdict: Literal["waiting", "approved", "rejected"]
    tags: list[str]
    created_at: datetime

    @staticmethod
    def resolve_verdict(obj: Any) -> str:
        return obj.verdict or Verdict.WAITING.label

    @staticmethod
    def resolve_tags(obj: Any) -> list[str]:
        return sorted(tag.word for tag in obj.tags.all())


class ItemEdit(In):
    """What is not said stays as it was."""

    question: Annotated[Long, Field(min_length=1)] | None = None
    solution: Annotated[Long, Field(min_length=1)] | None = None
    answer: Annotated[str, Field(min_length=1, max_length=1000)] | None = None


class ItemIn(In):
    round: Round
    skill: Annotated[str, Field(max_length=40)]
    question: Annotated[Long, Field(min_length=1)]
    solution: Annotated[Long, Field(min_length=1)]
    answer: Annotated[str, Field(min_length=1, max_length=1000)]


class VersionIn(In):
    version: Version  # the one that was looked at


class RejectIn(VersionIn):
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class WordIn(In):
    word: Annotated[str, Field(min_length=1, max_length=40)]


class FilterIn(In):
    """Which waiting items of a round; empty: all of them."""

    round: Round
    skill: Annotated[str, Field(max_length=40)] = ""
    checks: Literal["", "flagged", "passed"] = ""
    failed: Annotated[str, Field(max_length=40)] = ""  # id of a check that failed
    origin: Annotated[str, Field(max_length=80)] = ""
    tag: Annotated[str, Field(max_length=40)] = ""
    q: Annotated[str, Field(max_length=200)] = ""  # in question or solution
    expected: Annotated[int, Field(ge=0, le=MOST_INT)] | None = None  # refused where it were more


class FilterRejectIn(FilterIn):
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class ActOut(Schema):
    """What was done together. `act` takes it back; null where nothing matched."""

    n: int
    act: int | None


class ActIn(In):
    act: Annotated[int, Field(ge=1, le=2**63 - 1)]


class UndoneOut(Schema):
    n: int
    stays: int  # changed since, and so left alone
    by: list[str]  # by whom


class ImportedOut(Schema):
    n: int
    flagged: int
    leaks: int
