from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from curriculum.states import Channel, NoticeStatus


class Notice(models.Model):
    """One message to one receiver: that a run waits for a person. The log stays the record.

    Only `curriculum.services.notices` writes it.
    """

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="messages")
    sequence = models.PositiveIntegerField()  # of the audit entry with which the wait began
    what = models.CharField(max_length=200)  # e.g. review the items of stage 1
    channel = models.CharField(max_length=8, choices=Channel)
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )  # of an e-mail; the address is read when it is sent
    created_at = models.DateTimeField(auto_now_add=True)

    status = models.CharField(max_length=8, choices=NoticeStatus, default=NoticeStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)  # a sentence for an administrator

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=NoticeStatus.values), name="notice_status_known"
            ),
            # Two, as a column may be null: SQLite has no NULLS NOT DISTINCT.
            models.UniqueConstraint(
                fields=["run", "sequence", "channel", "to"], name="notice_once_a_person"
            ),
            models.UniqueConstraint(
                fields=["run", "sequence", "channel"], condition=Q(to=None), name="notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.what}"

    @property
    def rq_id(self) -> str:
        return f"tell-{self.pk}-{self.attempts + 1}"
