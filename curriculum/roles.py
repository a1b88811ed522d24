"""Who may do what: four groups, made after every migration and safe to make again.

The groups' permissions are added, never taken away: what an administrator gave stays.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

VIEWER, REVIEWER, APPROVER, ADMIN = "viewer", "reviewer", "approver", "admin"

_SEE = Q(content_type__app_label="curriculum", codename__startswith="view_")
_REVIEW = Q(codename__in=["review_run", "add_run"])
_APPROVE = Q(codename="approve_run")
_PEOPLE = Q(content_type__app_label="auth", content_type__model__in=["user", "group"])
PERMISSIONS: dict[str, Q] = {
    VIEWER: _SEE,
    REVIEWER: _SEE | _REVIEW,
    APPROVER: _SEE | _REVIEW | _APPROVE,
    ADMIN: _SEE | _REVIEW | _APPROVE | _PEOPLE,
}


def make_groups(sender: AppConfig, using: str = "default", **kwargs: Any) -> None:
    # Permissions come from another post_migrate handler, which may not have run yet.
    create_permissions(sender, using=using, verbosity=0)
    known = Permission.objects.using(using)
    for name, wanted in PERMISSIONS.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(*known.filter(wanted))
