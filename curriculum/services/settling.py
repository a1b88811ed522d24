"""A verdict that comes of more than one person's look: by agreement, adjudication or a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model

from curriculum.errors import Overtaken, WrongMoment
from curriculum.models import Item, Review, Stage
from curriculum.services import audit
from curriculum.services.audit import Actor, require
from curriculum.states import RunStatus, StageStatus, Verdict


def hold(stage: Stage, *, round: int) -> None:
    """Make other writers of the run wait, and make sure that the round is still in review."""
    require(stage.run, RunStatus.TEACHING, what="Items can be reviewed")
    now = Stage.objects.get(pk=stage.pk)
    if now.round != round:
        raise Overtaken("This stage")
    if now.status != StageStatus.REVIEWING:
        raise WrongMoment("Items can be reviewed", "stage is “in review”", now.get_status_display())


@transaction.atomic
def settle(
    items: Sequence[Item],
    verdict: Verdict,
    *,
    actor: Actor,
    action: str,
    subject: Model,
    evidence: Mapping[str, Any],
    reason: str = "",
) -> None:
    """Give waiting items a verdict: one UPDATE, a review each, one entry. After `hold`."""
    keys = [item.pk for item in items]
    seen = Item.objects.filter(pk__in=keys, verdict=Verdict.WAITING)
    versions = dict(seen.values_list("pk", "version"))
    if versions != {item.pk: item.version for item in items}:
        raise Overtaken("This item" if len(keys) == 1 else "This queue")
    seen.update(verdict=verdict)
    Review.objects.bulk_create(
        Review(
            item=item,
            version=item.version,
            verdict=verdict,
            reason=reason,
            reviewer=actor.user,
            reviewed_as=actor.kind,
        )
        for item in items
    )
    audit.write(
        items[0].stage.run,
        actor=actor,
        action=action,
        subject=subject,
        was={"verdict": Verdict.WAITING},
        became={"verdict": verdict, "n": len(keys)},
        evidence={**evidence, "items": [[item.pk, item.version] for item in items]},
        note=reason,
    )
