"""Gates: the evidence, and the decision on exactly that evidence."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Router

from curriculum.access import Role
from curriculum.api.guard import actor, find_row, require_role
from curriculum.api.operations import Id, get, post
from curriculum.api.problems import Refused
from curriculum.api.schemas import DecisionIn, GateOut
from curriculum.api.stages import find_stage
from curriculum.models import GateRecord
from curriculum.services import audit, gates
from curriculum.services.audit import canonical, name_of
from curriculum.states import RunStatus
from curriculum.views import stage_reads

router = Router(tags=["gates"])
NEEDS = {  # as on the page
    "advance": Role.APPROVER,
    "remedy": Role.REVIEWER,
    "waive": Role.APPROVER,
    "roll_back": Role.APPROVER,
}


@get(router, "/stages/{stage_id}/gates", scope="read", returns=list[GateOut])
def list_gates(request: HttpRequest, stage_id: Id) -> list[dict[str, Any]]:
    """The gates of a stage, one a round, the last one last."""
    stage = find_stage(request, stage_id)
    found = stage.gates.select_related("stage__run", "decided_by").order_by("round")
    return [_shown(gate) for gate in found]


@get(router, "/gates/{gate_id}", scope="read", returns=GateOut)
def get_gate(request: HttpRequest, gate_id: Id) -> dict[str, Any]:
    """What was measured at the end of a round, and what was decided on it."""
    return _shown(_find(request, gate_id))


@post(router, "/gates/{gate_id}/decide", scope="approve", returns=GateOut)
def decide_gate(request: HttpRequest, gate_id: Id, said: DecisionIn) -> dict[str, Any]:
    """Decide on the evidence that you have seen: its hash says which.

    409 where it is not the evidence of now, with what is so. `waive` and `roll_back` need a reason.
    """
    gate = _find(request, gate_id)
    require_role(request, NEEDS[said.decision], gate.stage.run)
    with transaction.atomic():
        # From here on nobody else decides: what is compared is what is decided on.
        audit.require(gate.stage.run, RunStatus.TEACHING, what="Gates can be decided")
        gate = _find(request, gate_id)
        now = _shown(gate)
        if now["evidence_hash"] != said.evidence_hash:
            raise Refused(409, _what_changed(gate), code="evidence_changed", now=_brief(now, gate))
        decide = getattr(gates, said.decision)
        decide(gate, actor=actor(request), round=gate.round, reason=said.reason)
    return _shown(_find(request, gate_id))


def _find(request: HttpRequest, pk: int) -> GateRecord:
    rows = GateRecord.objects.select_related("stage__run", "decided_by")
    return find_row(request, rows, pk, "gate", run="stage__run")


def _shown(gate: GateRecord) -> dict[str, Any]:
    names = ("stage_id", "round", "checkpoint_id", "allows_advance", "evidence")
    more = ("decision", "reason", "decided_at", "created_at")
    return {
        "id": gate.pk,
        **{name: getattr(gate, name) for name in (*names, *more)},
        "evidence_hash": hash_of(gate),
        "is_open": stage_reads.is_open(gate, gate.stage),
        "decided_by": _by(gate),
    }


def hash_of(gate: GateRecord) -> str:
    """Of what a decision is about: what was measured of which student, whether it is decided, and
    where the stage stands.
    """
    said = {
        "gate": gate.pk,
        "round": gate.round,
        "checkpoint": gate.checkpoint_id,
        "evidence": gate.evidence,
        "allows_advance": gate.allows_advance,
        "decision": gate.decision,
        "stage": [str(gate.stage.status), gate.stage.round],
    }
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def _by(gate: GateRecord) -> str | None:
    if not gate.decision:
        return None
    return name_of(gate.decided_by) if gate.decided_by else gate.decided_as


def _what_changed(gate: GateRecord) -> str:
    if gate.decision:
        return f"This gate has been decided: {gate.get_decision_display()}, by {_by(gate)}."
    if gate.round != gate.stage.round:
        return f"The stage is in round {gate.stage.round} by now, and this gate is of {gate.round}."
    return "This is not the evidence of this gate. Look again before you decide."


def _brief(now: dict[str, Any], gate: GateRecord) -> dict[str, Any]:
    names = ("evidence_hash", "decision", "decided_by", "is_open", "round")
    stage = {"stage_status": str(gate.stage.status), "stage_round": gate.stage.round}
    return {name: now[name] for name in names} | stage
