"""Items: rows to records, and the mixture of a round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import F, Q, QuerySet

from curriculum.engine.describe import models_folder, settings_of
from curriculum.errors import BadModel
from curriculum.models import (
    GateRecord,
    Item,
    Revision,
    Run,
    Skill,
    SnapshotItem,
    Stage,
    StageSkill,
)
from curriculum.states import SETTLED, SkillOutcome, SkillStatus, StageStatus
from distill import records, roster
from distill.decisions import stalls
from distill.domains import question_key
from distill.organizer.footing import footing, gained
from distill.verdicts import GateEvidence


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
        said=item.said,
    )


def rehearsal_pool(stage: Stage, rounds: Sequence[GateEvidence]) -> QuerySet[Item]:
    """What earlier snapshots taught of skills whose stages are settled, waived ones as well, and of
    those that are in no stage (any more): nothing else teaches them (decisions/0021).

    Those that this stage has brought to sit belong to them: a remedy no longer teaches them.
    Nothing of rounds that were rolled back: whoever did that may have found their items wrong.
    rounds: see `evidence_so_far`.
    """
    settled = StageSkill.objects.filter(
        stage__run=stage.run,
        stage__status__in=SETTLED,
        outcome__in=[SkillOutcome.MASTERED, SkillOutcome.FORGOTTEN, SkillOutcome.WAIVED],
    )
    sits = Q(item__skill__key__in=footing(rounds).sits) if rounds else Q()
    in_none = Skill.objects.filter(
        run=stage.run_id, stage_skills=None, status=SkillStatus.ACTIVE
    )  # it sat before its stage began, or from the start, and was taught beside or for a remedy
    behind = Q(item__skill__in=settled.values("skill")) | Q(item__skill__in=in_none)
    taught = SnapshotItem.objects.filter(behind | sits, snapshot__stage__run=stage.run)
    pool = Item.objects.filter(pk__in=taught.values("item"), verdict="approved", is_leak=False)
    return pool.exclude(stage=stage, round=stage.round).exclude(round__lt=F("stage__first_round"))


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


def evidence_record(values: Mapping[str, Any]) -> GateEvidence:
    return GateEvidence.of(values)


def may_advance(stage: Stage, evidence: GateEvidence) -> bool:
    """Whether the evidence lets the stage be left. What was retired holds nothing up."""
    taught = stage.stage_skills.filter(skill__status=SkillStatus.ACTIVE)
    return evidence.allows_advance_of(taught.values_list("skill__key", flat=True))


def rendered(item: Item) -> tuple[str, int, int] | None:
    """The item as the student will see it: (text, tokens, tokens trained on).

    None where the student has no tokenizer (simulated), or its folder is gone. Raises `BadModel`
    where it has a chat template that nobody can be trained with.
    """
    student = item.stage.run.student
    tokenizer = tokenizer_of(student)
    if tokenizer is None:
        return None
    from distill.backends.chat import render_example

    limit = settings_of(item.stage.run).lora.max_length_tokens
    try:
        shown = render_example(tokenizer, item.question, item.solution, max_length_tokens=limit)
    except ValueError as exc:
        raise BadModel(str(exc)) from exc
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
