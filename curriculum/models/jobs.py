from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from curriculum.states import JobKind, JobStatus


class Job(models.Model):
    """A piece of work. The row is the truth; RQ only carries its number.

    Only `curriculum.services.jobs` writes `status`.
    """

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="jobs")
    stage = models.ForeignKey(
        "curriculum.Stage", models.CASCADE, null=True, blank=True, related_name="jobs"
    )
    round = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=JobKind)
    asked = models.JSONField(default=dict, blank=True)  # what a person chose for it, if anything
    created_at = models.DateTimeField(auto_now_add=True)

    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=1)  # one more each time it is queued
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)  # 0: not known yet
    unit = models.CharField(max_length=20, blank=True)  # answers, items, steps
    message = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)  # a sentence for a person
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)  # the worker's last word
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=JobStatus.values), name="job_status_known"
            ),
            models.CheckConstraint(
                condition=Q(total=0) | Q(done__lte=F("total")), name="job_done_within_total"
            ),
            # Two each where a column may be null: SQLite has no NULLS NOT DISTINCT.
            models.UniqueConstraint(fields=["stage", "round", "kind"], name="job_once_a_round"),
            models.UniqueConstraint(
                fields=["run", "round", "kind"], condition=Q(stage=None), name="job_once_a_run"
            ),
        ]

    def __str__(self) -> str:
        round = f", round {self.round}" if self.stage_id else ""
        return f"{self.get_kind_display()}{round}"

    @property
    def is_active(self) -> bool:
        return self.status in (JobStatus.QUEUED, JobStatus.RUNNING)

    @property
    def may_retry(self) -> bool:
        return self.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.LOST)

    @property
    def rq_id(self) -> str:
        # Ours, not RQ's: enqueue() answers None inside a transaction.
        return f"{self.kind}-{self.pk}-{self.attempt}"


class TrainingStep(models.Model):
    """One logged step of a training, for the live curve. Written by natural key."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="steps")
    step = models.PositiveIntegerField()
    loss = models.FloatField()
    learning_rate = models.FloatField()
    tokens_per_second = models.FloatField(default=0)

    class Meta:
        ordering = ["job", "step"]
        constraints = [models.UniqueConstraint(fields=["job", "step"], name="training_step_unique")]

    def __str__(self) -> str:
        return f"step {self.step}: {self.loss:.3f}"
