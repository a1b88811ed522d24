from __future__ import annotations

from django.db import models
from django.db.models import Q


class Probe(models.Model):
    """A question with a way to grade the answer, in one of three disjoint splits."""

    SPLITS = [("diagnose", "diagnose"), ("gate", "gate"), ("final", "final")]

    skill = models.ForeignKey("curriculum.Skill", models.CASCADE, related_name="probes")
    key = models.CharField(max_length=64)  # of the question: distill.domains.question_key
    split = models.CharField(max_length=8, choices=SPLITS)
    question = models.TextField()
    reference = models.TextField()
    grader = models.CharField(max_length=40)

    class Meta:
        ordering = ["skill", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["skill", "key"], name="probe_key_unique"),
            models.CheckConstraint(
                condition=Q(split__in=["diagnose", "gate", "final"]), name="probe_split_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill.key}: {self.question[:60]}"


class Answer(models.Model):
    """What a checkpoint, or the teacher (`checkpoint` null), said to a probe, and its grade."""

    probe = models.ForeignKey(Probe, models.CASCADE, related_name="answers")
    checkpoint = models.ForeignKey(
        "curriculum.Checkpoint", models.CASCADE, null=True, blank=True, related_name="answers"
    )
    text = models.TextField(blank=True)
    grade = models.FloatField()
    tokens = models.PositiveIntegerField(default=0)  # spent on it by this run
    reused_from = models.ForeignKey(  # the same teacher said it to the same question before
        "self", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    grader = models.CharField(max_length=40)  # with its version, e.g. number@1
    error = models.TextField(blank=True)  # why the grader failed; such an answer grades 0
    is_cut = models.BooleanField(default=False)  # it ran into the most tokens that it may have
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["probe", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["probe", "checkpoint"], name="answer_once"),
            models.UniqueConstraint(
                fields=["probe"], condition=Q(checkpoint=None), name="answer_once_of_teacher"
            ),
            models.CheckConstraint(
                condition=Q(grade__gte=0) & Q(grade__lte=1), name="answer_grade_is_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.text[:60]} ({self.grade:.0%})"
