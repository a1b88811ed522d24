"""A stage from planned to the gate."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from curriculum.access import Role
from curriculum.api.guard import actor, find_row
from curriculum.api.operations import Id, get, post
from curriculum.api.schemas import RollBackIn, RoundIn, StageOut
from curriculum.models import Stage
from curriculum.services import gates, stages

router = Router(tags=["stages"])


def find_stage(request: HttpRequest, pk: int, role: Role = Role.VIEWER) -> Stage:
    """See `find_row`."""
    rows = Stage.objects.select_related("run").prefetch_related("stage_skills__skill")
    return find_row(request, rows, pk, "stage", role)


@get(router, "/stages/{stage_id}", scope="read", returns=StageOut)
def get_stage(request: HttpRequest, stage_id: Id) -> Stage:
    """A stage, its skills, and where it stands."""
    return find_stage(request, stage_id)


@post(router, "/stages/{stage_id}/open", scope="review", returns=StageOut)
def open_stage(request: HttpRequest, stage_id: Id) -> Stage:
    """Begin to teach the stage: its items are written next."""
    stage = find_stage(request, stage_id, Role.REVIEWER)
    return stages.open(stage, actor=actor(request))


@post(router, "/stages/{stage_id}/train", scope="approve", returns=StageOut)
def train_stage(request: HttpRequest, stage_id: Id, said: RoundIn) -> Stage:
    """Freeze what was approved in the round, and train on it."""
    stage = find_stage(request, stage_id, Role.APPROVER)
    return stages.train(stage, actor=actor(request), round=said.round)


@post(router, "/stages/{stage_id}/roll-back", scope="approve", returns=StageOut)
def roll_back_stage(request: HttpRequest, stage_id: Id, said: RollBackIn) -> Any:
    """Start the stage over later, from the student before it."""
    stage = find_stage(request, stage_id, Role.APPROVER)
    return gates.start_over(stage, actor=actor(request), round=said.round, reason=said.reason)
