"""Review by sample: draw at random, look at those, and let the rest through on what that shows.

One sample a round: drawing again until one pleases would prove nothing. How sure one is of the
others is computed in `distill.sampling`.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from curriculum import engine
from curriculum.errors import Overtaken, SampleRefused
from curriculum.models import Item, Opinion, Review, Sample, Stage
from curriculum.services import apart, audit
from curriculum.services.audit import Actor
from curriculum.services.reviewing import begin
from curriculum.services.settling import settle
from curriculum.services.teamwork import seed_of
from curriculum.states import ActorKind, Verdict

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sample shows by now. `bad`: rejected, or changed since it was drawn.

    Once the others are approved on it, `others` are those that stand so approved, and what is
    undecided again counts as bad: `is_shown` says whether it still bears their approval.
    """

    n: int
    bad: int
    undecided: list[int]  # pks of drawn items that no person has decided yet
    n_others: int
    others: list[Item]  # of the others, what still waits as it was
    most_bad: int  # of the others when they were drawn, less those found since
    bound: float  # the same as a share of what still waits, 0..1
    is_shown: bool  # all are decided, and the bound is within the tolerance


def population(stage: Stage, round: int) -> QuerySet[Item]:
    """What may be drawn: items that wait, passed every check, and wait for no second opinion."""
    clean = Item.objects.filter(stage=stage, round=round, is_flagged=False, is_leak=False)
    waiting = clean.filter(verdict=Verdict.WAITING)
    return waiting.exclude(pk__in=apart.shared(waiting)).order_by("pk")


@transaction.atomic
def draw(stage: Stage, *, actor: Actor, round: int, n: int, tolerance: float) -> Sample:
    """Draw n items, having said which share of bad ones among the others can be put up with."""
    begin(stage, round=round)
    if Sample.objects.filter(stage=stage, round=round).exists():
        raise SampleRefused(
            "This round has its sample. Drawing again until one pleases would prove nothing: "
            "what the first does not show is reviewed one by one."
        )
    pairs = [list(pair) for pair in population(stage, round).values_list("pk", "version")]
    _require_plan(n, len(pairs), tolerance)
    seed = seed_of(stage, round)
    drawn = sorted(random.Random(seed).sample(pairs, n))
    taken = {pk for pk, _ in drawn}
    others = [pair for pair in pairs if pair[0] not in taken]
    content = audit.canonical({"items": drawn, "others": others, "seed": seed})
    sample = Sample.objects.create(
        stage=stage,
        round=round,
        seed=seed,
        tolerance=tolerance,
        confidence=CONFIDENCE,
        items=drawn,
        others=others,
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
        drawn_by=actor.user,
    )
    audit.write(
        stage.run,
        actor=actor,
        action="items.sampled",
        subject=stage,
        evidence={
            "round": round,
            "n": n,
            "of": len(pairs),
            "tolerance": tolerance,
            "confidence": CONFIDENCE,
            "seed": seed,
            "sample": sample.content_hash,
            "items": drawn,
        },
    )
    return sample


@transaction.atomic
def approve_rest(sample: Sample, *, actor: Actor) -> int:
    """Approve the others on the sample's evidence, if that is within the stated tolerance.

    By policy, with the name of who signed: under the two-person rule they had a hand in it.
    """
    begin(sample.stage, round=sample.round)
    found = outcome(sample)
    if found.undecided:
        n = len(found.undecided)
        raise SampleRefused(
            f"{n:,} of the {found.n:,} items of the sample {'has' if n == 1 else 'have'} no "
            "person's verdict yet: the sample shows something when all are looked at."
        )
    if sample.approved_at:
        raise SampleRefused("The others were approved on this sample already.")
    if not found.others:
        raise SampleRefused("None of the others waits any more: there is nothing to approve.")
    if not found.is_shown:
        raise SampleRefused(
            f"{found.bad} of {found.n} were bad, so up to {found.bound:.1%} of the "
            f"{len(found.others)} others may be: more than the {sample.tolerance:.1%} that was "
            "said before the draw. Review them one by one, or remedy what is wrong."
        )
    if not Sample.objects.filter(pk=sample.pk, approved_at=None).update(approved_at=timezone.now()):
        raise Overtaken("This sample")
    settle(
        found.others,
        Verdict.APPROVED,
        actor=Actor(ActorKind.POLICY, actor.user, f"sampled review, signed by {actor.name}"),
        action="items.sampled_approved",
        subject=sample.stage,
        evidence={
            "round": sample.round,
            "sample": sample.content_hash,
            "n": found.n,
            "bad": found.bad,
            "most_bad": found.most_bad,
            "bound": found.bound,
            "tolerance": sample.tolerance,
            "confidence": sample.confidence,
        },
    )
    return len(found.others)


def outcome(sample: Sample) -> Outcome:
    """Read what the sample shows. Three queries."""
    drawn, others = dict(sample.items), dict(sample.others)
    bad, undecided = 0, []
    for item in _judged(sample, drawn):
        if item.version != drawn[item.pk] or item.verdict == Verdict.REJECTED:
            bad += 1  # whoever changes it found it wrong as it was drawn
        elif item.verdict == Verdict.WAITING or not item.by_person:
            undecided.append(item.pk)
    left, known_bad = _left(sample, others)
    n = len(drawn)
    most = engine.most_bad(min(n, bad + len(undecided)), n, n + len(others), sample.confidence)
    most = max(0, most - known_bad)
    bound = engine.share_at_most(most, len(left))
    return Outcome(
        n=n,
        bad=bad,
        undecided=undecided,
        n_others=len(others),
        others=left,
        most_bad=most,
        bound=bound,
        is_shown=engine.is_shown(bound, sample.tolerance)
        and (sample.approved_at is not None or not undecided),
    )


def worn(stage: Stage, round: int) -> tuple[Sample, Outcome] | None:
    """The sample on which others were approved, where it does not bear that any more. One query
    where there is none, and those of `outcome`.
    """
    sample = Sample.objects.filter(stage=stage, round=round, approved_at__isnull=False).first()
    if sample is None:
        return None
    found = outcome(sample)
    return None if found.is_shown else (sample, found)


def plan(n_items: int, tolerance: float) -> int | None:
    """How many have to be drawn, and found good, to show that tolerance; None: no sample can."""
    return engine.needed(n_items, tolerance, CONFIDENCE)


def _require_plan(n: int, n_items: int, tolerance: float) -> None:
    """Refuse a sample that would show too little even if nothing in it were bad."""
    if not 0 < tolerance < 1:
        raise SampleRefused("Say a tolerance between 0 and 100%, neither of them.")
    if not 1 <= n < n_items:
        raise SampleRefused(
            f"{n_items:,} items can be drawn from: draw at least one, and leave at least one."
        )
    best = engine.share_at_most(engine.most_bad(0, n, n_items, CONFIDENCE), n_items - n)
    if engine.is_shown(best, tolerance):
        return
    least = plan(n_items, tolerance)
    then = f"Draw {least} at least." if least else "No sample can: review all of them."
    raise SampleRefused(
        f"Even if none of {n:,} is bad, up to {best:.1%} of the other {n_items - n:,} may be: that "
        f"cannot show {tolerance:.1%}. {then}"
    )


def _judged(sample: Sample, pks: dict[int, int]) -> Any:
    """The drawn items, with whether a person stands behind the verdict: alone, or by opinion."""
    reviews = Review.objects.filter(
        item=OuterRef("pk"),
        version=OuterRef("version"),
        verdict=OuterRef("verdict"),
        reviewed_as=ActorKind.PERSON,
    )
    said = Opinion.objects.filter(item=OuterRef("pk"), version=OuterRef("version"))
    return _of(sample, pks).annotate(by_person=Q(Exists(reviews)) | Q(Exists(said)))


def _left(sample: Sample, pks: dict[int, int]) -> tuple[list[Item], int]:
    """Of the others, what the sample speaks of, and how many are bad. See `Outcome`."""
    rest, as_drawn, bad = _of(sample, pks), [], 0
    is_approved = sample.approved_at is not None
    for item in (
        rest.only("version", "verdict") if is_approved else rest.select_related("stage__run")
    ):
        if item.version != pks[item.pk] or item.verdict == Verdict.REJECTED:
            bad += 1
        else:
            as_drawn.append(item)
    if is_approved:
        on_it = set(_approved_on(sample).values_list("item", flat=True))
        return [i for i in as_drawn if i.verdict == Verdict.APPROVED and i.pk in on_it], bad
    held = set(apart.shared(rest).values_list("item", flat=True))
    waiting = [item for item in as_drawn if item.verdict == Verdict.WAITING]
    return [item for item in waiting if item.pk not in held and not item.is_flagged], bad


def _approved_on(sample: Sample) -> QuerySet[Review]:
    """The verdicts that were given on it. Other ones of policy belong to an act, or to opinions."""
    here = Review.objects.filter(item__stage=sample.stage_id, item__round=sample.round)
    by_policy = here.filter(reviewed_as=ActorKind.POLICY, verdict=Verdict.APPROVED, action=None)
    return by_policy.filter(item__opinions=None).order_by()


def _of(sample: Sample, pks: dict[int, int]) -> QuerySet[Item]:
    here = Item.objects.filter(stage=sample.stage_id, round=sample.round)
    return here.filter(pk__in=list(pks)).order_by("pk")
