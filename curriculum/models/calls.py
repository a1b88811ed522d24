from __future__ import annotations

from django.db import models


class TeacherCall(models.Model):
    """One request to the teacher for items of a run, and its reply, word for word.

    Written by natural key: a worker that was killed, and begins again, asks nothing twice.
    """

    PURPOSES = [
        ("write", "write items"),
        ("verify", "answer a question"),
        ("try", "try a template or examples"),
    ]

    run = models.ForeignKey("curriculum.Run", models.CASCADE, related_name="teacher_calls")
    stage = models.ForeignKey(
        "curriculum.Stage", models.CASCADE, null=True, blank=True, related_name="teacher_calls"
    )  # none: of no stage, as when words are tried
    round = models.PositiveSmallIntegerField(default=0)
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


class WritingTally(models.Model):
    """What became of the items asked for of one skill and size in a round, those that nobody saw
    included: `distill.adapter.tally.Tally`.
    """

    stage = models.ForeignKey("curriculum.Stage", models.CASCADE, related_name="tallies")
    round = models.PositiveSmallIntegerField()
    skill = models.ForeignKey("curriculum.Skill", models.CASCADE, related_name="tallies")
    level = models.PositiveSmallIntegerField()
    batch = models.PositiveSmallIntegerField(default=0)  # 0 the round's own; others in their place
    asked = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    spare = models.PositiveIntegerField(default=0)  # good, but more than were wanted
    lost = models.JSONField(default=dict)  # id of a check -> items that failed it first

    class Meta:
        ordering = ["stage", "round", "skill", "level"]
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "round", "batch", "skill", "level"], name="tally_once_a_batch"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kept} of {self.asked} items of {self.skill}, size {self.level}"
