"""Who looks at which item: soft locks that pages take, renew and leave to expire.

A lock tells others, so that two people do not read the same item. It forbids nothing: what keeps
a second verdict out is the version that each form names. No decision, so no entry in the log.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from curriculum.models import Item, ItemLock


@transaction.atomic
def look(item: Item, *, person: User, take_over: bool = False) -> ItemLock:
    """Take the item's lock, or renew it; give the lock as it is then, with whose it is.

    Another person's lock is left alone until it expires, unless it is taken over. A person looks
    at one item at a time: their other locks are given up.
    """
    now = timezone.now()
    ItemLock.objects.filter(person=person).exclude(item=item).delete()
    lock, is_new = ItemLock.objects.get_or_create(
        item=item, defaults={"person": person, "since": now, "renewed_at": now}
    )
    if is_new:
        return lock
    here = ItemLock.objects.filter(pk=lock.pk)
    alive = Q(renewed_at__gt=_limit(now))
    if here.filter(alive, person=person).update(renewed_at=now):
        pass  # still mine
    elif take_over:
        here.update(person=person, since=now, renewed_at=now)
    else:
        here.exclude(alive).update(person=person, since=now, renewed_at=now)
    found = ItemLock.objects.select_related("person").filter(pk=lock.pk).first()
    # gone: whose it was looks at another item by now, so that it is free
    return found or look(item, person=person)


def free(items: QuerySet[Item], user: User | AnonymousUser) -> QuerySet[Item]:
    """Those of `items` that nobody else looks at now."""
    others = ItemLock.objects.filter(item=OuterRef("pk"), renewed_at__gt=_limit(timezone.now()))
    return items.exclude(Exists(others.exclude(person=user.pk or 0)))


def looking(items: QuerySet[Item]) -> QuerySet[ItemLock, Any]:
    """The locks on `items` that count, with their people."""
    alive = ItemLock.objects.filter(item__in=items, renewed_at__gt=_limit(timezone.now()))
    return alive.select_related("person", "item").order_by("since")


def _limit(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.IOA_LOOK_SECONDS)
