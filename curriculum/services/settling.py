"""A verdict that comes of more than one person's look: by agreement, adjudication or a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Model

from curriculum.errors import Overtaken
from curriculum.models import Item, ReviewAction
from curriculum.services import audit
from curriculum.services.audit import Actor
from curriculum.services.reviewing import act, keep_reviews
from curriculum.states import ActionKind, ActorKind, Verdict


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
    """Give waiting items a verdict: one UPDATE, a review each, one entry. After `begin`.

    A person's verdict is an act of theirs, which they can undo; policy's is nobody's to undo.
    """
    pairs = [(item.pk, item.version) for item in items]
    seen = Item.objects.filter(pk__in=[pk for pk, _ in pairs], verdict=Verdict.WAITING)
    if dict(seen.values_list("pk", "version")) != dict(pairs):
        raise Overtaken("This item" if len(pairs) == 1 else "This queue")
    seen.update(verdict=verdict)
    done: ReviewAction | None = None
    if actor.kind == ActorKind.PERSON:
        stage, round = items[0].stage, items[0].round
        done = act(stage, ActionKind(verdict), len(pairs), actor=actor, round=round)
    given = [(pk, version, reason) for pk, version in pairs]
    keep_reviews(given, verdict, actor=actor, action=done)
    audit.write(
        items[0].stage.run,
        actor=actor,
        action=action,
        subject=subject,
        was={"verdict": Verdict.WAITING},
        became={"verdict": verdict, "n": len(pairs)},
        evidence={**evidence, "items": [list(pair) for pair in pairs]},
        note=reason,
    )
