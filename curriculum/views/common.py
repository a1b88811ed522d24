"""What all views share: who may, what is loaded, how a service's answer becomes words."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from curriculum.errors import CurriculumError
from curriculum.models import Run, Stage
from curriculum.services.audit import Actor

View = Callable[..., HttpResponse]


def reviewer(view: View) -> View:
    """Someone logged in who may review: else to the login page, or 403."""
    return login_required(permission_required("curriculum.review_run", raise_exception=True)(view))


def approver(view: View) -> View:
    """Someone logged in who may approve: else to the login page, or 403."""
    return login_required(permission_required("curriculum.approve_run", raise_exception=True)(view))


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
