"""The admin shows rows and changes none: every write goes through a service, with its entry."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from curriculum import models


class ReadOnly(admin.ModelAdmin[Any]):
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
    models.AuditEntry: ("sequence", "run", "at", "action", "subject_name", "actor_name"),
}
RELATED = ("to", "run", "stage", "skill", "item", "actor")
for model, columns in LISTED.items():
    related = [name for name in RELATED if name in columns]
    options = {"list_display": columns, "list_select_related": related or False}
    admin.site.register(model, type(f"{model.__name__}Admin", (ReadOnly,), options))
