"""What happens around a login: too many tries, and who is seen. django-axes counts the tries."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from curriculum.services import sign_ins
from ioa_web.addresses import address_of


def too_many(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The login page, with how long to wait. The same whether there is such an account or not."""
    name = (credentials or {}).get("username", "")
    tries = AccessAttempt.objects.filter(username=name, ip_address=address_of(request))
    last = tries.aggregate(at=Max("attempt_time"))["at"] or timezone.now()
    seconds = (last + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds()
    context = {
        "form": AuthenticationForm(request, initial={"username": name}),
        "wait": max(1, math.ceil(seconds / 60)),
        "next": request.POST.get("next", ""),
    }
    answer = render(request, "registration/login.html", context, status=429)
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
