"""What a run's autonomy decides without a person. Each decision names its rule on the record.

`act` is called after every move, by the services that people use and by the workers. It makes
one decision; that decision's own service calls `act` again.
"""

from __future__ import annotations

import logging

from django.db import transaction

from curriculum import engine
from curriculum.errors import BudgetSpent, CapReached, CurriculumError
from curriculum.models import GateRecord, Item, Run, Stage
from curriculum.services import gates, items, replanning, runs, stages
from curriculum.services.audit import Actor
from curriculum.states import SETTLED, Autonomy, JobKind, RunStatus, StageStatus, Verdict

logger = logging.getLogger(__name__)

_NAMES = {Autonomy.NONE: "autopilot", Autonomy.ONLY_GATES: "only gates"}


def act(run: Run, *, is_aside: bool = False) -> None:
    """Decide what the run's autonomy may decide now, if anything.

    What cannot be decided is left to a person, with everything as it was before. is_aside: work
    that the run does not wait for has ended; that says nothing of items that people look at.
    """
    run = Run.objects.get(pk=run.pk)
    if run.autonomy == Autonomy.EVERY_GATE or run.is_over:
        return
    try:
        with transaction.atomic():
            _decide(run, is_aside)
    except CurriculumError as exc:
        logger.warning("run %s: left to a person (%s)", run.pk, exc)


def _decide(run: Run, is_aside: bool) -> None:
    if run.status == RunStatus.TEACHING:
        _teach(run, is_aside)
    elif run.autonomy != Autonomy.NONE:
        return  # people sign
    elif run.status == RunStatus.REVIEWING_DIAGNOSIS:
        runs.sign_diagnosis(run, actor=_rule(run, "diagnosis"))
    elif run.status == RunStatus.REVIEWING_CURRICULUM:
        runs.sign_curriculum(run, actor=_rule(run, "curriculum"))


def _teach(run: Run, is_aside: bool) -> None:
    open_stages = Stage.objects.filter(run=run).exclude(status__in=SETTLED)
    begun = open_stages.exclude(status=StageStatus.PLANNED).first()
    if begun is None:
        _plan_rest(run)
        _open_next(run, open_stages.first())
    elif begun.status == StageStatus.REVIEWING:
        if run.autonomy == Autonomy.NONE or not is_aside:
            _review(run, begun)
    elif begun.status == StageStatus.DECIDING and run.autonomy == Autonomy.NONE:
        _decide_gate(run, GateRecord.objects.get(stage=begun, round=begun.round))


def _plan_rest(run: Run) -> None:
    """A plan that people changed by hand stays as it is, and the page proposes another."""
    rest = replanning.proposal(run)
    if rest is not None and not replanning.is_changed_by_hand(run):
        replanning.accept(run, actor=_rule(run, "plan the rest"), seen=rest.digest)


def _open_next(run: Run, stage: Stage | None) -> None:
    if stage is None or run.jobs.filter(kind=JobKind.REPORT).exists():
        return
    if stage.first_round and run.autonomy != Autonomy.NONE:
        return  # a person rolled it back: a person begins it again
    try:
        stages.open(stage, actor=_rule(run, "next stage"))
    except BudgetSpent as exc:
        if run.autonomy == Autonomy.NONE:
            runs.conclude(run, actor=_rule(run, "budget"), reason=str(exc))


def _review(run: Run, stage: Stage) -> None:
    items.approve_all(stage, actor=_rule(run, "clean items"), round=stage.round)
    if run.autonomy == Autonomy.NONE:
        items.reject_flagged(stage, actor=_rule(run, "flagged items"), round=stage.round)
    waiting = Item.objects.filter(stage=stage, round=stage.round, verdict=Verdict.WAITING)
    if not waiting.exists():
        stages.train(stage, actor=_rule(run, "train"), round=stage.round)


def _decide_gate(run: Run, gate: GateRecord) -> None:
    if gate.allows_advance:
        gates.advance(gate, actor=_rule(run, "advance"), round=gate.round)
        return
    if why := engine.stalled(gate):
        gates.waive(gate, actor=_rule(run, "waive"), round=gate.round, reason=why)
        return
    try:
        gates.remedy(gate, actor=_rule(run, "remedy"), round=gate.round)
    except (CapReached, BudgetSpent) as exc:
        gates.waive(gate, actor=_rule(run, "waive"), round=gate.round, reason=str(exc))


def _rule(run: Run, name: str) -> Actor:
    return Actor.policy(f"{_NAMES[Autonomy(run.autonomy)]}: {name}")
