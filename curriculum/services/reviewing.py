"""What every change to the items of a round begins with, and the traces it leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from curriculum.errors import Overtaken, WrongMoment
from curriculum.models import Review, ReviewAction, Stage
from curriculum.services.audit import Actor, canonical, require
from curriculum.states import ActionKind, RunStatus, StageStatus, Verdict

INLINE = 200  # so many items are named in an audit entry; of more there are count and hash
BATCH = 2000  # rows a statement

Seen = Sequence[tuple[int, int]]  # items with the version that was meant: (pk, version)


def begin(stage: Stage, *, round: int) -> None:
    """Hold the run, and make sure that the round is still in review."""
    require(stage.run, RunStatus.TEACHING, what="Items can be reviewed")
    now = Stage.objects.get(pk=stage.pk)
    if now.round != round:
        raise Overtaken("This stage")
    if now.status != StageStatus.REVIEWING:
        raise WrongMoment("Items can be reviewed", "stage is “in review”", now.get_status_display())


def act(
    stage: Stage, kind: ActionKind, n: int, *, actor: Actor, round: int, where: str = ""
) -> ReviewAction:
    """What the reviews, revisions and tags of one press of a button belong to."""
    return ReviewAction.objects.create(
        stage=stage,
        round=round,
        kind=kind,
        n=n,
        where=where,
        actor=actor.user,
        actor_kind=actor.kind,
    )


def keep_reviews(
    seen: Iterable[tuple[int, int, str]],
    verdict: Verdict,
    *,
    actor: Actor,
    action: ReviewAction | None = None,
) -> None:
    """A review for each (item, version, reason)."""
    rows = (
        Review(
            item_id=item,
            version=version,
            verdict=verdict,
            reason=reason,
            reviewer=actor.user,
            reviewed_as=actor.kind,
            action=action,
        )
        for item, version, reason in seen
    )
    Review.objects.bulk_create(rows, batch_size=BATCH)


def naming(action: ReviewAction, seen: Seen) -> dict[str, Any]:
    """Which items an audit entry is about: the filter, their count, and the SHA-256 of the sorted
    [pk, version] pairs as canonical JSON. The reviews, revisions and tags of the action name each.
    """
    pairs = [list(pair) for pair in sorted(seen)]
    named: dict[str, Any] = {
        "round": action.round,
        "action": action.pk,
        "filter": action.where,
        "n": len(pairs),
        "sha256": digest(seen),
    }
    return named | {"items": pairs} if len(pairs) <= INLINE else named


def digest(seen: Seen) -> str:
    pairs = [list(pair) for pair in sorted(seen)]
    return hashlib.sha256(canonical(pairs).encode()).hexdigest()
