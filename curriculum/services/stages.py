"""A stage from planned to the gate. Only this module writes `Stage.status` and `Stage.round`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.errors import (
    MoveRefused,
    NothingApproved,
    Overtaken,
    ReasonRequired,
    StageNotReady,
    StillAtWork,
    UnreviewedItems,
    WrongMoment,
)
from curriculum.models import (
    Checkpoint,
    GateRecord,
    Item,
    Snapshot,
    SnapshotItem,
    Stage,
)
from curriculum.services import audit, budget, jobs, notices, outcomes
from curriculum.services.audit import Actor
from curriculum.services.plan import go_back, merge, move_skill, objections, reorder, split
from curriculum.states import (
    AT_WORK,
    SETTLED,
    STAGE_MOVES,
    JobKind,
    JobStatus,
    RunStatus,
    SkillOutcome,
    StageStatus,
    Verdict,
)

__all__ = [
    "assessed",
    "go_back",
    "merge",
    "move",
    "move_skill",
    "objections",
    "open",
    "reorder",
    "roll_back",
    "split",
    "submit",
    "train",
    "trained",
]

_PAST_REVIEW = {StageStatus.TRAINING, StageStatus.ASSESSING, StageStatus.DECIDING, *SETTLED}


@transaction.atomic
def move(
    stage: Stage,
    to: StageStatus,
    *,
    actor: Actor,
    note: str = "",
    evidence: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Stage:
    """Give `stage` the status `to`, if status and round still are as the caller saw them.

    For this module and `services.gates`: the verbs on top of it say what has to be so.
    """
    was = StageStatus(stage.status)
    if stage.run.is_over:
        raise audit.run_over(stage.run)
    if to not in STAGE_MOVES[was]:
        raise MoveRefused("stage", was.label, to.label)
    audit.write(
        stage.run,
        actor=actor,
        action=f"stage.{to}",
        subject=stage,
        was={"status": was, "round": stage.round},
        became={"status": to, "round": changes.get("round", stage.round)},
        evidence=evidence,
        note=note,
        seen=RunStatus.TEACHING,
    )
    seen = Stage.objects.filter(pk=stage.pk, status=was, round=stage.round)
    if not seen.update(status=to, **changes):
        raise Overtaken("This stage")
    notices.tell(stage.run, actor=actor)
    stage.refresh_from_db()
    return stage


@transaction.atomic
def open(stage: Stage, *, actor: Actor) -> Stage:
    """Begin to teach the stage: its items are written next."""
    if stage.run.status != RunStatus.TEACHING and not stage.run.is_over:
        now = stage.run.get_status_display()
        raise WrongMoment("A stage can be opened", "run is “teaching”", now)
    budget.require_items(stage.run)
    stage = move(stage, StageStatus.WRITING, actor=actor)
    _require_ready(stage)
    stage.started_from = Checkpoint.objects.filter(run=stage.run_id, is_current=True).first()
    Stage.objects.filter(pk=stage.pk).update(started_from=stage.started_from)
    jobs.create(stage.run, actor=actor, kind=JobKind.WRITE, stage=stage, round=stage.round)
    return stage


@transaction.atomic
def submit(stage: Stage, *, actor: Actor) -> Stage:
    """The items are written and checked: people look at them now."""
    items = Item.objects.filter(stage=stage, round=stage.round)
    counts = {"items": items.count(), "flagged": items.filter(is_flagged=True).count()}
    return move(stage, StageStatus.REVIEWING, actor=actor, evidence=counts)


@transaction.atomic
def train(stage: Stage, *, actor: Actor, round: int) -> Stage:
    """Freeze what was approved in the round a person has looked at, and train on it."""
    if round != stage.round or (stage.status in _PAST_REVIEW and not stage.run.is_over):
        raise Overtaken("This stage")
    stage = move(stage, StageStatus.TRAINING, actor=actor)
    jobs.require_idle(stage.run, kinds=[JobKind.REWRITE])  # others are still to come
    items = Item.objects.filter(stage=stage, round=round)
    if unreviewed := items.filter(verdict=Verdict.WAITING).count():
        raise UnreviewedItems(unreviewed)
    clean = items.filter(verdict=Verdict.APPROVED, is_leak=False)
    approved = list(clean.select_related("skill").order_by("key"))
    if not approved:
        raise NothingApproved
    snapshot = _freeze(stage, approved)
    audit.write(
        stage.run,
        actor=actor,
        action="stage.frozen",
        subject=stage,
        evidence={
            "round": round,
            "snapshot": snapshot.content_hash,
            "items": snapshot.n_items,
            "rehearsal": snapshot.n_rehearsal,
            "rejected": items.filter(verdict=Verdict.REJECTED).count(),
        },
    )
    # by the budget of now: a retry has the rate of the attempt before it, whoever raises the budget
    asked = {"spent": engine.spent_before(stage)}
    jobs.create(stage.run, actor=actor, kind=JobKind.TRAIN, stage=stage, round=round, asked=asked)
    return stage


@transaction.atomic
def trained(stage: Stage, *, actor: Actor, checkpoint: Checkpoint) -> Stage:
    """The checkpoint is complete: it is the student now, and is assessed next."""
    evidence = {
        "checkpoint": checkpoint.pk,
        "content_hash": checkpoint.content_hash,
        "train_tokens": checkpoint.train_tokens,
        "final_loss": checkpoint.final_loss,
    }
    stage = move(stage, StageStatus.ASSESSING, actor=actor, evidence=evidence)
    make_current(checkpoint)
    jobs.create(stage.run, actor=actor, kind=JobKind.ASSESS, stage=stage, round=stage.round)
    return stage


@transaction.atomic
def assessed(stage: Stage, *, actor: Actor, evidence: Mapping[str, Any]) -> Stage:
    """The gate's evidence is in: a decision is due. The gate is of the current student."""
    stage = move(stage, StageStatus.DECIDING, actor=actor, evidence=evidence)
    GateRecord.objects.create(
        stage=stage,
        round=stage.round,
        checkpoint=Checkpoint.objects.get(run=stage.run_id, is_current=True),
        evidence=dict(evidence),
        allows_advance=engine.may_advance(stage, engine.evidence_record(evidence)),
    )
    outcomes.note(stage, evidence)
    return stage


@transaction.atomic
def roll_back(
    stage: Stage, *, actor: Actor, round: int, reason: str, gate: GateRecord | None = None
) -> Stage:
    """Start the stage over later, from the student before it. Items and gates stay on record.

    Also where its work has ended early, however often it is tried: never while a worker is at it.
    What is to be written beside a review is called off. gate: the open one, on which
    `gates.roll_back` keeps the decision; without it a stage that waits at its gate stays there.
    """
    if not reason.strip():
        raise ReasonRequired("rolling back")
    if round != stage.round:
        raise Overtaken("This stage")
    then, was = round + 1, StageStatus(stage.status)
    if was == StageStatus.DECIDING and gate is None:
        raise WrongMoment("A stage can be rolled back here", "gate is not open", was.label)
    stage = move(stage, StageStatus.PLANNED, actor=actor, note=reason, round=then, first_round=then)
    if was in AT_WORK:
        active = [JobStatus.QUEUED, JobStatus.RUNNING]
        if job := stage.jobs.filter(round=round, status__in=active).first():
            raise StillAtWork(job.get_kind_display())
    for others in stage.run.jobs.filter(kind=JobKind.REWRITE, asked__stage=stage.pk):
        if others.is_active:
            jobs.cancel(others, actor=actor)
    if stage.started_from is not None:
        make_current(stage.started_from)
    stage.stage_skills.update(outcome=SkillOutcome.OPEN)
    outcomes.note_retention(stage.run)
    return stage


def stand_on(gate: GateRecord) -> None:
    """Go on from the student of an earlier round: what later rounds changed is given up, and
    stays on record. Inside the caller's transaction.
    """
    make_current(gate.checkpoint)
    outcomes.note(gate.stage, gate.evidence)


def make_current(checkpoint: Checkpoint) -> None:
    """The next training starts from `checkpoint`. Inside the caller's transaction."""
    Checkpoint.objects.filter(run=checkpoint.run_id, is_current=True).update(is_current=False)
    Checkpoint.objects.filter(pk=checkpoint.pk).update(is_current=True)
    checkpoint.is_current = True


def _require_ready(stage: Stage) -> None:
    """Raise `StageNotReady` while another stage is at work, or one it builds on is not settled."""
    others = Stage.objects.filter(run=stage.run_id).exclude(pk=stage.pk)
    begun = others.exclude(status__in=[*SETTLED, StageStatus.PLANNED]).first()
    if begun is not None:
        raise StageNotReady(
            f"{begun} is {begun.get_status_display()}: a student learns one stage at a time."
        )
    if stage.run.jobs.filter(kind=JobKind.REPORT).exists():
        raise StageNotReady("Teaching is concluded: the report is made of what was taught so far.")
    needed = _builds_on({row.skill_id for row in stage.stage_skills.all()}, stage)
    missing = others.filter(position__lt=stage.position, stage_skills__skill__in=needed)
    first = missing.exclude(status__in=SETTLED).first()
    if first is not None:
        raise StageNotReady(f"This stage builds on {first}, which is not mastered or waived yet.")


def _builds_on(skills: set[int], stage: Stage) -> set[int]:
    """The skills, and all they build on by the edges that hold, however far back."""
    edges = [(edge.source_id, edge.target_id) for edge in engine.holding(stage.run)]
    found, fresh = set(skills), set(skills)
    while fresh:
        fresh = {source for source, target in edges if target in fresh} - found
        found |= fresh
    return found


def _freeze(stage: Stage, approved: list[Item]) -> Snapshot:
    """Fix what this training sees, in its order. The same run and round give the same hash."""
    mixture = engine.mixture(stage, approved)
    lines = [
        audit.canonical(
            {"question": item.question, "solution": item.solution, "version": item.version}
        )
        for item, _ in mixture
    ]
    snapshot = Snapshot.objects.create(
        stage=stage,
        round=stage.round,
        content_hash=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        n_items=len(mixture),
        n_rehearsal=sum(is_rehearsal for _, is_rehearsal in mixture),
    )
    SnapshotItem.objects.bulk_create(
        SnapshotItem(
            snapshot=snapshot,
            item=item,
            version=item.version,
            position=position,
            is_rehearsal=is_rehearsal,
        )
        for position, (item, is_rehearsal) in enumerate(mixture)
    )
    return snapshot
