"""How a team gets on with a round: who looks at what, who did how much, how far they agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count

from curriculum import engine
from curriculum.models import Assignment, Guideline, Item, Opinion, Review, Sample, Stage
from curriculum.models.team import hidden, told
from curriculum.services import apart, presence, sampling
from curriculum.services.audit import name_of
from curriculum.states import ActorKind, Verdict

PAUSE_SECONDS = 600  # a longer gap between two verdicts was no work on the second
TOGETHER_SECONDS = 0.2  # a shorter one was no look: several were decided with one press
TOLERANCES = (0.01, 0.02, 0.05, 0.1)


@dataclass(slots=True)
class Progress:
    """What one person did in a round."""

    person: User
    approved: int = 0
    rejected: int = 0
    hidden: int = 0  # opinions on items that wait for those of others
    left: int = 0  # assigned, and waiting for them
    times: list[datetime] = field(default_factory=list)
    is_namesake: bool = False  # another in this round has the same name

    @property
    def name(self) -> str:
        return name_of(self.person)

    @property
    def label(self) -> str:
        """The name, and where it is not the only one of its kind, whose."""
        return f"{self.name} ({self.person.username})" if self.is_namesake else self.name

    @property
    def decided(self) -> int:
        return self.approved + self.rejected + self.hidden

    @property
    def share_approved(self) -> float | None:
        known = self.approved + self.rejected
        return self.approved / known if known else None

    @property
    def gaps(self) -> list[float]:
        """Seconds each verdict took: since the one before, pauses and bulk verdicts left out."""
        gaps = ((b - a).total_seconds() for a, b in pairwise(sorted(self.times)))
        return [gap for gap in gaps if TOGETHER_SECONDS <= gap <= PAUSE_SECONDS]

    @property
    def median_seconds(self) -> float | None:
        return median(self.gaps) if self.gaps else None

    @property
    def per_hour(self) -> float | None:
        """Verdicts an hour of work."""
        return 3600 * len(self.gaps) / sum(self.gaps) if self.gaps else None


def progress(stage: Stage, round_: int) -> list[Progress]:
    """A row for everybody who decided, or has items to decide. Five queries.

    A verdict that was taken back counts: it was work. So does an opinion that is hidden from the
    others still, without what it says.
    """
    rows: dict[int, Progress] = {}
    opinions = Opinion.objects.filter(item__stage=stage, item__round=round_)
    here = {"item__stage": stage, "item__round": round_}
    said = [
        *Review.objects.filter(**here, reviewed_as=ActorKind.PERSON, reviewer__isnull=False)
        .exclude(verdict=Verdict.WAITING)
        .values_list("reviewer", "verdict", "created_at"),
        *told(opinions).values_list("reviewer", "verdict", "created_at"),
        *((pk, None, at) for pk, at in hidden(opinions).values_list("reviewer", "created_at")),
    ]
    left = _left(stage, round_)
    people = User.objects.in_bulk({pk for pk, _, _ in said} | set(left))
    for pk, person in sorted(people.items()):
        rows[pk] = Progress(person, left=left.get(pk, 0))
    for pk, verdict, at in said:
        rows[pk].times.append(at)
        if verdict is None:
            rows[pk].hidden += 1
        elif verdict == Verdict.APPROVED:
            rows[pk].approved += 1
        else:
            rows[pk].rejected += 1
    called = Counter(row.name for row in rows.values())
    for row in rows.values():
        row.is_namesake = called[row.name] > 1
    return list(rows.values())


def _left(stage: Stage, round_: int) -> dict[int, int]:
    """reviewer -> items that wait for them."""
    waiting = Item.objects.filter(stage=stage, round=round_, verdict=Verdict.WAITING)
    owed = Assignment.objects.owed().filter(item__in=waiting).order_by()
    counted = owed.values("reviewer").annotate(n=Count("pk"))
    return {row["reviewer"]: row["n"] for row in counted}


def agreement(stage: Stage, round_: int) -> engine.Agreement:
    """Of the items of a round on which all opinions are in: the others' are nobody's to know."""
    here = Item.objects.filter(stage=stage, round=round_)
    waiting_for = Assignment.objects.owed().filter(item__in=here)
    found = Opinion.objects.filter(item__stage=stage, item__round=round_)
    units: dict[int, list[str]] = defaultdict(list)
    rows = found.exclude(item__in=waiting_for.values("item")).select_related("item")
    for opinion in rows.order_by("item", "pk"):
        if opinion.version == opinion.item.version:
            units[opinion.item_id].append(opinion.verdict)
    return engine.agreement(list(units.values()), seed=stage.run.seed)


def sample(stage: Stage, round_: int) -> tuple[Sample | None, sampling.Outcome | None]:
    found = Sample.objects.filter(stage=stage, round=round_).select_related("drawn_by").first()
    return found, sampling.outcome(found) if found else None


def plans(n_items: int) -> list[tuple[float, int | None]]:
    """How many to draw for some tolerances, if none of them is bad."""
    return [(tolerance, sampling.plan(n_items, tolerance)) for tolerance in TOLERANCES]


def guidelines(stage: Stage) -> Sequence[Guideline]:
    return list(stage.run.guidelines.select_related("author"))


def looking(stage: Stage, round_: int) -> list[Any]:
    return list(presence.looking(Item.objects.filter(stage=stage, round=round_)))


def beside(user: User | AnonymousUser, item: Item | None) -> dict[str, Any]:
    """What the review page says of the team beside an item."""
    if item is None:
        return {}
    guideline = item.stage.run.guidelines.select_related("author").first()
    assigned = list(item.assignments.select_related("reviewer"))
    if len(assigned) < 2 or item.verdict != Verdict.WAITING:
        beside: dict[str, Any] = {
            "guideline": guideline,
            "assigned": assigned,
            "is_shared": False,
        }
        if item.verdict == Verdict.WAITING and assigned and assigned[0].reviewer_id != user.pk:
            beside["for_another"] = assigned[0].reviewer
        return beside
    said = apart.opinions(item)
    mine = next((opinion for opinion in said if opinion.reviewer_id == user.pk), None)
    all_said = len(said) == len(assigned)
    return {
        "guideline": guideline,
        "assigned": assigned,
        "is_shared": True,
        "mine": mine,
        "may_say": mine is None and any(a.reviewer_id == user.pk for a in assigned),
        "n_said": len(said),
        "opinions": said if all_said else [],
    }
