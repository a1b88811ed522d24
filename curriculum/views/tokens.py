"""A person's API tokens: to make, to look at, to revoke. See docs/api.md."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from curriculum.access import Role, may
from curriculum.errors import CurriculumError
from curriculum.htmx import answer, show
from curriculum.models import ApiToken
from curriculum.services import tokens
from curriculum.services.tokens import MOST_DAYS, SCOPES
from curriculum.views.common import attempt, first_error, person

PAGE = "curriculum/tokens.html"
PART = "curriculum/partials/_tokens.html"


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        help_text="What uses it, e.g. “nightly export”. The audit log says it beside your name.",
        error_messages={"required": "Give the token a name: the log says it beside yours."},
    )
    scopes = forms.MultipleChoiceField(
        choices=[(name, f"{name}: {says}") for name, says in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one scope: without any, it opens nothing."},
    )
    days = forms.IntegerField(
        label="Ends after (days)",
        min_value=1,
        max_value=MOST_DAYS,
        initial=90,
        help_text=f"1 to {MOST_DAYS}.",
    )


@require_GET
@login_required
def token_list(request: HttpRequest) -> HttpResponse:
    return show(request, PAGE, PART, _context(request))


@require_POST
@login_required
@never_cache
def token_make(request: HttpRequest) -> HttpResponse:
    """The page with the token in it, this once. No redirect: it would have to be kept for it."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _refused(request, form, first_error(form))
    user: Any = request.user
    try:
        token, words = tokens.make(user, actor=person(request), **form.cleaned_data)
    except CurriculumError as exc:
        return _refused(request, form, str(exc))
    return show(request, PAGE, PART, {**_context(request), "made": token, "words": words})


@require_POST
@login_required
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """One's own; an administrator anybody's."""
    token = get_object_or_404(ApiToken.objects.select_related("user"), pk=pk)
    if token.user_id != request.user.pk and not may(request.user, Role.ADMIN, None):
        raise PermissionDenied
    notice, status = attempt(
        lambda: tokens.revoke(token, actor=person(request)),
        f"Revoked: {token}. It opens nothing from now on.",
    )
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request),
        then=reverse("curriculum:token-list"),
        notice=notice,
        status=status,
    )


def _refused(request: HttpRequest, form: TokenForm, notice: str) -> HttpResponse:
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, form),
        then=reverse("curriculum:token-list"),
        notice=notice,
        status=422,
    )


def _context(request: HttpRequest, form: TokenForm | None = None) -> dict[str, Any]:
    user: Any = request.user
    return {
        "form": form or TokenForm(initial={"scopes": ["read"]}),
        "tokens": user.api_tokens.order_by("revoked_at", "-pk"),
    }
