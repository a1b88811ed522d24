"""What workers measured and made. Rows are saved by natural key: twice does no harm.

The audit entries of these writes are those of the move that ends the job, in its transaction:
an unfinished measurement is nobody's evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.models import (
    Answer,
    Checkpoint,
    Item,
    Probe,
    Run,
    Score,
    Skill,
    TeacherCall,
    TrainingStep,
    WritingTally,
)


def keep_probes(rows: Sequence[Probe]) -> None:
    Probe.objects.bulk_create(rows, ignore_conflicts=True)


def keep_answers(rows: Sequence[Answer]) -> None:
    for row in rows:
        row.text, row.error = engine.storable(row.text), engine.storable(row.error)
    Answer.objects.bulk_create(rows, ignore_conflicts=True)


def keep_items(rows: Sequence[Item]) -> None:
    longest = Item._meta.get_field("origin").max_length
    for row in rows:
        for name in ("question", "solution", "answer", "said", "origin"):
            setattr(row, name, engine.storable(getattr(row, name)))
        row.origin = row.origin[:longest]  # a teacher is named with its address
        row.checks = [c | {"detail": engine.storable(c["detail"])} for c in row.checks]
    Item.objects.bulk_create(rows, ignore_conflicts=True)


def keep_calls(rows: Sequence[TeacherCall]) -> None:
    for row in rows:
        row.prompt, row.reply = engine.storable(row.prompt), engine.storable(row.reply)
    TeacherCall.objects.bulk_create(rows, ignore_conflicts=True)


def keep_tallies(rows: Sequence[WritingTally]) -> None:
    """Later counts of a round take the place of earlier ones."""
    WritingTally.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["stage", "round", "batch", "skill", "level"],
        update_fields=["asked", "read", "kept", "spare", "lost"],
    )


def keep_step(row: TrainingStep) -> None:
    TrainingStep.objects.bulk_create(
        [row],
        update_conflicts=True,  # a retry repeats the steps since the last saved state
        unique_fields=["job", "step"],
        update_fields=["loss", "learning_rate", "tokens_per_second"],
    )


@transaction.atomic
def keep_scores(rows: Sequence[Score]) -> None:
    """Replace the score of each skill, checkpoint and split."""
    for row in rows:
        Score.objects.update_or_create(
            skill=row.skill,
            checkpoint=row.checkpoint,
            split=row.split,
            defaults={
                "n": row.n,
                "mean": row.mean,
                "low": row.low,
                "high": row.high,
                "is_exhaustive": row.is_exhaustive,
            },
        )


@transaction.atomic
def keep_diagnosis(run: Run, fields: Mapping[str, Mapping[str, Any]]) -> None:
    """Write gap, interval, severity and verdict on each skill, by its key."""
    for key, values in fields.items():
        run.skills.filter(key=key).update(**values)


def keep_severities(run: Run) -> None:
    """Weigh the gaps anew after an edge has changed: a skill is as severe as what it blocks."""
    severity = engine.severities_of(run)
    rows = list(run.skills.filter(key__in=severity))
    for row in rows:
        row.severity = severity[row.key]
    Skill.objects.bulk_update(rows, ["severity"])


def keep_checkpoint(row: Checkpoint) -> Checkpoint:
    """Save a checkpoint, or return the one that an earlier attempt saved for the same round."""
    there = Checkpoint.objects.filter(run=row.run, stage=row.stage, round=row.round).first()
    if there is not None:
        return there
    row.save()
    return row
