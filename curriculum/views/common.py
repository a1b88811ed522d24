"""What all views share: who may, what is loaded, how a service's answer becomes words.

Every view stands behind one of the guards below: `anybody` who is signed in, or who has a role.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, render
from django.utils.functional import SimpleLazyObject
from django.views.defaults import permission_denied

from curriculum import access
from curriculum.access import Role
from curriculum.errors import CurriculumError
from curriculum.models import Run, Stage
from curriculum.services.audit import Actor, name_of
from curriculum.views import reads

View = Callable[..., Any]
# An address begins with what it is about, and its `pk` is a row of that: how a run is found by it.
RUN_OF = {
    "runs": "pk",
    "skills": "skills",
    "edges": "prerequisites",
    "stages": "stages",
    "items": "stages__items",
    "samples": "stages__samples",
    "gates": "stages__gates",
    "checkpoints": "checkpoints",
    "jobs": "jobs",
    "members": "memberships",
    "invitations": "invitations",
}
NAMED = 3  # of who can help
MOST_PK = 2**63 - 1  # a larger one is in no column, and asking SQLite for it is an error


def _guard(role: Role) -> Callable[[View], View]:
    """Lets through who has the role, or a higher one: in the run that the address is about, or in
    the installation where it is about none. To the others: the login page; 404 where they do not
    see the run, as if there were none; 403 with a sentence where their role is too low.
    """

    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            run, has = _where(request)
            if has is None or has < role:
                raise PermissionDenied(_too_low(run, has, role))
            request.role = has  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        guarded.needs = role  # type: ignore[attr-defined]
        return guarded

    return guard


def _where(request: HttpRequest) -> tuple[Run | None, Role | None]:
    """The run that the address is about, if any, and the person's role there."""
    match = request.resolver_match
    assert match is not None
    _require_possible(match.kwargs)
    if "pk" not in match.kwargs:
        return None, access.house_role(request.user)
    path = RUN_OF[match.route.split("/")[0]]
    runs = Run.objects.filter(**{path: match.kwargs["pk"]})
    run = access.with_roles(request.user, runs).first()
    if run is None:
        raise Http404
    return run, access.known_role(request.user, run)


def _require_possible(numbers: Mapping[str, Any]) -> None:
    """404 for a number that no row can have."""
    if numbers.get("pk", 0) > MOST_PK:
        raise Http404


viewer = _guard(Role.VIEWER)
reviewer = _guard(Role.REVIEWER)
approver = _guard(Role.APPROVER)
admin = _guard(Role.ADMIN)


def anybody(view: View) -> View:
    """Lets through who is signed in. For what shows people their own, and no run that they do not
    see.
    """

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        _require_possible(kwargs)
        request.role = access.house_role(request.user)  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    guarded.needs = None  # type: ignore[attr-defined]
    return guarded


def _too_low(run: Run | None, has: Role | None, needed: Role) -> str:
    """Why not, and who can help."""
    where = "in this run" if run is not None else "in this installation"
    is_now = f"you are {a(has)}" if has is not None else "you have no role"
    helpers = list(access.people(run, Role.ADMIN)[: NAMED + 1])
    named = ", ".join(name_of(user) for user in helpers[:NAMED])
    more = " and others" if len(helpers) > NAMED else ""
    who = f"{named}{more} can give you another role" if named else "Ask an administrator"
    return f"This needs {a(needed)}; {where} {is_now}. {who}."


def a(role: Role) -> str:
    """“a viewer”, “an approver”."""
    return f"an {role.label}" if role.label[0] in "aeiou" else f"a {role.label}"


OLD_PAGE = (
    "You signed in or out since this page was opened, so that it cannot be known to be yours. "
    "Nothing was changed. Reload the page and try again."
)


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page of a 403; for htmx, which does not swap it in, the sentence alone."""
    if request.headers.get("HX-Request") and str(exception):
        return HttpResponseForbidden(str(exception), content_type="text/plain; charset=utf-8")
    return permission_denied(request, exception)


def token_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page's token is of another session, as after signing in again in another tab."""
    if request.headers.get("HX-Request"):
        return refused(request, PermissionDenied(OLD_PAGE))
    context = {"exception": OLD_PAGE, "is_old_page": True}
    return render(request, "403.html", context, status=403)


def roles(request: HttpRequest) -> dict[str, Any]:
    """`perms` of a page behind a guard: what the person may do in its run, not elsewhere."""
    if not hasattr(request, "role"):
        return {}
    has = request.role or 0
    allowed = {
        "review_run": has >= Role.REVIEWER,
        "approve_run": has >= Role.APPROVER,
        "admin_run": has >= Role.ADMIN,
    }
    is_admin = access.may(request.user, Role.ADMIN, None)
    return {"perms": {"curriculum": allowed, "auth": {"view_user": is_admin}}, "role": request.role}


def top_bar(request: HttpRequest) -> dict[str, Any]:
    """`bar` of every page, see `reads.bar`: counted where the page has one, and not before."""
    return {"bar": SimpleLazyObject(lambda: reads.bar(request.user))}


def person(request: HttpRequest) -> Actor:
    return Actor.person(request.user)  # type: ignore[arg-type]


def attempt(act: Callable[[], object], done: str) -> tuple[str, int]:
    """Call a service; say `done`, or what it refused and with which status."""
    try:
        act()
    except CurriculumError as exc:
        return str(exc), exc.http_status
    return done, 200


def find_run(pk: int) -> Run:
    return get_object_or_404(Run.objects.select_related("created_by"), pk=pk)


def find_stage(pk: int) -> Stage:
    return get_object_or_404(Stage.objects.select_related("run"), pk=pk)


def first_error(form: object) -> str:
    """The first thing a form objects to, for a notice; the fields say the rest."""
    errors = form.errors  # type: ignore[attr-defined]
    return next((str(message) for messages in errors.values() for message in messages), "")
