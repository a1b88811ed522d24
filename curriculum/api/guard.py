"""What stands before every operation: whose token it is, how often it asked, what it may.

Only a bearer token opens anything. A session's cookie is not looked at, so no page of another
site can make a browser do something here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from operator import attrgetter
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.security import HttpBearer

from curriculum.access import Role, may, role_in, visible_runs
from curriculum.api import problems
from curriculum.api.problems import Refused
from curriculum.api.replies import once
from curriculum.models import ApiToken, Run
from curriculum.services import tokens
from curriculum.services.audit import Actor

Row = TypeVar("Row", bound=Model)
Run_ = Callable[..., HttpResponseBase]
WINDOW_SECONDS = 60


class Token(HttpBearer):
    """For the document, and for ninja: `guarded` has found the token already."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        return getattr(request, "api_token", None)


def guarded(scope: str, *, keeps: str = "") -> Callable[[Run_], Run_]:
    """Wrap an operation, from the reading of its parameters on.

    keeps: how a reply is kept for who asks again with the same Idempotency-Key; see
    `replies.once`. Empty: not at all.
    """

    def decorate(run: Run_) -> Run_:
        @wraps(run)
        def guard(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            try:
                token = _token_of(request)
                _require_patience(token)
                _require_scope(token, scope)
                tokens.used(token)
                request.api_token = token  # type: ignore[attr-defined]
                request.user = token.user
                if keeps:
                    return once(request, token, lambda: run(request, **kwargs), how=keeps)
                return run(request, **kwargs)
            except Exception as exc:
                response = problems.of(exc)
                if response is None:
                    raise
                return response

        return guard

    return decorate


def actor(request: HttpRequest) -> Actor:
    return Actor.token(request.api_token)  # type: ignore[attr-defined]


def find_run(request: HttpRequest, pk: int, role: Role = Role.VIEWER) -> Run:
    """The run, if the person may see it (else 404) and has the role in it (else 403)."""
    run = visible_runs(_person(request)).select_related("created_by").filter(pk=pk).first()
    if run is None:
        raise Refused(404, "There is no such run, or it is not yours to see.")
    require_role(request, role, run)
    return run


def find_row(
    request: HttpRequest,
    rows: QuerySet[Row],
    pk: int,
    what: str,
    role: Role = Role.VIEWER,
    *,
    run: str = "run",
) -> Row:
    """The row, if the person may see its run (else 404) and has the role there (else 403).

    what: what it is called; run: the way from the row to its run, as in a filter.
    """
    row = rows.filter(**{f"{run}__in": visible_runs(_person(request))}, pk=pk).first()
    if row is None:
        raise Refused(404, f"There is no such {what}, or it is not yours to see.")
    require_role(request, role, attrgetter(run.replace("__", "."))(row))
    return row


def require_role(request: HttpRequest, role: Role, run: Run | None = None) -> None:
    """Scope and role are both needed: a token never may more than its person."""
    if may(_person(request), role, run):
        return
    where = "here"
    if run is not None and (found := role_in(_person(request), run)):
        where = f"in this run, and you are {found.label}"
    raise Refused(403, f"This takes the role “{role.label}” {where}.", code="role")


def _person(request: HttpRequest) -> Any:
    return request.user


def _token_of(request: HttpRequest) -> ApiToken:
    kind, _, words = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise Refused(
            401,
            "Show a token: “Authorization: Bearer ioa_…”. You make one under “API tokens”.",
            code="no_token",
            headers={"WWW-Authenticate": "Bearer"},
        )
    token = tokens.find(words.strip())
    if token is None:
        raise Refused(
            401,
            "This token opens nothing: it is unknown, revoked or expired, or its account closed.",
            code="bad_token",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return token


def _require_scope(token: ApiToken, scope: str) -> None:
    if scope and scope not in token.scopes:
        raise Refused(
            403,
            f"This takes a token with the scope “{scope}”; this one has "
            f"{', '.join(token.scopes) or 'none'}.",
            code="scope",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )


def _require_patience(token: ApiToken) -> None:
    """So many requests of a token a minute, counted by each server process on its own."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    name = f"api:{token.prefix}:{window}"
    cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
    try:
        n = cache.incr(name)
    except ValueError:  # fell out of the cache just now
        return
    if n > settings.IOA_API_REQUESTS:
        wait = max(1, int((window + 1) * WINDOW_SECONDS - now) + 1)
        raise Refused(
            429,
            f"A token may ask {settings.IOA_API_REQUESTS} times a minute. "
            f"Try again in {wait} seconds.",
            headers={"Retry-After": str(wait)},
        )
