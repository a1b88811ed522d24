"""Items: rows to records, and the mixture of a round."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet, Sum

from curriculum.engine.describe import models_folder, settings_of
from curriculum.engine.planning import gaps_of
from curriculum.models import (
    Checkpoint,
    GateRecord,
    Item,
    Revision,
    Run,
    Score,
    Snapshot,
    SnapshotItem,
    Stage,
    StageSkill,
)
from curriculum.states import SETTLED, SkillOutcome, StageStatus
from distill import records, roster
from distill.decisions import stalls
from distill.domains import question_key
from distill.organizer import mixture as organizer
from distill.organizer.footing import footing, gained
from distill.organizer.stages import difficulty, lacking
from distill.records import GateEvidence, RetentionVerdict, SkillVerdict


def record(item: Item) -> records.Item:
    """The row as distill knows it. Needs `item.skill`."""
    return records.Item(
        key=item.key,
        skill=item.skill.key,
        question=item.question,
        solution=item.solution,
        answer=item.answer,
        operations=tuple(item.operations),
        level=item.level,
        origin=item.origin,
        aims=tuple(item.aims),
    )


def to_write(
    stage: Stage, rounds: Sequence[GateEvidence], ahead: Mapping[str, float] | None = None
) -> tuple[dict[str, float], dict[str, int]]:
    """What the stage's round has to teach, and how many new items each skill gets for it.

    rounds: see `evidence_so_far`. ahead: see `mixture.ready`. Returns (need, counts) by skill:
    see `footing` and `mixture.with_frontier`. Raises `BudgetSpent`.
    """
    run = stage.run
    if rounds:
        need = footing(rounds).need
    else:
        gaps, now = gaps_of(run), _measured_since(stage)
        own = [row.skill.key for row in stage.stage_skills.select_related("skill")]
        need = {k: lacking(gaps[k], now[k]) if k in now else difficulty(gaps[k]) for k in own}
    spent = Snapshot.objects.filter(stage__run=run).aggregate(n=Sum("n_items"))["n"] or 0
    n = organizer.room_for_new(
        settings_of(run).budget,
        need,
        used=spent,
        rehearses=rehearsal_pool(stage, rounds).exclude(skill__key__in=need).exists(),
        waiting=_waiting(stage),
    )
    share = settings_of(run).budget.frontier_share
    return need | dict(ahead or {}), organizer.with_frontier(need, ahead or {}, n, share)


def _waiting(stage: Stage) -> float:
    """What the skills of later stages lack, by the diagnosis, summed."""
    later = StageSkill.objects.filter(
        stage__run=stage.run_id,
        stage__status=StageStatus.PLANNED,
        stage__position__gt=stage.position,
        skill__gap__isnull=False,
    )
    gaps = later.order_by().values_list("skill__gap", flat=True)
    return sum(min(1.0, max(0.0, gap)) for gap in gaps if gap is not None)


def _measured_since(stage: Stage) -> dict[str, float]:
    """What the student as it is now scored on the stage's skills: skill -> mean in 0..1."""
    scores = Score.objects.filter(
        skill__in=stage.stage_skills.values("skill"),
        split=records.Split.DIAGNOSE,
        checkpoint=Checkpoint.objects.get(run=stage.run_id, is_current=True),
    )
    return dict(scores.values_list("skill__key", "mean"))


def mixture(stage: Stage, approved: Sequence[Item]) -> list[tuple[Item, bool]]:
    """What a round trains on, in its order: (item, is rehearsal). See `mixture.mix`.

    approved: the round's own items.
    """
    run = stage.run
    rounds = evidence_so_far(stage)
    rows = {i.pk: i for i in rehearsal_pool(stage, rounds).select_related("skill")}
    own = {i.pk: i for i in approved}
    mixed = organizer.mix(
        [_numbered(i) for i in own.values()],
        [_numbered(i) for i in rows.values()],
        lost=footing(rounds).lost if rounds else {},
        share=settings_of(run).budget.rehearsal_share,
        seed=f"{run.seed}:{stage.position}:{stage.round}",
    )
    everything = rows | own
    keys = (int(m.key.rsplit("#", 1)[1]) for m in mixed)
    return [(everything[pk], pk not in own) for pk in keys]


def rehearsal_pool(stage: Stage, rounds: Sequence[GateEvidence]) -> QuerySet[Item]:
    """What earlier snapshots taught of skills whose stages are settled, waived ones as well:
    nothing else teaches them any more (decisions/0021).

    Those that this stage has brought to sit belong to them: a remedy no longer teaches them.
    rounds: see `evidence_so_far`.
    """
    settled = StageSkill.objects.filter(
        stage__run=stage.run,
        stage__status__in=SETTLED,
        outcome__in=[SkillOutcome.MASTERED, SkillOutcome.FORGOTTEN, SkillOutcome.WAIVED],
    )
    sits = Q(item__skill__key__in=footing(rounds).sits) if rounds else Q()
    taught = SnapshotItem.objects.filter(
        Q(item__skill__in=settled.values("skill")) | sits, snapshot__stage__run=stage.run
    )
    pool = Item.objects.filter(pk__in=taught.values("item"), verdict="approved", is_leak=False)
    return pool.exclude(stage=stage, round=stage.round)


def trained_questions(run: Run) -> set[str]:
    """Question keys of all that the run's student was trained on, in every version an item had."""
    taught = SnapshotItem.objects.filter(snapshot__stage__run=run).values("item")
    words = [
        *Item.objects.filter(pk__in=taught).values_list("question", flat=True),
        *Revision.objects.filter(item__in=taught).values_list("question", flat=True),
    ]
    return {question_key(question) for question in words}


def stands_on(gate: GateRecord) -> GateRecord:
    """The gate of this stage, this one or an earlier, whose student goes on: see `footing`."""
    stage = gate.stage
    gates = GateRecord.objects.filter(
        stage=stage, round__gte=stage.first_round, round__lte=gate.round
    )
    so_far = list(gates.select_related("checkpoint").order_by("round"))
    return so_far[footing([evidence_record(each.evidence) for each in so_far]).at]


def stalled(gate: GateRecord) -> str:
    """In a sentence, why one more remedy is better spent on the stages that wait; empty if not."""
    stage = gate.stage
    others = Stage.objects.filter(run=stage.run_id, status=StageStatus.PLANNED).exists()
    if not others or stage.round == stage.first_round:
        return ""
    rise = gained([*evidence_so_far(stage), evidence_record(gate.evidence)])
    least = settings_of(stage.run).budget.least_gain
    if rise is None or not stalls(rise, least=least, others_wait=others):
        return ""
    return (
        f"The last round changed the ratios it was for by {rise:+.2f} in the mean, less than "
        f"{least:+.2f}: what is left of the budget goes to the stages that wait."
    )


def evidence_so_far(stage: Stage) -> list[GateEvidence]:
    """The evidence of the stage's rounds since it was begun, before the one it is in."""
    gates = GateRecord.objects.filter(
        stage=stage, round__gte=stage.first_round, round__lt=stage.round
    )
    return [evidence_record(gate.evidence) for gate in gates.order_by("round")]


def evidence_record(values: dict[str, Any]) -> GateEvidence:
    return GateEvidence(
        stage=tuple(
            SkillVerdict(**{**v, "answer": records.GateAnswer(v["answer"])})
            for v in values["stage"]
        ),
        retention=tuple(
            RetentionVerdict(**{**v, "answer": records.Retention(v["answer"])})
            for v in values["retention"]
        ),
        void=tuple((skill, n) for skill, n in values.get("void", ())),
    )


def rendered(item: Item) -> tuple[str, int, int] | None:
    """The item as the student will see it: (text, tokens, tokens trained on).

    None where the student has no tokenizer (simulated), or its folder is gone.
    """
    student = item.stage.run.student
    tokenizer = tokenizer_of(student)
    if tokenizer is None:
        return None
    from distill.backends.chat import render_example

    limit = settings_of(item.stage.run).lora.max_length_tokens
    shown = render_example(tokenizer, item.question, item.solution, max_length_tokens=limit)
    return tokenizer.decode(shown.ids), len(shown.ids), len(shown.ids) - shown.n_prompt


def tokenizer_of(student: str) -> Any:
    """Of a student by its name; None for one without (simulated), or whose folder is gone."""
    folder = models_folder() / student
    if student == roster.SIMULATED or not folder.is_dir():
        return None
    return _tokenizer(str(folder))


@lru_cache(maxsize=2)
def _tokenizer(folder: str) -> Any:
    from distill.backends.chat import load_tokenizer

    return load_tokenizer(folder)


def _numbered(item: Item) -> records.Item:
    """A record whose key ends in the row's number, so that it can be found again."""
    return dataclasses.replace(record(item), key=f"{item.key}#{item.pk}")
