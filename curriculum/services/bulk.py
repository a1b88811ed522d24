"""Verdicts and tags for all items that match a filter: one act, one audit entry, one undo."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from curriculum.errors import Overtaken, ReasonRequired
from curriculum.models import Item, Review, Skill, Stage, Tag
from curriculum.models.items import spaced
from curriculum.services import apart, audit
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.services.reviewing import BATCH, act, begin, keep_reviews, naming
from curriculum.states import ActionKind, Verdict


def approve_all(stage: Stage, *, actor: Actor, round: int, skill: Skill | None = None) -> int:
    """Approve what waits and passed every check; of one skill, if named. Returns how many."""
    queue = Queue(round, skill=skill.key if skill else "", checks="passed")
    return approve_matching(stage, actor=actor, queue=queue)


@transaction.atomic
def approve_matching(
    stage: Stage, *, actor: Actor, queue: Queue, expected: int | None = None
) -> int:
    """Approve what matches, waits and may be approved together: see `approvable`. Returns how many.

    expected: how many a person has been told of. Raises `Overtaken` where it would be more.
    """
    begin(stage, round=queue.round)
    found = approvable(stage, queue)
    return _decide(
        stage,
        found,
        Verdict.APPROVED,
        actor=actor,
        queue=queue,
        expected=expected,
        action="items.approved",
    )


@transaction.atomic
def reject_matching(
    stage: Stage, *, actor: Actor, queue: Queue, reason: str, expected: int | None = None
) -> int:
    """Reject what matches and waits, all for one reason. Returns how many. See above."""
    if not reason.strip():
        raise ReasonRequired("a rejection")
    begin(stage, round=queue.round)
    return _decide(
        stage,
        waiting(stage, queue),
        Verdict.REJECTED,
        actor=actor,
        queue=queue,
        expected=expected,
        action="items.rejected",
        reason=reason.strip(),
    )


@transaction.atomic
def reject_flagged(stage: Stage, *, actor: Actor, round: int) -> int:
    """Reject what waits and failed a check, and say which check. Returns how many."""
    begin(stage, round=round)
    queue = Queue(round, checks="flagged")
    return _decide(
        stage,
        waiting(stage, queue),
        Verdict.REJECTED,
        actor=actor,
        queue=queue,
        expected=None,
        action="items.rejected",
    )


@transaction.atomic
def tag_matching(
    stage: Stage, *, actor: Actor, queue: Queue, word: str, expected: int | None = None
) -> int:
    """Put a word on all that match and do not have it. Returns how many that were."""
    begin(stage, round=queue.round)
    return tag(
        stage, queue.items(stage), word, actor=actor, round=queue.round, where=queue, most=expected
    )


def waiting(stage: Stage, queue: Queue) -> QuerySet[Item]:
    return queue.items(stage).filter(verdict=Verdict.WAITING)


def approvable(stage: Stage, queue: Queue) -> QuerySet[Item]:
    """What matches, waits, is no leak, and passed every check; or failed the one check that the
    filter names, which nobody names by chance.
    """
    found = waiting(stage, queue).filter(is_leak=False)
    if queue.failed:
        return found.filter(failed=spaced([queue.failed]))
    return found.filter(is_flagged=False)


def tag(
    stage: Stage,
    found: QuerySet[Item],
    word: str,
    *,
    actor: Actor,
    round: int,
    where: Queue | None = None,
    most: int | None = None,
) -> int:
    """Tag what is found, as one act. Inside the caller's transaction, after `begin`."""
    tagged = Tag.objects.filter(word=word, item__stage=stage, item__round=round)
    seen = list(found.exclude(pk__in=tagged.values("item")).values_list("pk", "version"))
    if most is not None and len(seen) > most:
        raise Overtaken("This queue")
    if not seen:
        return 0
    query = where.query() if where else ""
    action = act(stage, ActionKind.TAGGED, len(seen), actor=actor, round=round, where=query)
    Tag.objects.bulk_create(
        (Tag(item_id=pk, word=word, action=action) for pk, _ in seen), batch_size=BATCH
    )
    audit.write(
        stage.run,
        actor=actor,
        action="items.tagged",
        subject=stage,
        became={"tag": word, "n": len(seen)},
        evidence=naming(action, seen),
    )
    return len(seen)


def _decide(
    stage: Stage,
    found: QuerySet[Item],
    verdict: Verdict,
    *,
    actor: Actor,
    queue: Queue,
    expected: int | None,
    action: str,
    reason: str = "",
) -> int:
    """A review for each, one UPDATE of what they name, one audit entry. Nothing for no items."""
    found = found.exclude(pk__in=apart.one_by_one(stage, queue.round, actor=actor))
    seen = list(found.values_list("pk", "version", "failed"))
    if expected is not None and len(seen) > expected:
        raise Overtaken("This queue")
    if not seen:
        return 0
    kind = ActionKind(verdict)
    done = act(stage, kind, len(seen), actor=actor, round=queue.round, where=queue.query())
    given = [
        (pk, version, "" if verdict == Verdict.APPROVED else reason or _why_flagged(failed))
        for pk, version, failed in seen
    ]
    keep_reviews(given, verdict, actor=actor, action=done)
    meant = Item.objects.filter(pk__in=Review.objects.filter(action=done).values("item"))
    if meant.filter(verdict=Verdict.WAITING).update(verdict=verdict) != len(seen):
        raise Overtaken("This queue")
    audit.write(
        stage.run,
        actor=actor,
        action=action,
        subject=stage,
        became={"verdict": verdict, "n": len(seen)},
        evidence=naming(done, [(pk, version) for pk, version, _ in seen]),
        note="; ".join(sorted({why for _, _, why in given if why})),
    )
    return len(seen)


def _why_flagged(failed: str) -> str:
    return f"failed check: {', '.join(failed.split())}"
