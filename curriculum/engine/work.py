"""The work of a round: distill's steps over rows, continuing where they stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from curriculum import models
from curriculum.engine.authoring import write_items
from curriculum.engine.describe import find_student, home, settings_of
from curriculum.engine.exam import Exam, Keep
from curriculum.engine.items import evidence_so_far, record
from curriculum.engine.made_with import made_with
from curriculum.engine.rounds import counts, spent_before, teaches
from curriculum.engine.steering import errors_of
from curriculum.models import Checkpoint, Stage
from distill.adapter.writing import Order
from distill.backends.base import Backend, Beat
from distill.organizer import mixture
from distill.training.base import StepLog
from distill.training.schedule import cooled


def write(stage: Stage, *, beat: Beat, keep: Keep) -> int:
    """Write and check the items of the stage's round; returns how many. Raises `BudgetSpent`."""
    with _who_tries(stage, keep) as student:
        items = write_items(stage, _orders(stage), student=student, beat=beat, keep=keep)
    return len(items)


def rewrite(stage: Stage, job: models.Job, *, beat: Beat, keep: Keep) -> int:
    """Write as many others as `job` asks for in place of items that were refused, for the same
    student. What people said of those reaches who writes: see `learner_of`.
    """
    orders, batch = _orders(stage, job.asked["items"]), job.asked["batch"]
    with _who_tries(stage, keep) as student:
        items = write_items(stage, orders, student=student, beat=beat, keep=keep, batch=batch)
    return len(items)


@contextmanager
def _who_tries(stage: Stage, keep: Keep) -> Iterator[Backend | None]:
    """The student as it is now, where it has been taught anything and is to try questions first."""
    run = stage.run
    checkpoint = run.checkpoints.get(is_current=True) if run.student_tries else None
    if checkpoint is None or not checkpoint.folder:
        yield None
        return
    with Exam(run, keep).student(checkpoint) as student:
        yield student


def _orders(stage: Stage, wanted: Mapping[str, int] | None = None) -> list[Order]:
    """What the round wants of each skill, or `wanted` in its place."""
    run, rounds = stage.run, evidence_so_far(stage)
    planned = teaches(stage, rounds)
    dealt = counts(stage, planned) if wanted is None else wanted
    begins_small = (
        planned.need.keys() if stage.is_bridge and not rounds else mixture.bridged(rounds)
    )
    errors = errors_of(run, [k for k in dealt if k in planned.need])
    lacks = planned.lacks
    return [
        Order(k, n, 1.0 - lacks.get(k, 0.0), k in begins_small, errors.get(k, {}))
        for k, n in dealt.items()
    ]


def train(stage: Stage, job: models.Job, *, beat: Beat, keep: Keep) -> Checkpoint:
    """Train on the round's snapshot; returns the new checkpoint, not saved yet."""
    run = stage.run
    parent = run.checkpoints.get(is_current=True)
    snapshot = stage.snapshots.get(round=stage.round)
    entries = snapshot.entries.select_related("item__skill").order_by("position")
    folder = f"runs/{run.pk}/checkpoints/s{stage.position}r{stage.round}"
    (home() / folder).parent.mkdir(parents=True, exist_ok=True)

    def log(step: StepLog) -> None:
        keep.step(
            models.TrainingStep(
                job=job,
                step=step.step,
                loss=step.loss,
                learning_rate=step.learning_rate,
                tokens_per_second=step.tokens_per_second,
            )
        )

    spent = job.asked.get("spent")  # jobs of earlier versions do not say
    lora = cooled(settings_of(run).lora, spent_before(stage) if spent is None else spent)
    # before: whoever changes a file meanwhile changes nothing that is loaded
    made = made_with(run, lora)
    result = find_student(run.student).trainer.train(
        [record(e.item) for e in entries],
        parent=home() / parent.folder if parent.folder else None,
        out=home() / folder,
        settings=lora,
        seed=run.seed,
        beat=beat,
        log=log,
    )
    return Checkpoint(
        run=run,
        parent=parent,
        stage=stage,
        round=stage.round,
        snapshot=snapshot,
        folder=folder,
        content_hash=result.content_hash,
        train_tokens=result.tokens,
        seconds=result.seconds,
        final_loss=result.final_loss,
        made_with=made,
    )
