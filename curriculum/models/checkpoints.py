from __future__ import annotations

from django.db import models
from django.db.models import Q


class Checkpoint(models.Model):
    """A student: base model plus adapter. The one without a parent is the base itself."""

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="checkpoints")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )
    stage = models.ForeignKey(
        "curriculum.Stage", models.PROTECT, null=True, blank=True, related_name="checkpoints"
    )
    round = models.PositiveSmallIntegerField(default=0)
    snapshot = models.ForeignKey(
        "curriculum.Snapshot", models.PROTECT, null=True, blank=True, related_name="checkpoints"
    )
    folder = models.CharField(max_length=400, blank=True)  # below IOA_HOME; empty: the base
    content_hash = models.CharField(max_length=64, blank=True)
    train_tokens = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    final_loss = models.FloatField(null=True, blank=True)
    made_with = models.JSONField(default=dict, blank=True)  # versions, commit, seed, settings
    is_current = models.BooleanField(default=False)  # what the next training starts from
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["run"], condition=Q(is_current=True), name="checkpoint_one_current"
            ),
            models.UniqueConstraint(
                fields=["run"], condition=Q(parent=None), name="checkpoint_one_base"
            ),
            models.UniqueConstraint(fields=["stage", "round"], name="checkpoint_once_per_round"),
        ]

    def __str__(self) -> str:
        if self.parent_id is None:
            return "base"
        return f"checkpoint {self.pk}"


class Score(models.Model):
    """Mean grade of a checkpoint, or the teacher (`checkpoint` null), on a skill and a split."""

    skill = models.ForeignKey("curriculum.Skill", models.CASCADE, related_name="scores")
    checkpoint = models.ForeignKey(
        Checkpoint, models.CASCADE, null=True, blank=True, related_name="scores"
    )
    split = models.CharField(max_length=8)
    n = models.PositiveIntegerField()
    mean = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    is_exhaustive = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["skill", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["skill", "checkpoint", "split"], name="score_once"),
            models.UniqueConstraint(
                fields=["skill", "split"],
                condition=Q(checkpoint=None),
                name="score_once_of_teacher",
            ),
            models.CheckConstraint(
                condition=Q(mean__gte=0) & Q(mean__lte=1), name="score_mean_is_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill.key} {self.split}: {self.mean:.0%}"
