"""What happens around a login: the page, too many tries, and who is seen. django-axes counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from curriculum.services import sign_ins
from ioa_web.addresses import address_of

PAGE = "registration/login.html"
PROVIDER = "main"  # the one that IOA_OIDC_… describes


def _elsewhere() -> dict[str, str]:
    """Where else people may sign in, for the page."""
    if not settings.IOA_OIDC:
        return {}
    url = reverse("openid_connect_login", args=[PROVIDER])
    return {"oidc_url": url, "oidc_name": settings.IOA_OIDC_NAME}


class Login(LoginView):
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, **_elsewhere())


def login_page(request: HttpRequest, told: Mapping[str, Any], *, status: int) -> HttpResponse:
    """The page again, with what went wrong: `says`, or `wait` in minutes."""
    context = {"form": AuthenticationForm(request), "next": "", **_elsewhere(), **told}
    return render(request, PAGE, context, status=status)


def too_many(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The login page, with how long to wait. The same whether there is such an account or not."""
    name = (credentials or {}).get("username", "")
    tries = AccessAttempt.objects.filter(username=name, ip_address=address_of(request))
    last = tries.aggregate(at=Max("attempt_time"))["at"] or timezone.now()
    seconds = (last + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()
    told = {
        "form": AuthenticationForm(request, initial={"username": name}),
        "wait": max(1, math.ceil(seconds / 60)),
        "next": request.POST.get("next", ""),
    }
    answer = login_page(request, told, status=429)
    answer["Retry-After"] = str(max(1, math.ceil(seconds)))
    return answer


def seen(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            sign_ins.seen(request)
        return get_response(request)

    return middleware
