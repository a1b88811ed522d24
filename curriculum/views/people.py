"""Who belongs to a run: the page, and what its admins do there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import access
from curriculum.access import Role
from curriculum.htmx import answer, show
from curriculum.models import Invitation, Membership, Run
from curriculum.people_forms import (
    ClosedForm,
    InvitationForm,
    MemberForm,
    SeenRoleForm,
)
from curriculum.services import invitations, membership
from curriculum.services.audit import name_of
from curriculum.views.common import a, admin, attempt, find_run, first_error, person, viewer

PAGE = "curriculum/people.html"
PART = "curriculum/partials/_people.html"


@require_GET
@viewer
def run_people(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, PAGE, PART, _context(request, find_run(pk)))


def _context(request: HttpRequest, run: Run, **forms: Any) -> dict[str, Any]:
    role = access.role_in(request.user, run)
    is_admin = role is Role.ADMIN
    members = list(run.memberships.select_related("user").order_by("-role", "pk"))
    mine = {member.user_id for member in members}
    others = access.people(run, Role.VIEWER).exclude(pk__in=mine)
    return {
        "run": run,
        "members": members,
        "n_others": 0 if run.is_closed else others.count(),
        "administrators": access.people(None, Role.ADMIN).exclude(pk__in=mine),
        "your_role": a(role) if role else "no member",
        "is_admin": is_admin,
        "roles": Role.choices,
        "pending": invitations.pending(run) if is_admin else [],
        "add": MemberForm(),
        "invite": InvitationForm(),
        "tab": "people",
        **forms,
    }


@require_POST
@admin
def member_add(request: HttpRequest, pk: int) -> HttpResponse:
    run, form = find_run(pk), MemberForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: membership.add(run, actor=person(request), **said),
            f"Added: {name_of(said['user'])} as {said['role'].label}.",
        )
    return _answer(request, run, notice, status, add=form)


@require_POST
@admin
def member_change(request: HttpRequest, pk: int) -> HttpResponse:
    member, form = _find(Membership, pk), SeenRoleForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        member.role = form.cleaned_data["seen"]
        role, name = form.cleaned_data["role"], name_of(member.user)
        notice, status = attempt(
            lambda: membership.change(member, actor=person(request), role=role),
            f"Changed: {name} is {role.label} in this run.",
        )
    return _answer(request, member.run, notice, status)


@require_POST
@admin
def member_remove(request: HttpRequest, pk: int) -> HttpResponse:
    member = _find(Membership, pk)
    notice, status = attempt(
        lambda: membership.remove(member, actor=person(request)),
        f"Removed: {name_of(member.user)}. What they did here stays on record.",
    )
    return _answer(request, member.run, notice, status)


@require_POST
@admin
def run_closed(request: HttpRequest, pk: int) -> HttpResponse:
    run, form = find_run(pk), ClosedForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        closed = form.cleaned_data["closed"]
        notice, status = attempt(
            lambda: membership.set_closed(run, actor=person(request), closed=closed),
            "Closed: only members see this run from now on."
            if closed
            else "Opened: everybody with a role in this installation sees this run.",
        )
    return _answer(request, run, notice, status)


@require_POST
@admin
def run_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """The link is shown in a notice, once: in the answer, or on the page after the redirect."""
    run, form = find_run(pk), InvitationForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        done: list[tuple[Invitation, str]] = []
        said = form.cleaned_data
        notice, status = attempt(
            lambda: done.append(invitations.invite(run, actor=person(request), **said)), ""
        )
        if done:
            invitation, word = done[0]
            sent = invitations.send(invitation, word)
            how = "The link was sent to them." if sent else "Give them this link yourself."
            notice = f"Invited: {invitation}. {how} It is shown this once, and holds for a week."
            link = reverse("curriculum:invitation-join", args=[word])
            messages.info(request, request.build_absolute_uri(link), extra_tags="link")
    return _answer(request, run, notice, status, invite=form)


@require_POST
@admin
def invitation_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = _find(Invitation, pk)
    notice, status = attempt(
        lambda: invitations.withdraw(invitation, actor=person(request)),
        f"Withdrawn: the invitation of {invitation.email}. Its link does not hold any more.",
    )
    return _answer(request, invitation.run, notice, status)


def _find(model: Any, pk: int) -> Any:
    return get_object_or_404(model.objects.select_related("run"), pk=pk)


def _answer(request: HttpRequest, run: Run, notice: str, status: int, **forms: Any) -> HttpResponse:
    page = reverse("curriculum:run-people", args=[run.pk])
    is_left = access.role_in(request.user, find_run(run.pk)) is None  # removed by themselves
    build: Callable[[], dict[str, Any]] = lambda: _context(  # noqa: E731
        request, find_run(run.pk), **(forms if status >= 400 else {})
    )
    then = reverse("curriculum:run-list") if is_left else page
    return answer(request, PAGE, PART, build, then=then, notice=notice, status=status)
