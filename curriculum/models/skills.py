from __future__ import annotations

import hashlib
import json

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from curriculum.states import SkillStatus


class Skill(models.Model):
    """One unit of knowledge in a run, with what the last diagnosis said about it."""

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="skills")
    key = models.CharField(max_length=40)  # the domain's id, e.g. A3
    title = models.CharField(max_length=160)
    statement = models.TextField(blank=True)
    area = models.CharField(max_length=80, blank=True)
    level = models.PositiveSmallIntegerField(default=1)
    is_transfer = models.BooleanField(default=False)  # measured in the report, never trained
    examples = models.JSONField(default=list, blank=True)  # [{question, solution}], see `Example`
    status = models.CharField(max_length=8, choices=SkillStatus, default=SkillStatus.ACTIVE)

    is_deficient = models.BooleanField(null=True, blank=True)  # null: not diagnosed yet
    is_teachable = models.BooleanField(null=True, blank=True)
    gap = models.FloatField(null=True, blank=True)  # Eq. 2; null where not teachable
    gap_low = models.FloatField(null=True, blank=True)
    gap_high = models.FloatField(null=True, blank=True)
    severity = models.FloatField(null=True, blank=True)  # Eq. 4

    class Meta:
        ordering = ["run", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "key"], name="skill_key_unique"),
            models.CheckConstraint(
                condition=Q(status__in=SkillStatus.values), name="skill_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.title}"

    @property
    def digest(self) -> str:
        """Of the words that say what is taught: other words, another."""
        return hashlib.sha256(f"{self.title}\n{self.statement}".encode()).hexdigest()[:16]

    @property
    def examples_digest(self) -> str:
        """Of the examples alone: others, another."""
        return hashlib.sha256(json.dumps(self.examples).encode()).hexdigest()[:16]


class Prerequisite(models.Model):
    """`target` builds on `source`."""

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="prerequisites")
    source = models.ForeignKey(Skill, models.CASCADE, related_name="successors")
    target = models.ForeignKey(Skill, models.CASCADE, related_name="prerequisites")
    is_active = models.BooleanField(default=True)  # a refused edge stays on record

    class Meta:
        ordering = ["run", "source", "target"]
        constraints = [
            models.UniqueConstraint(fields=["source", "target"], name="prerequisite_unique"),
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="prerequisite_not_of_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source.key} → {self.target.key}"


class Evidence(models.Model):
    """One thing known about an edge, and from where."""

    KINDS = [
        ("declared", "declared"),
        ("observed", "observed"),
        ("tested", "tested"),
        ("confirmed", "confirmed"),
        ("refused", "refused"),
    ]

    prerequisite = models.ForeignKey(Prerequisite, models.CASCADE, related_name="evidence")
    kind = models.CharField(max_length=10, choices=KINDS)
    strength = models.FloatField(null=True, blank=True)  # 0..1
    n = models.PositiveIntegerField(default=0)  # observations behind it
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["prerequisite", "pk"]

    def __str__(self) -> str:
        return f"{self.prerequisite}: {self.kind}"
