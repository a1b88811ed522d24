"""Items that are not decided like all others: those of several reviewers, and of a sample.

Only reads, for the services that decide and for the pages.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, OuterRef, QuerySet

from curriculum.errors import NotYours
from curriculum.models import Assignment, Item, Opinion, Review, Sample, Stage
from curriculum.numbers import number
from curriculum.services.audit import Actor
from curriculum.states import ActorKind, Verdict


def assigned_to(user: User | AnonymousUser) -> QuerySet[Item]:
    """Everything that was ever shared out to the person and still is theirs."""
    return Item.objects.filter(assignments__reviewer=user.pk or 0)


def left_for(user: User | AnonymousUser) -> QuerySet[Item]:
    """What of it waits for this person: no verdict, and no opinion of theirs on this version."""
    said = Opinion.objects.filter(item=OuterRef("pk"), version=OuterRef("version"))
    waiting = assigned_to(user).filter(verdict=Verdict.WAITING)
    return waiting.exclude(Exists(said.filter(reviewer=user.pk or 0)))


def shared(items: QuerySet[Item]) -> QuerySet[Assignment, Any]:
    """pks of those of `items` that several people give independent opinions on."""
    here = Assignment.objects.filter(item__in=items.order_by().values("pk")).order_by()
    return here.values("item").annotate(n=Count("pk")).filter(n__gt=1).values("item")


def is_shared(item: Item) -> bool:
    return Assignment.objects.filter(item=item).count() > 1


def opinions(item: Item) -> list[Opinion]:
    """What those who are assigned said of the current version, in the order they said it."""
    said = Opinion.objects.filter(item=item, version=item.version)
    assigned = Assignment.objects.filter(item=item).values("reviewer")
    return list(said.filter(reviewer__in=assigned).select_related("reviewer").order_by("pk"))


def all_said(item: Item) -> bool:
    """Whether several are assigned and all of them gave their opinion on this version."""
    n = Assignment.objects.filter(item=item).count()
    return n > 1 and len(opinions(item)) == n


def narrow(items: QuerySet[Item], stage: Stage, round: int, only: str) -> QuerySet[Item]:
    """A queue's filter `only`: "for-12" is what waits for person 12, "sample" what was drawn."""
    if only == "sample":
        sample = Sample.objects.filter(stage=stage, round=round).first()
        return items.filter(pk__in=[pk for pk, _ in sample.items] if sample else [])
    person = number(only.removeprefix("for-"))
    if only.startswith("for-") and person is not None:
        return items.filter(pk__in=left_for(User(pk=person)).values("pk"))
    return items


def to_adjudicate(stage: Stage, round: int) -> QuerySet[Item]:
    """Items on which all opinions are in, and which wait all the same: somebody has to decide."""
    waiting = Item.objects.filter(stage=stage, round=round, verdict=Verdict.WAITING)
    silent = Assignment.objects.owed().filter(item__in=waiting).values("item")
    return waiting.filter(pk__in=shared(waiting)).exclude(pk__in=silent).order_by("pk")


def require_free(item: Item, *, actor: Actor) -> None:
    """Raise `NotYours` where one person alone may not give the verdict."""
    if actor.kind != ActorKind.PERSON or not is_shared(item):
        return
    raise NotYours(
        "This item takes the independent opinions of several reviewers: the verdict is given when "
        "they agree, or by an approver when they differ."
    )


def one_by_one(stage: Stage, round: int, *, actor: Actor) -> set[int]:
    """pks of the items that are not decided together with others: each is looked at by a person.

    Those of several reviewers, and of a sample that is open. For policy also those of which a
    person has taken the verdict back: it has not been asked again.
    """
    here = Item.objects.filter(stage=stage, round=round)
    found = set(here.filter(pk__in=shared(here)).values_list("pk", flat=True))
    sample = Sample.objects.filter(stage=stage, round=round, approved_at=None).first()
    if sample:
        found |= {pk for pk, _ in sample.items}
    if actor.kind != ActorKind.PERSON:
        taken_back = Review.objects.standing().filter(
            item__in=here, reviewed_as=ActorKind.PERSON, version=F("item__version")
        )
        found |= set(taken_back.values_list("item", flat=True))
    return found


def opined(stages: list[int]) -> QuerySet[Opinion, Any]:
    """Opinions that helped an item through: approved, on the version that is."""
    several = shared(Item.objects.filter(stage__in=stages))
    return Opinion.objects.filter(
        verdict=Verdict.APPROVED, version=F("item__version"), item__in=several
    )
