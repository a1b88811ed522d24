"""Others in place of what is no good: refused together, and as many written anew."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, QuerySet

from curriculum.models import Item, Job, Stage
from curriculum.services import apart, audit, bulk, jobs
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.services.reviewing import begin
from curriculum.states import JobKind, StageStatus


@transaction.atomic
def rewrite_matching(
    stage: Stage, *, actor: Actor, queue: Queue, reason: str, expected: int | None = None
) -> int:
    """Reject what matches and waits, all for one reason, and have as many others written of the
    same skills. Returns how many.

    The stage stays in review meanwhile; others come into the queue as they are written, and a
    language model is told the reason. Undoing the rejection calls nothing back. Raises
    `ReasonRequired`, `Overtaken` as `bulk.reject_matching` does, and `StillAtWork`.
    """
    begin(stage, round=queue.round)
    found = bulk.waiting(stage, queue)
    found = found.exclude(pk__in=apart.one_by_one(stage, queue.round, actor=actor))
    counted = found.order_by().values_list("skill__key").annotate(n=Count("pk"))
    wanted = dict(counted.order_by("skill__key"))
    n = bulk.reject_matching(stage, actor=actor, queue=queue, reason=reason, expected=expected)
    if n:
        batch = stage.run.jobs.filter(kind=JobKind.REWRITE).count() + 1
        asked = {
            "stage": stage.pk,
            "round": queue.round,
            "batch": batch,
            "items": wanted,
            "reason": reason.strip(),
        }
        jobs.create_aside(stage.run, actor=actor, kind=JobKind.REWRITE, asked=asked)
    return n


@transaction.atomic
def written(job: Job, *, actor: Actor) -> int:
    """Put on record how many others have come. Returns that number."""
    found = items_of(job)
    counts = {"items": found.count(), "flagged": found.filter(is_flagged=True).count()}
    audit.write(
        job.run,
        actor=actor,
        action="items.rewritten",
        subject=job.run.stages.get(pk=job.asked["stage"]),
        became={"round": job.asked["round"], "batch": job.asked["batch"], **counts},
    )
    return counts["items"]


def items_of(job: Job) -> QuerySet[Item]:
    """The items that a job of this kind has written so far."""
    return Item.objects.filter(
        stage=job.asked["stage"],
        round=job.asked["round"],
        key__contains=f"r{job.asked['round']}w{job.asked['batch']}-",
    )


def last_of(stage: Stage) -> Job | None:
    """The last job of this kind for the round that the stage is in, while people review it."""
    if stage.status != StageStatus.REVIEWING:
        return None
    return (
        Job.objects.filter(
            run=stage.run_id,
            kind=JobKind.REWRITE,
            asked__stage=stage.pk,
            asked__round=stage.round,
        )
        .order_by("-pk")
        .first()
    )
