"""The admin shows rows and changes none: every write goes through a service, with its entry.

Accounts and groups are Django's own to change; what was done to them goes into the house's chain.
"""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from curriculum import access, models
from curriculum.access import Role
from curriculum.services import accounts
from curriculum.services.audit import Actor


class ReadOnly(admin.ModelAdmin[Any]):
    """For administrators alone: rows of all runs are in it, also of those for their members."""

    exclude = ("secret_hash",)  # of API tokens: nobody needs to look at it

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access.may(request.user, Role.ADMIN, None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return access.may(request.user, Role.ADMIN, None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


LISTED: dict[type[Model], tuple[str, ...]] = {
    models.Run: ("name", "status", "autonomy", "teacher", "student", "created_at"),
    models.Skill: ("key", "title", "run", "status", "gap", "severity"),
    models.Prerequisite: ("__str__", "run", "is_active"),
    models.Stage: ("__str__", "run", "status", "round"),
    models.Item: ("__str__", "stage", "round", "skill", "verdict", "is_flagged", "version"),
    models.Review: ("item", "version", "verdict", "reviewed_as", "reviewer", "created_at"),
    models.Assignment: ("item", "reviewer", "created_at"),
    models.Guideline: ("run", "version", "author", "created_at"),
    models.Sample: ("stage", "round", "tolerance", "content_hash", "drawn_at", "approved_at"),
    models.ReviewAction: ("__str__", "stage", "round", "where", "actor", "created_at", "undone_at"),
    models.Snapshot: ("stage", "round", "n_items", "content_hash"),
    models.Checkpoint: ("__str__", "run", "stage", "round", "is_current"),
    models.GateRecord: ("__str__", "allows_advance", "decision", "decided_as", "decided_by"),
    models.Job: ("__str__", "run", "stage", "round", "attempt", "done", "total", "heartbeat_at"),
    models.Notice: ("__str__", "run", "to", "status", "attempts", "error", "created_at"),
    models.ApiToken: ("name", "user", "prefix", "scopes", "used_at", "expires_at", "revoked_at"),
    models.Membership: ("run", "user", "role", "since"),
    models.Invitation: ("run", "email", "role", "created_by", "expires_at", "accepted_at"),
    models.House: ("__str__", "audit_sequence", "audit_head"),
    models.AuditEntry: ("sequence", "run", "at", "action", "subject_name", "actor_name"),
}
RELATED = ("to", "run", "stage", "skill", "item", "actor", "user", "created_by")
for model, columns in LISTED.items():
    related = [name for name in RELATED if name in columns]
    options = {"list_display": columns, "list_select_related": related or False}
    admin.site.register(model, type(f"{model.__name__}Admin", (ReadOnly,), options))


class Recorded(admin.ModelAdmin[Any]):
    """Django calls these within the transaction of the write, for its own list of what was done."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        accounts.added(obj, actor=_who(request))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        said = message if isinstance(message, list) else []
        fields = [name for part in said for name in part.get("changed", {}).get("fields", [])]
        accounts.changed(obj, actor=_who(request), fields=fields or [str(message)])
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for account in queryset:
            accounts.deleted(account, actor=_who(request))
        return super().log_deletions(request, queryset)

    @transaction.atomic
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, extra_context)  # deletes what was ticked


def _who(request: HttpRequest) -> Actor:
    return Actor.person(request.user)  # type: ignore[arg-type]


for hidden in (EmailAddress, SocialAccount, SocialApp, SocialToken):  # nothing for people there
    if admin.site.is_registered(hidden):
        admin.site.unregister(hidden)

for account, ours in ((User, UserAdmin), (Group, GroupAdmin)):
    admin.site.unregister(account)
    admin.site.register(account, type(f"Recorded{ours.__name__}", (Recorded, ours), {}))
