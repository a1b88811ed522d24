from __future__ import annotations

from django.conf import settings as django_settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from curriculum.states import ENDED, Autonomy, RunStatus


class Run(models.Model):
    """One distillation: a teacher, a student, a domain, and everything decided about them.

    Only `curriculum.services.runs` writes `status`.
    """

    name = models.CharField(max_length=120)
    domain = models.CharField(max_length=200)  # a built-in's name, or an uploaded file's path
    skill_filter = models.JSONField(default=list, blank=True)  # skill ids; empty: all
    teacher = models.CharField(max_length=200)  # a backend's spec, e.g. "procedural"
    student = models.CharField(max_length=200)  # a model's name in IOA_HOME/models, or a folder
    settings = models.JSONField(default=dict)  # distill.settings.Settings, complete
    seed = models.PositiveIntegerField(default=0)
    autonomy = models.CharField(max_length=12, choices=Autonomy, default=Autonomy.EVERY_GATE)
    two_people = models.BooleanField(default=False)  # who approved items may not sign their gate
    version = models.CharField(max_length=80, blank=True)  # of this program, for the record
    created_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="runs"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    status = models.CharField(max_length=20, choices=RunStatus, default=RunStatus.DRAFT)
    notices = models.JSONField(default=list, blank=True)  # sentences of the last plan
    report = models.JSONField(default=dict, blank=True)  # filled when the run finishes
    archived_at = models.DateTimeField(null=True, blank=True)
    audit_sequence = models.PositiveIntegerField(default=0)  # of the last entry
    audit_head = models.CharField(max_length=64, blank=True)  # its hash
    origin = models.PositiveBigIntegerField(  # its number where it was made; null: here
        null=True, blank=True
    )
    is_closed = models.BooleanField(default=False)  # for its members only

    class Meta:
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("review_run", "Can review items and change diagnosis and curriculum"),
            ("approve_run", "Can decide at gates, freeze items and waive"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=RunStatus.values), name="run_status_known"
            ),
            models.CheckConstraint(
                condition=Q(autonomy__in=Autonomy.values), name="run_autonomy_known"
            ),
            models.CheckConstraint(
                condition=~Q(two_people=True, autonomy="none"), name="run_two_people_decide"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("curriculum:run-detail", args=[self.pk])

    @property
    def student_tries(self) -> bool:
        """Whether it tries questions while its items are written: see `writing.tried`. Those that
        a language model makes up are tried by nobody.
        """
        writing = self.settings.get("writing", {})
        is_asked = self.teacher == "procedural" or writing.get("questions_of_domain", False)
        return bool(is_asked and writing.get("tried", 0) >= 2)

    @property
    def is_over(self) -> bool:
        """Nothing in it changes any more: it ended, or it was made elsewhere."""
        return self.origin is not None or self.status in ENDED

    def goes_on_in(self, *statuses: RunStatus) -> bool:
        """Whether it stands there now; the record of a run made elsewhere says where it stood."""
        return self.status in statuses and not self.is_over
