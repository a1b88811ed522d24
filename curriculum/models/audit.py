from __future__ import annotations

from django.conf import settings
from django.db import models

from curriculum.states import ActorKind


class AuditEntry(models.Model):
    """Who did what, when, on what evidence. Append-only; chained by hash, per run."""

    run = models.ForeignKey("curriculum.Run", models.PROTECT, related_name="audit")
    sequence = models.PositiveIntegerField()  # 1, 2, 3 … within the run
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
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    # Of a run that came as an archive: the numbers that the hash was made with.
    origin_run = models.PositiveBigIntegerField(null=True, blank=True)
    origin_actor = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["run", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["run", "sequence"], name="audit_sequence_unique")
        ]

    def __str__(self) -> str:
        return f"{self.sequence}. {self.action}"
