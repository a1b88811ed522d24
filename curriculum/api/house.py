"""Who asks, and what holds for all runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router

from curriculum.access import Role, may
from curriculum.api.operations import get
from curriculum.api.schemas import MeOut, PoliciesOut
from curriculum.services.audit import name_of
from curriculum.states import Autonomy

router = Router(tags=["house"])


@get(router, "/me", scope="", returns=MeOut)
def me(request: HttpRequest) -> dict[str, Any]:
    """Whose token this is, and what it may."""
    token = request.api_token  # type: ignore[attr-defined]
    role = next((role for role in reversed(Role) if may(token.user, role, None)), None)
    return {
        "username": token.user.get_username(),
        "name": name_of(token.user),
        "role": role.label if role else None,
        "token": token,
    }


@get(router, "/policies", scope="read", returns=PoliciesOut)
def list_policies(request: HttpRequest) -> dict[str, Any]:
    """What a run's autonomy may be, and what each lets policy decide."""
    return {
        "autonomy": [{"name": name, "says": says} for name, says in Autonomy.choices],
        "reject_reasons": settings.IOA_REJECT_REASONS,
    }
