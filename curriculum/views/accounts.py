"""What is a person's own: the invitation that brings them, and where they are signed in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curriculum import access
from curriculum.access import Role
from curriculum.errors import CurriculumError
from curriculum.htmx import answer, show
from curriculum.models import Invitation
from curriculum.people_forms import AccountForm
from curriculum.services import accounts, invitations, sign_ins
from curriculum.services.invitations import InvitationOver
from curriculum.views.common import a, anybody, person

JOIN = "curriculum/join.html"
SESSIONS = "curriculum/sessions.html"
SESSIONS_PART = "curriculum/partials/_sessions.html"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password1", "password2")
@never_cache
@require_http_methods(["GET", "POST"])
def invitation_join(request: HttpRequest, word: str) -> HttpResponse:
    """Where the link of an invitation leads: whoever is signed in joins by a press; others sign
    in and come back, or make an account. Says nothing of whether the address has one.
    """
    try:
        invitation = invitations.find(word)
    except InvitationOver as exc:
        return render(request, JOIN, {"says": str(exc)}, status=exc.http_status)
    if request.method == "GET":
        return _join(request, invitation, AccountForm())
    if request.user.is_authenticated:
        return _joined(request, invitation, request.user)
    form = AccountForm(request.POST, instance=User(email=invitation.email))
    if not form.is_valid():
        return _join(request, invitation, form, status=422)
    return _joined_as_new(request, invitation, form)


def _join(
    request: HttpRequest, invitation: Invitation, form: AccountForm, *, status: int = 200
) -> HttpResponse:
    context = {"invitation": invitation, "form": form, "here": request.path}
    return render(request, JOIN, context, status=status)


def _joined(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    try:
        invitations.accept(invitation, user=user)
    except CurriculumError as exc:  # somebody was faster with the same link
        return render(request, JOIN, {"says": str(exc)}, status=exc.http_status)
    role = access.role_in(user, invitation.run)  # a higher one than invited to, perhaps
    assert role is not None
    messages.success(request, f"You are {a(role)} in this run.")
    return redirect(invitation.run)


def _joined_as_new(request: HttpRequest, invitation: Invitation, form: AccountForm) -> HttpResponse:
    said = form.cleaned_data
    try:
        user = invitations.accept_as_new(
            invitation, username=said["username"], password=said["password1"]
        )
    except CurriculumError as exc:
        return render(request, JOIN, {"says": str(exc)}, status=exc.http_status)
    login(request, user, backend=BACKEND)
    messages.success(request, f"Welcome. You are {a(Role(invitation.role))} in this run.")
    return redirect(invitation.run)


@require_GET
@anybody
def session_list(request: HttpRequest) -> HttpResponse:
    return show(request, SESSIONS, SESSIONS_PART, _sessions(request))


def _sessions(request: HttpRequest) -> dict[str, Any]:
    here = request.session.session_key
    assert isinstance(request.user, User)
    rows = [(row, row.session_key == here) for row in sign_ins.of(request.user)]
    return {"rows": sorted(rows, key=lambda row: not row[1]), "n_others": len(rows) - 1}


@require_POST
@anybody
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    assert isinstance(request.user, User)
    n = sign_ins.end(request.user, pk=pk, but=request.session.session_key)
    if n:
        return _ended(request, "Ended: whoever used that session has to sign in again.", 200)
    return _ended(
        request,
        "That session has ended already, or is the one you are in: sign out to end it.",
        409,
    )


@require_POST
@anybody
def session_end_others(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    n = sign_ins.end_others(request.user, but=request.session.session_key)
    sessions = "1 other session" if n == 1 else f"{n} other sessions"
    return _ended(request, f"Ended: {sessions}.", 200)


def _ended(request: HttpRequest, notice: str, status: int) -> HttpResponse:
    then = reverse("curriculum:session-list")
    return answer(
        request,
        SESSIONS,
        SESSIONS_PART,
        lambda: _sessions(request),
        then=then,
        notice=notice,
        status=status,
    )


class PasswordChange(PasswordChangeView):
    """Goes into the log of the house, and ends the person's other sessions."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        user = form.user
        accounts.changed(user, actor=person(self.request), fields=["password"])
        sign_ins.end_others(user, but=self.request.session.session_key)
        return response
