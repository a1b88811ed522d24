"""Accounts and groups: what the admin's forms did to them, in the chain of the house."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

from curriculum.models import AuditEntry
from curriculum.services import audit
from curriculum.services.audit import Actor


def added(account: User | Group, *, actor: Actor) -> AuditEntry:
    became = _rights(account)
    return audit.write_house(actor=actor, action="account.added", subject=account, became=became)


def changed(account: User | Group, *, actor: Actor, fields: list[str]) -> AuditEntry:
    """fields: the names of what was changed, as the form calls them; never what is in them, as
    one of them is the password.
    """
    return audit.write_house(
        actor=actor,
        action="account.changed",
        subject=account,
        became=_rights(account),
        evidence={"fields": fields},
    )


def deleted(account: User | Group, *, actor: Actor) -> AuditEntry:
    was = _rights(account)
    return audit.write_house(actor=actor, action="account.deleted", subject=account, was=was)


def _rights(account: User | Group) -> dict[str, Any]:
    """What the account may do, or who is in the group."""
    if isinstance(account, Group):
        permissions = account.permissions.order_by("codename")
        return {"permissions": list(permissions.values_list("codename", flat=True))}
    return {
        "groups": list(account.groups.order_by("name").values_list("name", flat=True)),
        "is_active": account.is_active,
        "is_staff": account.is_staff,
        "is_superuser": account.is_superuser,
    }
