from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from curriculum.states import ActorKind


class AuditEntry(models.Model):
    """Who did what, when, on what evidence. Append-only; chained by hash, one chain a run, and one
    of the house for what belongs to no run.
    """

    run = models.ForeignKey(
        "curriculum.Run", models.PROTECT, null=True, blank=True, related_name="audit"
    )  # none: the chain of the house
    sequence = models.PositiveIntegerField()  # 1, 2, 3 … within its chain
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    actor_name = models.CharField(max_length=150)  # copied: the log survives renames
    action = models.CharField(max_length=40)  # e.g. stage.mastered; curriculum.services.audit
    subject = models.CharField(max_length=60)  # model:pk, e.g. stage:12
    subject_name = models.CharField(max_length=240)
    was = models.JSONField(default=dict, blank=True)
    became = models.JSONField(default=dict, blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    note = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True, default="")  # of what asked for it
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    # Of a run that came as an archive: the numbers that the hash was made with.
    origin_run = models.PositiveBigIntegerField(null=True, blank=True)
    origin_actor = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["run", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["run", "sequence"], name="audit_sequence_unique"),
            # A second one, as a column may be null: SQLite has no NULLS NOT DISTINCT.
            models.UniqueConstraint(
                fields=["sequence"], condition=Q(run=None), name="audit_sequence_unique_of_house"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}. {self.action}"


class House(models.Model):
    """Where the chain of the house ends, as a run says it of its own. One row, made when needed."""

    audit_sequence = models.PositiveIntegerField(default=0)  # of the last entry
    audit_head = models.CharField(max_length=64, blank=True)  # its hash

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="house_is_one")]

    def __str__(self) -> str:
        return "the house"
