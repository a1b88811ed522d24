"""What one press of a button did to the items of a round, so that it can be undone as one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from curriculum.states import ActionKind, ActorKind


class ReviewAction(models.Model):
    """One act of one person (or of policy) on one item or on many: its reviews, revisions and
    tags point to it. It stands until it is undone.
    """

    stage = models.ForeignKey("curriculum.Stage", models.CASCADE, related_name="actions")
    round = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=ActionKind)
    n = models.PositiveIntegerField()  # items
    where = models.TextField(blank=True)  # the filter, as in an address; empty for one item
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["stage", "round", "pk"]
        indexes = [
            models.Index(
                fields=["stage", "round", "actor", "-id"],
                condition=Q(undone_at=None),
                name="action_standing",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {'1 item' if self.n == 1 else f'{self.n:,} items'}"


class Tag(models.Model):
    """A free word on an item."""

    item = models.ForeignKey("curriculum.Item", models.CASCADE, related_name="tags")
    word = models.CharField(max_length=40)
    action = models.ForeignKey(
        ReviewAction, models.RESTRICT, null=True, blank=True, related_name="tags"
    )

    class Meta:
        ordering = ["item", "word"]
        constraints = [models.UniqueConstraint(fields=["item", "word"], name="tag_once_an_item")]

    def __str__(self) -> str:
        return self.word


class SavedFilter(models.Model):
    """A person's own name for a filter of a run's items. A preference: nothing of the run reads
    it, so it has no audit entry.
    """

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)

    class Meta:
        ordering = ["run", "person", "name"]
        constraints = [
            models.UniqueConstraint(fields=["run", "person", "name"], name="saved_filter_name")
        ]

    def __str__(self) -> str:
        return self.name
