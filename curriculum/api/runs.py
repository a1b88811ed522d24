"""Runs: to see, to make, and to bring forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Query, Router, Status

from curriculum import engine
from curriculum.access import Role, visible_runs
from curriculum.api.guard import actor, find_run, require_role
from curriculum.api.operations import Cursor, Id, Limit, get, post
from curriculum.api.paging import page
from curriculum.api.plan_schemas import BudgetIn
from curriculum.api.schemas import (
    AutonomyIn,
    Page,
    ReasonIn,
    RunDetail,
    RunIn,
    RunOut,
    SignIn,
    StageOut,
    TwoPeopleIn,
)
from curriculum.errors import BadDomain, Overtaken
from curriculum.models import Run
from curriculum.services import audit, budget, deciding, runs
from curriculum.states import RunStatus
from curriculum.views import reads

router = Router(tags=["runs"])


@get(router, "/runs", scope="read", returns=Page[RunOut])
def list_runs(
    request: HttpRequest,
    status: Annotated[RunStatus | None, Query()] = None,
    archived: bool = False,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """The runs that you may see, the newest first."""
    found = visible_runs(request.user).filter(archived_at__isnull=not archived)
    if status:
        found = found.filter(status=status)
    return page(found, limit=limit, cursor=cursor, newest_first=True)


@post(router, "/runs", scope="review", returns=RunDetail, status=201)
def create_run(request: HttpRequest, said: RunIn) -> Status[Run]:
    """Make a draft. Nothing is asked of a model yet."""
    require_role(request, Role.REVIEWER)
    if said.domain not in dict(engine.domains()):
        raise BadDomain(f"“{said.domain}” is not a domain of this installation.")
    given = said.model_dump() | {"settings": _whole(said.settings)}
    run = runs.create(actor=actor(request), **given)
    return Status(201, run)


def _whole(said: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The settings that are not said are as usual, also within a group."""
    usual = engine.default_settings()
    return usual | {group: (usual.get(group) or {}) | values for group, values in said.items()}


@get(router, "/runs/{run_id}", scope="read", returns=RunDetail)
def get_run(request: HttpRequest, run_id: Id) -> Run:
    """A run with its settings, the notices of its plan, and its report."""
    return find_run(request, run_id)


@post(router, "/runs/{run_id}/diagnose", scope="review", returns=RunOut)
def diagnose_run(request: HttpRequest, run_id: Id) -> Run:
    """Queue the diagnosis, or the next one."""
    run = find_run(request, run_id, Role.REVIEWER)
    return runs.diagnose(run, actor=actor(request))


@post(router, "/runs/{run_id}/sign-diagnosis", scope="approve", returns=RunOut)
def sign_diagnosis(request: HttpRequest, run_id: Id, said: SignIn) -> Run:
    """Accept the diagnosis and plan the stages from it. 409 where more was done than `seen`."""
    return _sign(runs.sign_diagnosis, request, run_id, said)


@post(router, "/runs/{run_id}/sign-curriculum", scope="approve", returns=RunOut)
def sign_curriculum(request: HttpRequest, run_id: Id, said: SignIn) -> Run:
    """Accept the stages: teaching begins. 409 where more was done than `seen`."""
    return _sign(runs.sign_curriculum, request, run_id, said)


def _sign(sign: Callable[..., Run], request: HttpRequest, run_id: int, said: SignIn) -> Run:
    run = find_run(request, run_id, Role.APPROVER)
    with transaction.atomic():
        audit.require_going(run)  # from here on nobody else changes what is signed
        run.refresh_from_db()
        if said.seen is not None and said.seen != run.audit_sequence:
            raise Overtaken("This run")
        return sign(run, actor=actor(request), note=said.note)


@post(router, "/runs/{run_id}/autonomy", scope="approve", returns=RunOut)
def set_autonomy(request: HttpRequest, run_id: Id, said: AutonomyIn) -> Run:
    """Change who decides from now on.

    What waits is decided at once, if policy may now decide it.
    """
    run = find_run(request, run_id, Role.APPROVER)
    return deciding.set_autonomy(run, actor=actor(request), autonomy=said.autonomy)


@post(router, "/runs/{run_id}/two-people", scope="approve", returns=RunOut)
def set_two_people(request: HttpRequest, run_id: Id, said: TwoPeopleIn) -> Run:
    """Switch the two-person rule."""
    run = find_run(request, run_id, Role.APPROVER)
    return deciding.set_two_people(run, actor=actor(request), on=said.on)


@post(router, "/runs/{run_id}/budget", scope="approve", returns=RunOut)
def raise_budget(request: HttpRequest, run_id: Id, said: BudgetIn) -> Run:
    """Let the run spend more. Work that stopped at a bound goes on when it is retried."""
    run = find_run(request, run_id, Role.APPROVER)
    return budget.raise_to(run, actor=actor(request), **said.model_dump())


@post(router, "/runs/{run_id}/conclude", scope="approve", returns=RunOut)
def conclude_run(request: HttpRequest, run_id: Id, said: ReasonIn) -> Run:
    """Write the report now, with stages left untaught."""
    run = find_run(request, run_id, Role.APPROVER)
    return runs.conclude(run, actor=actor(request), reason=said.reason)


@post(router, "/runs/{run_id}/stop", scope="approve", returns=RunOut)
def stop_run(request: HttpRequest, run_id: Id, said: ReasonIn) -> Run:
    """End the run for good, and cancel its jobs. What was made stays."""
    run = find_run(request, run_id, Role.APPROVER)
    return runs.stop(run, actor=actor(request), reason=said.reason)


@post(router, "/runs/{run_id}/archive", scope="review", returns=RunOut)
def archive_run(request: HttpRequest, run_id: Id) -> Run:
    """Take it out of the list. Nothing is deleted."""
    run = find_run(request, run_id, Role.REVIEWER)
    return runs.archive(run, actor=actor(request))


@post(router, "/runs/{run_id}/unarchive", scope="review", returns=RunOut)
def unarchive_run(request: HttpRequest, run_id: Id) -> Run:
    """Put it back into the list."""
    run = find_run(request, run_id, Role.REVIEWER)
    return runs.unarchive(run, actor=actor(request))


# --- What a run consists of ---------------------------------------------------------------------


@get(router, "/runs/{run_id}/stages", scope="read", returns=list[StageOut])
def list_stages(request: HttpRequest, run_id: Id) -> list[Any]:
    """All stages, in the order in which they are taught."""
    return reads.stages_with_skills(find_run(request, run_id))
