"""How an operation is declared: its scope, and every status that it may answer with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from ninja import Path, Query, Router
from ninja.decorators import decorate_view

from curriculum.api.guard import Token, guarded
from curriculum.api.problems import Problem
from curriculum.api.replies import WITHIN

MOST_ID = 2**63 - 1
Id = Annotated[int, Path(ge=1, le=MOST_ID)]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str, Query(max_length=80, description="The `next` of the page before; empty: the first.")
]
ALWAYS = (401, 403, 422, 429)

Operation = Callable[..., Any]


def get(
    router: Router,
    path: str,
    *,
    scope: str,
    returns: Any,
    also: Iterable[int] = (),
    extra: dict[str, Any] | None = None,
) -> Callable[[Operation], Operation]:
    """A read. `also`: what else it may answer, e.g. 304."""
    return _operation(router, "GET", path, scope, {200: returns}, also, "", extra)


def post(
    router: Router,
    path: str,
    *,
    scope: str,
    returns: Any,
    status: int = 200,
    also: Iterable[int] = (),
    keeps: str = WITHIN,
) -> Callable[[Operation], Operation]:
    """A write that may be asked for again under the same Idempotency-Key."""
    refuses = (400, 409, 413, *also)
    return _operation(router, "POST", path, scope, {status: returns}, refuses, keeps, None)


def patch(
    router: Router, path: str, *, scope: str, returns: Any
) -> Callable[[Operation], Operation]:
    """A write to what the client has seen, which its If-Match says."""
    refuses = (400, 409, 412, 413, 428)
    return _operation(router, "PATCH", path, scope, {200: returns}, refuses, "", None)


def _operation(
    router: Router,
    method: str,
    path: str,
    scope: str,
    answers: dict[int, Any],
    refuses: Iterable[int],
    keeps: str,
    extra: dict[str, Any] | None,
) -> Callable[[Operation], Operation]:
    statuses = {*ALWAYS, *refuses} | ({404} if "{" in path else set())
    problems = {status: Problem for status in sorted(statuses) if status >= 400}
    bare = {status: None for status in sorted(statuses) if status < 400}

    def declare(view: Operation) -> Operation:
        guard = decorate_view(guarded(scope, keeps=keeps))
        says = f"Scope: `{scope}`." if scope else "Any token."
        declared = router.api_operation(
            [method],
            path,
            auth=Token(),
            response={**answers, **bare, **problems},
            operation_id=view.__name__,
            summary=(view.__doc__ or "").strip().split("\n")[0].rstrip("."),
            description=f"{_rest(view.__doc__)}{says}",
            openapi_extra={"x-scope": scope, "x-keyed": bool(keeps), **(extra or {})},
        )
        return declared(guard(view))

    return declare


def _rest(doc: str | None) -> str:
    _, _, rest = (doc or "").strip().partition("\n")
    words = " ".join(rest.split())
    return f"{words} " if words else ""
