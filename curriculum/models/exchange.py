from __future__ import annotations

from django.conf import settings
from django.db import models


class Imported(models.Model):
    """That a run came here as an archive, by whom. Its own log says nothing of it: it stays as
    it was written.
    """

    run = models.OneToOneField("curriculum.Run", models.CASCADE, related_name="imported")
    file_name = models.CharField(max_length=200)
    file_hash = models.CharField(max_length=64)  # SHA-256 of the archive
    head = models.CharField(max_length=64, unique=True)  # of its log: no run comes twice
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run"]

    def __str__(self) -> str:
        return self.file_name


class Origin(models.Model):
    """Which number a row of an imported run had where the run was made: the log names those."""

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="+")
    model = models.CharField(max_length=20)
    was = models.PositiveBigIntegerField()
    now = models.PositiveBigIntegerField()
    words = models.JSONField(default=dict, blank=True)  # of a person: what they were called

    class Meta:
        ordering = ["run", "model", "was"]
        constraints = [
            models.UniqueConstraint(fields=["run", "model", "was"], name="origin_was_unique"),
            models.UniqueConstraint(fields=["run", "model", "now"], name="origin_now_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.model}:{self.was}"
