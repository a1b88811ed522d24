"""What a stage's pages show: its rounds, its trainings, its gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from curriculum.models import (
    AuditEntry,
    Checkpoint,
    GateRecord,
    Item,
    Job,
    Skill,
    Snapshot,
    SnapshotItem,
    Stage,
    StageSkill,
    TrainingStep,
)
from curriculum.states import JobKind, SkillOutcome, StageStatus, Verdict
from curriculum.views import origin_reads, reads

SHOWN_STEPS = 12


@dataclass(slots=True)
class Round:
    number: int
    items: Mapping[str, Any] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    checkpoint: Checkpoint | None = None
    gate: GateRecord | None = None
    is_undone: bool = False  # by this roll-back or a later one
    ended: AuditEntry | None = None  # the roll-back, where it was in this round


def rounds(stage: Stage) -> list[Round]:
    """The rounds so far, the last first. Four queries, one or two more where some were undone."""
    found = {number: Round(number) for number in range(stage.round + 1)}
    counted = (
        Item.objects.filter(stage=stage)
        .order_by()
        .values("round")
        .annotate(
            all=Count("pk"),
            approved=Count("pk", filter=Q(verdict=Verdict.APPROVED)),
            rejected=Count("pk", filter=Q(verdict=Verdict.REJECTED)),
        )
    )
    for row in counted:
        found.setdefault(row["round"], Round(row["round"])).items = row
    for snapshot in Snapshot.objects.filter(stage=stage):
        found.setdefault(snapshot.round, Round(snapshot.round)).snapshot = snapshot
    for checkpoint in Checkpoint.objects.filter(stage=stage):
        found.setdefault(checkpoint.round, Round(checkpoint.round)).checkpoint = checkpoint
    for gate in GateRecord.objects.filter(stage=stage).select_related("decided_by"):
        found.setdefault(gate.round, Round(gate.round)).gate = gate
    _note_undone(stage, found)
    return sorted(found.values(), key=lambda r: -r.number)


def _note_undone(stage: Stage, found: dict[int, Round]) -> None:
    """Say of rounds before the last roll-back that they were rolled back, by whom and why."""
    if not stage.first_round:
        return
    for number, each in found.items():
        each.is_undone = number < stage.first_round
    about = origin_reads.about(stage.run, "stage", stage.pk)
    rolled_back = f"stage.{StageStatus.PLANNED}"
    for entry in AuditEntry.objects.filter(about, run=stage.run_id, action=rolled_back):
        if entry.was.get("round") in found:
            found[entry.was["round"]].ended = entry


def item_counts(stage: Stage) -> dict[str, int]:
    return Item.objects.filter(stage=stage, round=stage.round).aggregate(
        all=Count("pk"),
        waiting=Count("pk", filter=Q(verdict=Verdict.WAITING)),
        approved=Count("pk", filter=Q(verdict=Verdict.APPROVED)),
        rejected=Count("pk", filter=Q(verdict=Verdict.REJECTED)),
        flagged=Count("pk", filter=Q(verdict=Verdict.WAITING, is_flagged=True)),
    )


# --- Training ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Training:
    job: Job | None
    steps: list[TrainingStep]
    snapshot: Snapshot | None
    checkpoint: Checkpoint | None
    mixture: list[dict[str, Any]]
    eta_seconds: float | None

    @property
    def last(self) -> TrainingStep | None:
        return self.steps[-1] if self.steps else None

    @property
    def shown(self) -> list[TrainingStep]:
        """At most a dozen steps over the whole training, the last among them, newest first."""
        every = max(1, -(-len(self.steps) // SHOWN_STEPS))
        return self.steps[::-1][::every]

    @property
    def n_new(self) -> int:
        return self.snapshot.n_items - self.snapshot.n_rehearsal if self.snapshot else 0


def training(stage: Stage, round_: int) -> Training:
    job = stage.jobs.filter(kind=JobKind.TRAIN, round=round_).first()
    steps = list(job.steps.order_by("step")) if job else []
    snapshot = Snapshot.objects.filter(stage=stage, round=round_).first()
    return Training(
        job,
        steps,
        snapshot,
        Checkpoint.objects.filter(stage=stage, round=round_).first(),
        mixture(snapshot) if snapshot else [],
        reads.eta_seconds(job) if job else None,
    )


def mixture(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Items a skill, new and rehearsed, as frozen."""
    own = StageSkill.objects.filter(stage=snapshot.stage_id, skill=OuterRef("item__skill"))
    rows = (
        SnapshotItem.objects.filter(snapshot=snapshot)
        .annotate(is_own=Exists(own))
        .order_by("item__skill")
        .values("item__skill__key", "item__skill__title", "is_rehearsal", "is_own")
        .annotate(n=Count("pk"))
    )
    return [
        {
            "key": row["item__skill__key"],
            "title": row["item__skill__title"],
            "is_rehearsal": row["is_rehearsal"],
            "is_beside": not row["is_rehearsal"] and not row["is_own"],
            "n": row["n"],
            "share": row["n"] / snapshot.n_items if snapshot.n_items else 0,
        }
        for row in rows
    ]


# --- Gate ----------------------------------------------------------------------------------------


WAIVED_SINCE = {"kept": "no less since", "forgotten": "less since", "unclear": "unclear"}
WAIVED_DRAWN = {"kept": "not_yet", "forgotten": "forgotten", "unclear": "unclear"}


@dataclass(frozen=True, slots=True)
class GateRow:
    """One skill's verdict as the evidence has it, with the skill and its wrong answers."""

    verdict: Mapping[str, Any]
    skill: Skill | None
    wrong: list[reads.Wrong]
    slips: list[tuple[str, int]]  # sentence, how often

    is_waived: bool = False  # in an earlier stage

    @property
    def answer(self) -> str:
        """As it is drawn: what was waived looks as if it sat only where it does."""
        answer = str(self.verdict["answer"])
        if self.is_waived and answer != SkillOutcome.MASTERED:
            return WAIVED_DRAWN[str(self.verdict["since"])]
        return answer

    @property
    def answer_label(self) -> str:
        answer = str(self.verdict["answer"])
        if self.is_waived:
            sits = answer == SkillOutcome.MASTERED
            return "mastered by now" if sits else WAIVED_SINCE[str(self.verdict["since"])]
        return dict(SkillOutcome.choices).get(answer, answer.replace("_", " "))


def gate_rows(gate: GateRecord) -> tuple[list[GateRow], list[GateRow], list[GateRow]]:
    """The skills of the stage, those mastered earlier, and those waived earlier, with wrong answers
    on gate probes.
    """
    run = gate.stage.run
    stage_verdicts = list(gate.evidence.get("stage", []))
    kept_verdicts = list(gate.evidence.get("retention", []))
    waived_verdicts = list(gate.evidence.get("waived", []))
    named = {v["skill"] for v in (*stage_verdicts, *kept_verdicts, *waived_verdicts)}
    skills = {s.key: s for s in Skill.objects.filter(run=run, key__in=named)}
    by = Q(checkpoint=gate.checkpoint_id)
    slips = reads.slips(run, "gate", by)
    wrong = reads.wrong_answers(
        run,
        "gate",
        by,
        skills=[s.pk for s in skills.values()],
        each=4,
    )

    def rows(verdicts: Iterable[Mapping[str, Any]], *, is_waived: bool = False) -> list[GateRow]:
        found = []
        for verdict in verdicts:
            skill = skills.get(verdict["skill"])
            pk = skill.pk if skill else 0
            found.append(GateRow(verdict, skill, wrong.get(pk, []), slips.get(pk, []), is_waived))
        return found

    waived = rows(waived_verdicts, is_waived=True)
    return rows(stage_verdicts), rows(kept_verdicts), waived


def why_not_advance(gate: GateRecord) -> str:
    """In words, what the evidence holds against an advance; empty when nothing."""
    if gate.allows_advance:
        return ""
    by_answer: dict[str, list[str]] = {}
    for verdict in (*gate.evidence.get("stage", []), *gate.evidence.get("retention", [])):
        by_answer.setdefault(verdict["answer"], []).append(verdict["skill"])
    parts = [
        f"{', '.join(by_answer[answer])} {words}"
        for answer, words in (
            ("not_yet", "not yet"),
            ("forgotten", "forgotten"),
            ("unclear", "unclear"),
        )
        if answer in by_answer
    ]
    return "; ".join(parts) or "not every skill of this stage was measured"


def gate_of(stage: Stage, round_: int) -> GateRecord | None:
    return (
        GateRecord.objects.filter(stage=stage, round=round_)
        .select_related("stage__run", "checkpoint", "decided_by")
        .first()
    )


def is_open(gate: GateRecord, stage: Stage) -> bool:
    """Whether it waits for a decision: in a run that is over nothing does."""
    at_gate = stage.status == StageStatus.DECIDING and not stage.run.is_over
    return gate.decision == "" and at_gate and gate.round == stage.round
