from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Length

from curriculum.models.checkpoints import Checkpoint
from curriculum.states import ActorKind, Verdict

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PERSON, IMPORTED = "person", "import"  # origins of items that people wrote, or brought in


def spaced(words: Iterable[str]) -> str:
    """["leak", "answer"] -> " answer leak ": a list in a column that any database can search
    for " leak ".
    """
    found = " ".join(sorted(words))
    return f" {found} " if found else ""


def marks_of(checks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What an item's checks mean for its row: the columns that are searched by."""
    failed = [check["id"] for check in checks if not check["passed"]]
    return {"failed": spaced(failed), "is_flagged": bool(failed), "is_leak": "leak" in failed}


class Item(models.Model):
    """One synthesised training example: a user turn and an assistant turn."""

    stage = models.ForeignKey("curriculum.Stage", models.CASCADE, related_name="items")
    round = models.PositiveSmallIntegerField()
    skill = models.ForeignKey("curriculum.Skill", models.CASCADE, related_name="items")
    key = models.CharField(max_length=120)
    question = models.TextField()
    solution = models.TextField()  # what the assistant is trained to say
    answer = models.TextField()  # the bare reference
    operations = models.JSONField(default=list)  # decompose, limit_load, …
    aims = models.JSONField(default=list, blank=True)  # kinds of error it was chosen for
    said = models.TextField(blank=True, default="")  # the student's wrong answer to this question
    level = models.PositiveSmallIntegerField(default=1)
    origin = models.CharField(max_length=80)  # procedural, a teacher's name, person or import
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )  # who wrote it or brought it in; none where a program or a model wrote it
    checks = models.JSONField(default=list)  # [{id, version, passed, detail}]
    is_flagged = models.BooleanField(default=False)  # a check failed
    failed = models.CharField(max_length=200, blank=True, default="")  # check ids: `marks_of`
    is_leak = models.BooleanField(default=False)  # never trainable, no override
    call = models.ForeignKey(
        "curriculum.TeacherCall", models.SET_NULL, null=True, blank=True, related_name="items"
    )  # the request that it came of; none where a program or a person wrote it
    created_at = models.DateTimeField(auto_now_add=True)

    version = models.PositiveSmallIntegerField(default=1)  # one more at each edit
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, default="")

    class Meta:
        ordering = ["stage", "round", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "round", "key"], name="item_key_unique"),
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="item_verdict_known"
            ),
            models.CheckConstraint(
                condition=~Q(is_leak=True, verdict="approved"), name="item_leak_never_approved"
            ),
        ]
        indexes = [
            # the queue in the order written, and its counts, without touching the words
            models.Index(fields=["stage", "round", "verdict", "id"], name="item_queue"),
            models.Index(
                fields=["stage", "round", "verdict", "is_flagged", "is_leak"], name="item_counts"
            ),
            models.Index(
                "stage",
                "round",
                "verdict",
                Length("question") + Length("solution"),
                "id",
                name="item_by_size",
            ),
        ]

    def __str__(self) -> str:
        return self.question[:80]


class Revision(models.Model):
    """The words of one version of an item, kept when a person changed them."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="revisions")
    version = models.PositiveSmallIntegerField()
    question = models.TextField()
    solution = models.TextField()
    answer = models.TextField(blank=True, default="")  # see `had_answer`
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    action = models.ForeignKey(
        "curriculum.ReviewAction", models.RESTRICT, null=True, blank=True, related_name="revisions"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["item", "version"]
        constraints = [
            models.UniqueConstraint(fields=["item", "version"], name="revision_version_unique")
        ]

    def __str__(self) -> str:
        return f"version {self.version} of item {self.item_id}"

    @property
    def had_answer(self) -> str:
        """Older archives kept none: then no version had another than the item."""
        return self.answer or self.item.answer


class Reviews(models.QuerySet["Review"]):
    def standing(self) -> Self:
        """The last word on each item: those after which none came."""
        later = Review.objects.filter(item=OuterRef("item"), pk__gt=OuterRef("pk"))
        return self.filter(~Exists(later))


class Review(models.Model):
    """One verdict on one version of an item, by a person or by policy."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="reviews")
    version = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)
    reason = models.TextField(blank=True)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    reviewed_as = models.CharField(max_length=8, choices=ActorKind, default=ActorKind.PERSON)
    action = models.ForeignKey(
        "curriculum.ReviewAction", models.RESTRICT, null=True, blank=True, related_name="reviews"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Reviews.as_manager()

    class Meta:
        ordering = ["item", "pk"]

    def __str__(self) -> str:
        return f"{self.verdict or 'undone'} of item {self.item_id}"

    @property
    def person(self) -> User | None:
        """Who gave it; nobody where policy did, whoever may have signed under that."""
        return self.reviewer if self.reviewed_as == ActorKind.PERSON else None


class Snapshots(models.QuerySet["Snapshot"]):
    def spent(self) -> Self:
        """Those that count against a budget: trained on, or to be in their stage's round of now.
        What was frozen and rolled back before its training had ended does not.
        """
        trained = Checkpoint.objects.filter(snapshot=OuterRef("pk"))
        return self.filter(Q(Exists(trained)) | Q(round=F("stage__round")))

    def n_items(self) -> int:
        return self.aggregate(n=Sum("n_items"))["n"] or 0


class Snapshot(models.Model):
    """A frozen, hashed set of item versions: what one training saw, in its order."""

    stage = models.ForeignKey("curriculum.Stage", models.CASCADE, related_name="snapshots")
    round = models.PositiveSmallIntegerField()
    content_hash = models.CharField(max_length=64)
    n_items = models.PositiveIntegerField()
    n_rehearsal = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Snapshots.as_manager()

    class Meta:
        ordering = ["stage", "round"]
        constraints = [
            models.UniqueConstraint(fields=["stage", "round"], name="snapshot_once_per_round")
        ]

    def __str__(self) -> str:
        return f"{self.n_items} items, {self.content_hash[:12]}"


class SnapshotItem(models.Model):
    snapshot = models.ForeignKey(Snapshot, models.CASCADE, related_name="entries")
    item = models.ForeignKey(Item, models.PROTECT, related_name="+")
    version = models.PositiveSmallIntegerField()
    position = models.PositiveIntegerField()
    is_rehearsal = models.BooleanField(default=False)

    class Meta:
        ordering = ["snapshot", "position"]
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "position"], name="snapshot_position")
        ]

    def __str__(self) -> str:
        return f"{self.position}: item {self.item_id} v{self.version}"
