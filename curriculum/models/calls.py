from __future__ import annotations

from django.db import models


class TeacherCall(models.Model):
    """One request to the teacher while items were written, and its reply, word for word.

    Written by natural key: a worker that was killed, and begins again, asks nothing twice.
    """

    PURPOSES = [("write", "write items"), ("verify", "answer a question")]

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="teacher_calls")
    stage = models.ForeignKey("curriculum.Stage", models.CASCADE, related_name="teacher_calls")
    round = models.PositiveSmallIntegerField()
    skill = models.ForeignKey("curriculum.Skill", models.CASCADE, related_name="teacher_calls")
    key = models.CharField(max_length=120)
    purpose = models.CharField(max_length=8, choices=PURPOSES)
    teacher = models.CharField(max_length=200)
    prompt = models.TextField()
    prompt_version = models.CharField(max_length=60, blank=True)
    temperature = models.FloatField(default=0)
    seed = models.BigIntegerField(default=0)
    max_tokens = models.PositiveIntegerField(default=0)
    reply = models.TextField(blank=True)  # hostile text: shown, never run
    prompt_tokens = models.PositiveIntegerField(default=0)
    reply_tokens = models.PositiveIntegerField(default=0)
    truncated = models.BooleanField(default=False)
    seconds = models.FloatField(default=0)  # since the reply before it
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run", "pk"]
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="teacher_call_unique")]
        indexes = [models.Index(fields=["stage", "round"], name="teacher_call_round")]

    def __str__(self) -> str:
        return self.key
