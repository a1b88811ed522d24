"""Reviewing as a team: who looks at what, independent opinions, and what becomes of them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from curriculum import access
from curriculum.access import Role
from curriculum.errors import (
    BadShare,
    LeakNeverApproved,
    NotYours,
    Overtaken,
    ReasonRequired,
)
from curriculum.models import Assignment, Item, Opinion, Stage
from curriculum.services import apart, audit
from curriculum.services.audit import Actor, name_of
from curriculum.services.reviewing import begin
from curriculum.services.settling import settle
from curriculum.states import Verdict

LEAST_OVERLAP = 2


def seed_of(stage: Stage, round: int) -> str:
    """What random choices of a round are drawn from: the same run and round choose the same."""
    return f"{stage.run.seed}/{stage.position}/{round}"


@transaction.atomic
def share_out(
    stage: Stage,
    *,
    actor: Actor,
    round: int,
    reviewers: Sequence[User],
    overlap: int = LEAST_OVERLAP,
    overlap_share: float = 0.0,
) -> int:
    """Assign all items of the round that wait; what was shared out before is dealt again.

    Each skill's items go round the reviewers in turn. A random `overlap_share` (0..1) of all goes
    to `overlap` people each, for independent opinions; who has given one stays assigned, and is
    not left alone with the item. Returns the number of items that several people get.
    """
    _check(stage, reviewers, overlap, overlap_share)
    begin(stage, round=round)
    waiting = Item.objects.filter(stage=stage, round=round, verdict=Verdict.WAITING)
    items = list(waiting.order_by("skill", "pk"))
    if not items:
        raise BadShare("No item of this round waits, so there is nothing to share out.")
    said: dict[int, list[int]] = {}
    for opinion in Opinion.objects.filter(item__in=waiting).select_related("item"):
        if opinion.version == opinion.item.version:
            said.setdefault(opinion.item_id, []).append(opinion.reviewer_id)
    draw = random.Random(seed_of(stage, round))
    several = {item.pk for item in draw.sample(items, round_half_up(overlap_share * len(items)))}
    dealt = deal(
        [(item.pk, _wanted(item, several, overlap, said)) for item in items],
        [reviewer.pk for reviewer in reviewers],
        said,
    )
    if alone := sum(len(people) < 2 and pk in said for pk, people in dealt.items()):
        raise BadShare(
            f"On {alone} of the items the only person chosen has given an opinion, which waits for "
            "somebody else's: choose another person as well."
        )
    Assignment.objects.filter(item__in=waiting).delete()
    Assignment.objects.bulk_create(
        Assignment(item_id=pk, reviewer_id=who) for pk, people in dealt.items() for who in people
    )
    n = sum(len(people) > 1 for people in dealt.values())
    audit.write(
        stage.run,
        actor=actor,
        action="items.shared_out",
        subject=stage,
        became={"items": len(items), "to": [name_of(reviewer) for reviewer in reviewers]},
        evidence={
            "round": round,
            "overlap": overlap,
            "overlap_share": overlap_share,
            "several": n,
            "seed": seed_of(stage, round),
        },
    )
    for item in items:
        if item.pk in said:
            _conclude(item)
    return n


def _wanted(item: Item, several: set[int], overlap: int, said: dict[int, list[int]]) -> int:
    """How many people are to have the item. An opinion alone is no verdict."""
    n = overlap if item.pk in several else 1
    return max(n, LEAST_OVERLAP) if item.pk in said else n


def deal(
    items: Sequence[tuple[int, int]], people: Sequence[int], said: dict[int, list[int]]
) -> dict[int, list[int]]:
    """item -> who gets it. `items` are (item, how many people); `said` stay with their item.

    The turn goes on from item to item, so that loads differ by one at most where nobody stays.
    """
    found: dict[int, list[int]] = {}
    turn = 0
    for item, wanted in items:
        who = list(said.get(item, []))
        for _ in people:
            if len(who) >= wanted:
                break
            if (next_one := people[turn % len(people)]) not in who:
                who.append(next_one)
            turn += 1
        found[item] = who
    return found


def round_half_up(number: float) -> int:
    return int(number + 0.5)


@transaction.atomic
def give_opinion(
    item: Item, *, actor: Actor, version: int, verdict: Verdict, reason: str = ""
) -> Item:
    """One assigned person's verdict on the version they looked at. It stands, and is hidden from
    the others until all are in: then it is the item's verdict, or the item is adjudicated.
    """
    _check_verdict(item, verdict, reason)
    begin(item.stage, round=item.round)
    item = _as_seen(item, version)
    assert actor.user is not None
    if not apart.is_shared(item) or not apart.assigned_to(actor.user).filter(pk=item.pk).exists():
        raise NotYours("This item was not shared out to you among others for an opinion.")
    given = Opinion.objects.filter(item=item, version=version, reviewer=actor.user)
    if given.exists():
        raise NotYours("You have given your opinion on this version, and it stands.")
    Opinion.objects.create(
        item=item, version=version, reviewer=actor.user, verdict=verdict, reason=reason
    )
    audit.write(  # not which: the log is open to all, and others shall not know it yet
        item.stage.run,
        actor=actor,
        action="item.opinion",
        subject=item,
        became={"version": version},
    )
    _conclude(item)
    item.refresh_from_db()
    return item


@transaction.atomic
def adjudicate(item: Item, *, actor: Actor, version: int, verdict: Verdict, reason: str) -> Item:
    """Decide where all opinions are in and the item still waits. Says why, either way."""
    if not reason.strip():
        raise ReasonRequired("an adjudication")
    _check_verdict(item, verdict, reason)
    begin(item.stage, round=item.round)
    item = _as_seen(item, version)
    if not apart.all_said(item):
        raise NotYours("Not all opinions on this item are in: only then it is adjudicated.")
    settle(
        [item],
        verdict,
        actor=actor,
        action="item.adjudicated",
        subject=item,
        evidence={"opinions": _told(item)},
        reason=reason,
    )
    item.refresh_from_db()
    return item


def _conclude(item: Item) -> None:
    """When all opinions are in: the verdict where they agree, else a note that they differ."""
    if not apart.all_said(item):
        return
    said = apart.opinions(item)
    actor = Actor.policy(f"overlap: opinions of {len(said)} reviewers")
    if len({opinion.verdict for opinion in said}) > 1:
        audit.write(
            item.stage.run,
            actor=actor,
            action="item.disagreed",
            subject=item,
            evidence={"opinions": _told(item)},
        )
        return
    settle(
        [item],
        Verdict(said[0].verdict),
        actor=actor,
        action="item.agreed",
        subject=item,
        evidence={"opinions": _told(item)},
        reason="; ".join(dict.fromkeys(o.reason for o in said if o.reason)),
    )


def _told(item: Item) -> list[dict[str, str]]:
    return [
        {"by": name_of(o.reviewer), "verdict": o.verdict, "reason": o.reason}
        for o in apart.opinions(item)
    ]


def _as_seen(item: Item, version: int) -> Item:
    """The item as it is now, which has to be as the person saw it: that version, and waiting."""
    now = Item.objects.select_related("stage__run", "skill").get(pk=item.pk)
    if now.version != version or now.verdict != Verdict.WAITING:
        raise Overtaken("This item")
    return now


def _check_verdict(item: Item, verdict: Verdict, reason: str) -> None:
    if verdict == Verdict.APPROVED and item.is_leak:
        raise LeakNeverApproved
    if verdict != Verdict.APPROVED and not reason.strip():
        raise ReasonRequired("a rejection")


def _check(stage: Stage, reviewers: Sequence[User], overlap: int, overlap_share: float) -> None:
    if not reviewers:
        raise BadShare("Choose who reviews: one person at least.")
    able = access.people(stage.run, Role.REVIEWER).values_list("pk", flat=True)
    if not {reviewer.pk for reviewer in reviewers} <= set(able):
        raise BadShare("Only people who may review in this run can be given items.")
    if not 0 <= overlap_share <= 1:
        raise BadShare("The share that several people get lies between 0 and 100%.")
    if overlap_share and not LEAST_OVERLAP <= overlap <= len(reviewers):
        raise BadShare(
            f"{overlap} people are to look at the same item, and {len(reviewers)} are chosen: "
            "choose as many at least, and two at least."
        )
