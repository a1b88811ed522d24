"""What goes in and out, as the OpenAPI document has it. Names of fields are those of the models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from ninja import Schema
from pydantic import ConfigDict, Field, RootModel

from curriculum.states import (
    Autonomy,
    JobKind,
    JobStatus,
    RunStatus,
    SkillOutcome,
    SkillStatus,
    StageStatus,
)

MOST_INT = 2**31 - 1
T = TypeVar("T")


Line = Annotated[str, Field(max_length=200)]
Long = Annotated[str, Field(max_length=100_000)]
Reason = Annotated[str, Field(max_length=2000)]
Round = Annotated[int, Field(ge=0, le=MOST_INT)]
Version = Annotated[int, Field(ge=1, le=MOST_INT)]


class In(Schema):
    """What a client says: as the document has it, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Page(Schema, Generic[T]):
    items: list[T]
    next: str | None  # the cursor of the page behind it; null: this is the last


# --- Who asks -----------------------------------------------------------------------------------


class TokenOut(Schema):
    name: str
    prefix: str
    scopes: list[str]
    expires_at: datetime | None


class MeOut(Schema):
    username: str
    name: str
    role: str | None  # in the house; in a run it may be another
    token: TokenOut


class Choice(Schema):
    name: str
    says: str


class PoliciesOut(Schema):
    """Who decides, by the run's autonomy; and the words that rejections usually have."""

    autonomy: list[Choice]
    reject_reasons: list[str]


# --- Runs ---------------------------------------------------------------------------------------


class RunIn(In):
    name: Annotated[str, Field(min_length=1, max_length=120)]
    domain: Annotated[Line, Field(examples=["foundations"])]
    teacher: Annotated[Line, Field(examples=["procedural"])]
    student: Annotated[Line, Field(examples=["simulated"])]
    skills: Annotated[list[Line], Field(max_length=1000, examples=[["A1", "A2"]])] = []  # []: all
    settings: Annotated[
        dict[str, dict[str, Any]],
        Field(
            description="By group, as docs/settings.md has them. What is not said is as usual.",
            examples=[{"budget": {"items": 900}}],
        ),
    ] = {}
    seed: Annotated[int, Field(ge=0, le=MOST_INT)] = 0
    autonomy: Literal["every_gate", "only_gates", "none"] = "every_gate"
    two_people: bool = False


class RunOut(Schema):
    id: int
    name: str
    domain: str
    teacher: str
    student: str
    status: RunStatus
    autonomy: Autonomy
    two_people: bool
    seed: int
    created_at: datetime
    archived_at: datetime | None
    audit_sequence: int  # one more with each change
    is_over: bool


class RunDetail(RunOut):
    settings: dict[str, Any]
    notices: list[str]
    report: dict[str, Any]  # {} until the run finishes
    version: str


class NoteIn(In):
    note: Reason = ""


class SignIn(NoteIn):
    """`seen`: the run's `audit_sequence` when you looked. Left out: whatever is there is signed."""

    seen: Annotated[int, Field(ge=0, le=MOST_INT)] | None = None


class ReasonIn(In):
    reason: Annotated[Reason, Field(min_length=1)]


class AutonomyIn(In):
    autonomy: Literal["every_gate", "only_gates", "none"]


class TwoPeopleIn(In):
    on: bool


# --- Skills, prerequisites, stages --------------------------------------------------------------


class SkillOut(Schema):
    id: int
    key: str
    title: str
    statement: str
    area: str
    level: int
    is_transfer: bool
    status: SkillStatus
    is_deficient: bool | None
    is_teachable: bool | None
    gap: float | None
    gap_low: float | None
    gap_high: float | None
    severity: float | None


class PrerequisiteOut(Schema):
    id: int
    source: str = Field(alias="source.key")
    target: str = Field(alias="target.key")
    is_active: bool


class StageSkillOut(Schema):
    skill: str = Field(alias="skill.key")
    outcome: SkillOutcome


class StageOut(Schema):
    id: int
    run_id: int
    position: int
    title: str
    is_bridge: bool
    status: StageStatus
    round: int
    first_round: int
    skills: list[StageSkillOut] = Field(alias="stage_skills")


class RoundIn(In):
    round: Round  # the one that was looked at


class RollBackIn(RoundIn):
    reason: Annotated[Reason, Field(min_length=1)]


# --- Gates --------------------------------------------------------------------------------------


class GateOut(Schema):
    id: int
    stage_id: int
    round: int
    checkpoint_id: int
    allows_advance: bool
    evidence: dict[str, Any]
    evidence_hash: str  # of what a decision is about; say it when you decide
    is_open: bool
    decision: Literal["", "advance", "remedy", "waive", "roll_back"]
    reason: str
    decided_by: str | None
    decided_at: datetime | None
    created_at: datetime


class DecisionIn(In):
    decision: Literal["advance", "remedy", "waive", "roll_back"]
    evidence_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    reason: Reason = ""


# --- Work and records ---------------------------------------------------------------------------


class JobOut(Schema):
    id: int
    run_id: int
    stage_id: int | None
    round: int
    kind: JobKind
    status: JobStatus
    attempt: int
    done: int
    total: int  # 0: not known yet
    unit: str
    message: str
    error: str
    eta_seconds: float | None
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None


class CheckpointOut(Schema):
    id: int
    run_id: int
    parent_id: int | None
    stage_id: int | None
    round: int
    content_hash: str
    train_tokens: int
    seconds: float
    final_loss: float | None
    is_current: bool
    created_at: datetime


class ScoreOut(Schema):
    id: int
    skill: str = Field(alias="skill.key")
    checkpoint_id: int | None  # null: the teacher
    split: Literal["diagnose", "gate", "final"]
    n: int
    mean: float
    low: float
    high: float
    is_exhaustive: bool


class EntryOut(Schema):
    sequence: int
    at: datetime
    actor_kind: str
    actor_name: str
    action: str
    subject: str  # as it was written; in a run made elsewhere with the number of there
    about: str  # that by the numbers of here; empty where no such row came along
    subject_name: str
    was: dict[str, Any]
    became: dict[str, Any]
    evidence: dict[str, Any]
    note: str
    request_id: str
    previous_hash: str
    hash: str


class HeadOut(Schema):
    """The end of a chain that was read once from its first entry."""

    chain: str  # run:12, or house
    is_whole: bool
    entries: int
    head: str
    says: str  # where it is not whole: what is wrong


class ProvenanceOut(RootModel[dict[str, Any]]):  # a Schema reads only what it names
    """Where it came from; docs/audit.md."""
