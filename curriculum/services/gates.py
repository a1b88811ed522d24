"""The decision at the end of a round. Each names the round that the person has looked at."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from curriculum import engine
from curriculum.errors import CapReached, GateRefused, Overtaken, ReasonRequired
from curriculum.models import GateRecord, Run, Stage
from curriculum.services import budget, jobs, policy, signers, stages
from curriculum.services.audit import Actor, name_of
from curriculum.states import SETTLED, JobKind, SkillOutcome, StageStatus


@transaction.atomic
def advance(gate: GateRecord, *, actor: Actor, round: int, reason: str = "") -> Stage:
    """Settle the stage as mastered. The evidence has to allow it: nobody may override that.
    Under the two-person rule, so does `signers`.
    """
    stage = _seen(gate, round)
    if not gate.allows_advance:
        raise GateRefused(*_what_is_missing(gate))
    stage = stages.move(
        stage, StageStatus.MASTERED, actor=actor, note=reason, evidence=gate.evidence
    )
    signers.require_second(stage, actor=actor)
    _record(gate, "advance", actor=actor, reason=reason)
    stage.stage_skills.update(outcome=SkillOutcome.MASTERED)
    return _go_on(stage, actor=actor)


@transaction.atomic
def remedy(gate: GateRecord, *, actor: Actor, round: int, reason: str = "") -> Stage:
    """Teach the stage one more round, aimed at what is missing."""
    stage = _seen(gate, round)
    cap = budget.rounds_cap(stage)
    if round + 1 - stage.first_round > cap - 1:
        raise CapReached(cap)
    budget.require_items(stage.run)
    stands = engine.stands_on(gate)
    stage = stages.move(
        stage,
        StageStatus.WRITING,
        actor=actor,
        note=reason,
        evidence=gate.evidence | _footing(gate, stands),
        round=round + 1,
    )
    _record(gate, "remedy", actor=actor, reason=reason, stands=stands)
    jobs.create(stage.run, actor=actor, kind=JobKind.WRITE, stage=stage, round=stage.round)
    return stage


@transaction.atomic
def waive(gate: GateRecord, *, actor: Actor, round: int, reason: str) -> Stage:
    """Let the stage pass without the evidence. The reason is shown for ever after."""
    if not reason.strip():
        raise ReasonRequired("waiving a stage")
    stage = _seen(gate, round)
    stands = engine.stands_on(gate)
    stage = stages.move(
        stage,
        StageStatus.WAIVED,
        actor=actor,
        note=reason,
        evidence=gate.evidence | _footing(gate, stands),
    )
    signers.require_second(stage, actor=actor)
    _record(gate, "waive", actor=actor, reason=reason, stands=stands)
    missing = stage.stage_skills.exclude(outcome=SkillOutcome.MASTERED)
    missing.update(outcome=SkillOutcome.WAIVED)
    return _go_on(stage, actor=actor)


@transaction.atomic
def roll_back(gate: GateRecord, *, actor: Actor, round: int, reason: str) -> Stage:
    """Give up what this stage did to the student; it starts over from the one before it."""
    stage = stages.roll_back(_seen(gate, round), actor=actor, round=round, reason=reason, gate=gate)
    _record(gate, "roll_back", actor=actor, reason=reason)
    return _left_to_policy(stage)


@transaction.atomic
def start_over(stage: Stage, *, actor: Actor, round: int, reason: str) -> Stage:
    """The same before the stage has come to its gate: in review, or where its work ended early."""
    return _left_to_policy(stages.roll_back(stage, actor=actor, round=round, reason=reason))


def _seen(gate: GateRecord, round: int) -> Stage:
    """The gate's stage, if the round on the person's screen is still the one to decide."""
    stage = gate.stage
    if gate.decision:
        raise Overtaken("This gate", _how_decided(gate))
    if not round == gate.round == stage.round:
        raise Overtaken("This gate", f"the stage is in round {stage.round} by now")
    return stage


def _how_decided(gate: GateRecord) -> str:
    who = name_of(gate.decided_by) if gate.decided_by else "policy"
    what = {"advance": "let it pass", "remedy": "wants another round", "waive": "waived it"}
    return f"{who} {what.get(gate.decision, 'rolled it back')}"


def _footing(gate: GateRecord, stands: GateRecord) -> dict[str, Any]:
    if stands.pk == gate.pk:
        return {}
    return {"goes_on_from": {"round": stands.round, "checkpoint": stands.checkpoint_id}}


def _record(
    gate: GateRecord, decision: str, *, actor: Actor, reason: str, stands: GateRecord | None = None
) -> None:
    """Write the decision down, and go on from the student of `stands`, where that is another."""
    undecided = GateRecord.objects.filter(pk=gate.pk, decision="")
    changes: dict[str, Any] = {
        "decision": decision,
        "reason": reason,
        "decided_by": actor.user,
        "decided_as": actor.kind,
        "decided_at": timezone.now(),
    }
    if stands is not None and stands.pk != gate.pk:
        changes["stands_on"] = stands
        stages.stand_on(stands)
    if not undecided.update(**changes):
        raise Overtaken("This gate")
    gate.refresh_from_db()


def _go_on(stage: Stage, *, actor: Actor) -> Stage:
    """After a stage is settled: the report when it was the last, else what policy decides."""
    run = Run.objects.get(pk=stage.run_id)
    if Stage.objects.filter(run=run).exclude(status__in=SETTLED).exists():
        return _left_to_policy(stage)
    jobs.create(run, actor=actor, kind=JobKind.REPORT)
    stage.refresh_from_db()
    return stage


def _left_to_policy(stage: Stage) -> Stage:
    policy.act(stage.run)
    stage.refresh_from_db()
    return stage


def _what_is_missing(gate: GateRecord) -> tuple[list[str], list[str]]:
    answers = {v["skill"]: v["answer"] for v in gate.evidence["stage"]}
    taught = gate.stage.stage_skills.values_list("skill__key", flat=True)
    missing = [key for key in taught if answers.get(key) != SkillOutcome.MASTERED]
    forgotten = [
        v["skill"] for v in gate.evidence["retention"] if v["answer"] == SkillOutcome.FORGOTTEN
    ]
    return missing, forgotten
