from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from curriculum.states import SETTLED, ActorKind, SkillOutcome, StageStatus


class Stage(models.Model):
    """Skills that are taught together. Its rounds each write, review, train and assess.

    Only `curriculum.services.stages` writes `status` and `round`.
    """

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    is_bridge = models.BooleanField(default=False)  # the same skills with smaller instances first
    difficulty = models.FloatField(null=True, blank=True)  # mean d = 1 − r when planned

    status = models.CharField(max_length=12, choices=StageStatus, default=StageStatus.PLANNED)
    round = models.PositiveSmallIntegerField(default=0)  # 0 teaches, later ones remedy
    first_round = models.PositiveSmallIntegerField(default=0)  # since the last roll-back
    started_from = models.ForeignKey(
        "curriculum.Checkpoint", models.PROTECT, null=True, blank=True, related_name="+"
    )  # the student before this stage, for rolling back

    class Meta:
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="stage_position_unique"),
            models.CheckConstraint(
                condition=Q(status__in=StageStatus.values), name="stage_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"Stage {self.position}: {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("curriculum:stage-detail", args=[self.pk])

    @property
    def is_settled(self) -> bool:
        return self.status in SETTLED


class StageSkill(models.Model):
    """A skill's place in a stage, and how it stands there."""

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="stage_skills")
    skill = models.ForeignKey("curriculum.Skill", models.CASCADE, related_name="stage_skills")
    outcome = models.CharField(max_length=10, choices=SkillOutcome, blank=True, default="")

    class Meta:
        ordering = ["stage", "skill"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "skill"], name="stage_skill_unique")
        ]

    def __str__(self) -> str:
        return f"{self.skill.key} in {self.stage}"


class GateRecord(models.Model):
    """The evidence of one round, and the decision taken on it. One per stage and round.

    A stage that was rolled back starts over with the round after its last: rounds never
    repeat a number, so what was decided before stays on record beside what is decided then.
    """

    DECISIONS = [
        ("", "open"),
        ("advance", "advance"),
        ("remedy", "remedy"),
        ("waive", "waive"),
        ("roll_back", "roll back"),
    ]

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="gates")
    round = models.PositiveSmallIntegerField()
    checkpoint = models.ForeignKey("curriculum.Checkpoint", models.PROTECT, related_name="gates")
    evidence = models.JSONField()  # distill.records.GateEvidence as plain JSON
    allows_advance = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    decision = models.CharField(max_length=10, choices=DECISIONS, blank=True, default="")
    stands_on = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+"
    )  # the gate whose student goes on after a remedy or a waiver, where it is an earlier one
    reason = models.TextField(blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_as = models.CharField(max_length=8, choices=ActorKind, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["stage", "round"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "round"], name="gate_once_per_round")
        ]

    def __str__(self) -> str:
        return f"gate of {self.stage}, round {self.round}"
