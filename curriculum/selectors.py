"""Reads that join, for review, training, gate, audit and jobs: each a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet

from curriculum.models import (
    Answer,
    AuditEntry,
    GateRecord,
    Item,
    Job,
    Prerequisite,
    Review,
    Revision,
    Run,
    Score,
    Skill,
    Snapshot,
    Stage,
    TrainingStep,
)
from curriculum.services import budget
from curriculum.states import ActorKind, JobKind, JobStatus, SkillOutcome, Verdict

# --- Review ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tally:
    """How far the review of a round is."""

    waiting: int
    approved: int
    rejected: int
    flagged: int  # of those waiting: they need a person
    clean: int  # of those waiting: may be approved together

    @property
    def total(self) -> int:
        return self.waiting + self.approved + self.rejected


def review_queue(
    stage: Stage,
    round: int,
    *,
    skill: Skill | int | None = None,
    is_flagged: bool | None = None,
    verdict: str | None = None,
) -> QuerySet[Item]:
    """The items of a round that match, in the order they are shown. One query."""
    items = Item.objects.filter(stage=stage, round=round).select_related("skill")
    if skill is not None:
        items = items.filter(skill=skill)
    if is_flagged is not None:
        items = items.filter(is_flagged=is_flagged)
    if verdict is not None:
        items = items.filter(verdict=verdict)
    return items.order_by("pk")


def review_tally(stage: Stage, round: int) -> Tally:
    """One query."""
    waiting = Q(verdict=Verdict.WAITING)
    return Tally(
        **Item.objects.filter(stage=stage, round=round).aggregate(
            waiting=Count("pk", filter=waiting),
            approved=Count("pk", filter=Q(verdict=Verdict.APPROVED)),
            rejected=Count("pk", filter=Q(verdict=Verdict.REJECTED)),
            flagged=Count("pk", filter=waiting & Q(is_flagged=True)),
            clean=Count("pk", filter=waiting & Q(is_flagged=False, is_leak=False)),
        )
    )


@dataclass(frozen=True, slots=True)
class ItemContext:
    """Why an item exists, and what has been said about it."""

    item: Item
    builds_on: list[Skill]
    wrong: list[Answer]  # the student's own, on questions it was not taught with
    n_wrong: int
    n_asked: int
    revisions: list[Revision]
    reviews: list[Review]


def item_context(item: Item, *, each: int = 3) -> ItemContext:
    """Five queries."""
    edges = Prerequisite.objects.filter(target=item.skill_id, is_active=True)
    asked = Answer.objects.filter(
        probe__skill=item.skill_id, probe__split="diagnose", checkpoint__parent=None
    ).exclude(checkpoint=None)
    counts = asked.aggregate(n=Count("pk"), wrong=Count("pk", filter=Q(grade__lt=1)))
    wrong = asked.filter(grade__lt=1).select_related("probe").order_by("pk")
    return ItemContext(
        item=item,
        builds_on=[edge.source for edge in edges.select_related("source")],
        wrong=list(wrong[:each]),
        n_wrong=counts["wrong"],
        n_asked=counts["n"],
        revisions=list(item.revisions.select_related("actor")),
        reviews=list(item.reviews.select_related("reviewer")),
    )


# --- Training ------------------------------------------------------------------------------


def training_curve(job: Job) -> list[TrainingStep]:
    return list(TrainingStep.objects.filter(job=job).order_by("step"))


def mixture(snapshot: Snapshot) -> list[tuple[str, bool, int]]:
    """What is in a training: (skill key, whether rehearsed, items). One query."""
    rows = (
        snapshot.entries.values_list("item__skill__key", "is_rehearsal")
        .annotate(n=Count("pk"))
        .order_by("is_rehearsal", "item__skill__key")
    )
    return [(key, is_rehearsal, n) for key, is_rehearsal, n in rows]


# --- Gate ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GateRow:
    """One skill at the gate. `was` is its word in the round before, if there was one."""

    skill: Skill
    verdict: dict[str, Any]  # distill.records.SkillVerdict or RetentionVerdict, as plain JSON
    was: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GateView:
    gate: GateRecord
    stage: list[GateRow]
    retention: list[GateRow]
    wrong: list[Answer]
    earlier: list[GateRecord]
    rounds_cap: int
    items_spent: int
    items_budget: int

    @property
    def rounds_left(self) -> int:
        begun = self.gate.round - self.gate.stage.first_round + 1
        return max(0, self.rounds_cap - begun)

    @property
    def forgotten(self) -> list[GateRow]:
        return [r for r in self.retention if r.verdict["answer"] == SkillOutcome.FORGOTTEN]


def gate_view(gate: GateRecord, *, each: int = 12) -> GateView:
    """The evidence of one round beside the round before it. Four queries."""
    skills = {skill.key: skill for skill in Skill.objects.filter(run=gate.stage.run_id)}
    earlier = list(
        GateRecord.objects.filter(stage=gate.stage_id, round__lt=gate.round)
        .select_related("decided_by")
        .order_by("round")
    )
    before = earlier[-1].evidence if earlier else {}

    def rows(part: str) -> list[GateRow]:
        was = {verdict["skill"]: verdict for verdict in before.get(part, [])}
        return [
            GateRow(skills[verdict["skill"]], verdict, was.get(verdict["skill"]))
            for verdict in gate.evidence[part]
            if verdict["skill"] in skills
        ]

    shown = rows("stage")
    wrong = Answer.objects.filter(
        checkpoint=gate.checkpoint_id,
        probe__split="gate",
        probe__skill__in=[row.skill.pk for row in shown],
        grade__lt=1,
    )
    spent, allowed = budget.items_spent(gate.stage.run)
    return GateView(
        gate=gate,
        stage=shown,
        retention=rows("retention"),
        wrong=list(wrong.select_related("probe__skill").order_by("probe__skill", "pk")[:each]),
        earlier=earlier,
        rounds_cap=budget.rounds_cap(gate.stage),
        items_spent=spent,
        items_budget=allowed,
    )


def scores(run: Run, split: str) -> QuerySet[Score]:
    """Every score of a run on a split, teacher's and students', skill by skill. One query."""
    found = Score.objects.filter(skill__run=run, split=split)
    return found.select_related("skill", "checkpoint").order_by("skill", "checkpoint")


# --- Audit and jobs --------------------------------------------------------------------------


def audit_entries(
    run: Run, *, action: str = "", actor: str = "", kind: ActorKind | str = ""
) -> QuerySet[AuditEntry]:
    """The newest first. `action` is a whole name (item.approved) or its noun (item)."""
    entries = AuditEntry.objects.filter(run=run).select_related("actor").order_by("-sequence")
    if action:
        entries = entries.filter(Q(action=action) | Q(action__startswith=f"{action}."))
    if actor:
        entries = entries.filter(actor_name=actor)
    if kind:
        entries = entries.filter(actor_kind=kind)
    return entries


def audit_actors(run: Run) -> list[str]:
    """The names that appear in the log, for its filter."""
    names = AuditEntry.objects.filter(run=run).order_by("actor_name")
    return list(names.values_list("actor_name", flat=True).distinct())


def jobs(run: Run | None = None) -> QuerySet[Job]:
    """All work, the newest first, with what its row shows. One query."""
    found = Job.objects.select_related("run", "stage").order_by("-pk")
    return found.filter(run=run) if run else found


def active_jobs() -> QuerySet[Job]:
    return jobs().filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING], run__archived_at=None)


def stages_of(run: Run) -> Sequence[Stage]:
    """Stages with their skills, and the jobs and gates of their rounds. Five queries."""
    return (
        Stage.objects.filter(run=run)
        .order_by("position")
        .prefetch_related(
            "stage_skills__skill",
            Prefetch("jobs", Job.objects.exclude(kind=JobKind.REPORT).order_by("pk")),
            Prefetch("gates", GateRecord.objects.order_by("round")),
        )
    )
