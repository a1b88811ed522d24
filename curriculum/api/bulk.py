"""What is done to all waiting items that match a filter: one act, one entry, one undo."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from curriculum.access import Role
from curriculum.api.guard import actor
from curriculum.api.item_schemas import ActIn, ActOut, FilterIn, FilterRejectIn, UndoneOut
from curriculum.api.operations import Id, post
from curriculum.api.problems import Refused
from curriculum.api.schemas import RoundIn
from curriculum.api.stages import find_stage
from curriculum.models import ReviewAction, Stage
from curriculum.services import bulk, undoing
from curriculum.services.matching import Queue

router = Router(tags=["items"])


@post(router, "/stages/{stage_id}/approve-all", scope="review", returns=ActOut)
def approve_all(request: HttpRequest, stage_id: Id, said: FilterIn) -> dict[str, Any]:
    """Approve what matches, waits and passed every check.

    With `failed`, also what failed that one check. `expected` refuses where it would be more.
    """
    stage = find_stage(request, stage_id, Role.REVIEWER)
    n = bulk.approve_matching(
        stage, actor=actor(request), queue=_queue(said), expected=said.expected
    )
    return _done(request, stage, said.round, n)


@post(router, "/stages/{stage_id}/reject-all", scope="review", returns=ActOut)
def reject_all(request: HttpRequest, stage_id: Id, said: FilterRejectIn) -> dict[str, Any]:
    """Reject what matches and waits, all for one reason."""
    stage = find_stage(request, stage_id, Role.REVIEWER)
    n = bulk.reject_matching(
        stage,
        actor=actor(request),
        queue=_queue(said),
        reason=said.reason,
        expected=said.expected,
    )
    return _done(request, stage, said.round, n)


@post(router, "/stages/{stage_id}/reject-flagged", scope="review", returns=ActOut)
def reject_flagged(request: HttpRequest, stage_id: Id, said: RoundIn) -> dict[str, Any]:
    """Reject what waits and failed a check, each for the check that it failed."""
    stage = find_stage(request, stage_id, Role.REVIEWER)
    n = bulk.reject_flagged(stage, actor=actor(request), round=said.round)
    return _done(request, stage, said.round, n)


@post(router, "/stages/{stage_id}/undo", scope="review", returns=UndoneOut)
def undo_act(request: HttpRequest, stage_id: Id, said: ActIn) -> Any:
    """Take back an act of yours. What somebody has changed since stays as it is."""
    stage = find_stage(request, stage_id, Role.REVIEWER)
    acts = ReviewAction.objects.select_related("stage__run")
    act = acts.filter(stage=stage, pk=said.act).first()
    if act is None:
        raise Refused(404, "There is no such act in this stage.")
    return undoing.undo(act, actor=actor(request))


def _queue(said: FilterIn) -> Queue:
    names = ("round", "skill", "checks", "failed", "origin", "tag", "q")
    return Queue(**{name: getattr(said, name) for name in names})


def _done(request: HttpRequest, stage: Stage, round: int, n: int) -> dict[str, Any]:
    user: Any = request.user
    act = undoing.last_action(stage, round, user) if n else None
    return {"n": n, "act": act.pk if act else None}
