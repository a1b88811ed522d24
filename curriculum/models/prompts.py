from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class PromptTemplate(models.Model):
    """One version of the words that a run's teacher is asked with. The highest number counts;
    what comes with the program is number 0, and no row.
    """

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="prompt_templates")
    name = models.CharField(max_length=40)  # of distill.adapter.prompting.NAMES
    number = models.PositiveIntegerField()
    source = models.TextField()
    note = models.TextField(blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run", "name", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name", "number"], name="prompt_number_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="prompt_number_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.number}"


class PromptTrial(models.Model):
    """What a teacher made of words that are not in use yet: to look at, never to train on."""

    job = models.OneToOneField("curriculum.Job", models.CASCADE, related_name="prompt_trial")
    call = models.ForeignKey("curriculum.TeacherCall", models.CASCADE, related_name="+")
    items = models.JSONField(default=list)  # [{question, solution, answer, checks}]
    faults = models.JSONField(default=list)  # sentences on what could not be read
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"what came of {self.job}"


class ExampleTrial(models.Model):
    """What a teacher made of a skill's examples, in use or not: to look at, never to train on."""

    job = models.OneToOneField("curriculum.Job", models.CASCADE, related_name="example_trial")
    answers = models.JSONField(default=list)  # [{question, answer, said, shown, outcome, fault}]
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"what came of {self.job}"
