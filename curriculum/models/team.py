"""How several people share the review of one round. Only `curriculum.services` writes these."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from curriculum.models.items import Review
from curriculum.states import ActorKind, RunStatus, StageStatus, Verdict


class ItemLock(models.Model):
    """Who looks at an item. Soft: it tells others, and keeps nobody from a verdict."""

    item = models.OneToOneField("curriculum.Item", models.CASCADE, related_name="lock")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    since = models.DateTimeField()
    renewed_at = models.DateTimeField()  # by the page, while it is open; old ones count no more

    class Meta:
        ordering = ["item"]

    def __str__(self) -> str:
        return f"{self.person} at item {self.item_id}"


class Assignments(models.QuerySet["Assignment"]):
    def owed(self) -> Self:
        """Those whose reviewer has given no opinion on the version that is."""
        said = Opinion.objects.filter(
            item=OuterRef("item"), reviewer=OuterRef("reviewer"), version=OuterRef("item__version")
        )
        return self.filter(~Exists(said))


class Assignment(models.Model):
    """An item that a person is to review. With two or more people it takes their opinions."""

    item = models.ForeignKey("curriculum.Item", models.CASCADE, related_name="assignments")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="assignments"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Assignments.as_manager()

    class Meta:
        ordering = ["item", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["item", "reviewer"], name="assignment_unique")
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} for {self.reviewer}"


class Opinion(models.Model):
    """What one of several reviewers says of one version; hidden from others until all are in."""

    item = models.ForeignKey("curriculum.Item", models.CASCADE, related_name="opinions")
    version = models.PositiveSmallIntegerField()
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["item", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "version", "reviewer"], name="opinion_once_a_version"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=[Verdict.APPROVED, Verdict.REJECTED]),
                name="opinion_verdict_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.verdict}"


def hidden(opinions: QuerySet[Opinion]) -> QuerySet[Opinion]:
    """Those on items in review that wait for what others say: nobody may know them yet."""
    return opinions.filter(_waits_for_others())


def told(opinions: QuerySet[Opinion]) -> QuerySet[Opinion]:
    return opinions.filter(~_waits_for_others())


def refused_by_people() -> Q:
    """Of items: those that a person rejected as they are now, alone or in an opinion. Where all
    opinions agreed, the verdict itself is policy's.
    """
    said = {"item": OuterRef("pk"), "version": OuterRef("version"), "verdict": Verdict.REJECTED}
    alone = Review.objects.filter(reviewed_as=ActorKind.PERSON, **said)
    return Q(verdict=Verdict.REJECTED) & (
        Q(Exists(alone)) | Q(Exists(Opinion.objects.filter(**said)))
    )


def _waits_for_others() -> Exists:
    silent = Assignment.objects.owed().filter(
        item=OuterRef("item"),
        item__round=F("item__stage__round"),
        item__stage__status=StageStatus.REVIEWING,
        item__stage__run__status=RunStatus.TEACHING,
    )
    return Exists(silent)


class Guideline(models.Model):
    """How items of a run are to be judged: one version of the words, the last one counts."""

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="guidelines")
    version = models.PositiveSmallIntegerField()
    text = models.TextField()  # plain: shown as it is typed
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["run", "version"], name="guideline_version_unique")
        ]

    def __str__(self) -> str:
        return f"version {self.version} of the guidelines"


class Sample(models.Model):
    """Items drawn at random, once a round, to show how many of the others may be bad.

    `items` and `others` are [pk, version] pairs as they were when drawn; the hash is of both.
    """

    stage = models.ForeignKey("curriculum.Stage", models.CASCADE, related_name="samples")
    round = models.PositiveSmallIntegerField()
    seed = models.CharField(max_length=80)
    tolerance = models.FloatField()  # largest share of bad others, stated before the draw
    confidence = models.FloatField(default=0.95)
    items = models.JSONField()
    others = models.JSONField()
    content_hash = models.CharField(max_length=64)
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    drawn_at = models.DateTimeField(auto_now_add=True)
    approved_at = models.DateTimeField(null=True, blank=True)  # the others, on its evidence

    class Meta:
        ordering = ["stage", "round"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "round"], name="sample_once_a_round"),
            models.CheckConstraint(
                condition=Q(tolerance__gt=0, tolerance__lt=1), name="sample_tolerance_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"sample of {len(self.items)}, {self.content_hash[:12]}"
