"""Who looks at an item: one at a time is told, and nobody is kept out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from curriculum.models import AuditEntry, Item, ItemLock
from curriculum.services import items, presence
from curriculum.services.audit import Actor
from curriculum.states import Verdict
from tests.factories import ItemFactory, ReviewerFactory, StageFactory

pytestmark = pytest.mark.django_db(transaction=connection.vendor != "sqlite")


@pytest.fixture
def ada(db):
    return ReviewerFactory(first_name="Ada", last_name="")


@pytest.fixture
def bob(db):
    return ReviewerFactory(first_name="Bob", last_name="")


def pass_seconds(seconds):
    then = timezone.now() - timedelta(seconds=seconds)
    ItemLock.objects.update(renewed_at=then)


def test_the_second_person_is_told_who_looks_and_since_when(ada, bob):
    item = ItemFactory()
    first = presence.look(item, person=ada)

    told = presence.look(item, person=bob)

    assert (told.person, told.since) == (ada, first.since)


def test_a_page_that_stays_open_keeps_its_lock_and_its_beginning(ada, bob, settings):
    item = ItemFactory()
    first = presence.look(item, person=ada)
    pass_seconds(settings.IOA_LOOK_SECONDS - 10)

    again = presence.look(item, person=ada)

    assert again.since == first.since
    assert again.renewed_at > first.renewed_at
    assert presence.look(item, person=bob).person == ada


def test_a_lock_that_no_page_renews_expires(ada, bob, settings):
    item = ItemFactory()
    presence.look(item, person=ada)
    pass_seconds(settings.IOA_LOOK_SECONDS + 1)

    assert list(presence.free(Item.objects.all(), bob)) == [item]
    assert not presence.looking(Item.objects.all()).exists()
    assert presence.look(item, person=bob).person == bob


def test_who_takes_over_has_it_and_the_first_is_told_by_their_next_heartbeat(ada, bob):
    item = ItemFactory()
    presence.look(item, person=ada)

    presence.look(item, person=bob, take_over=True)

    assert presence.look(item, person=ada).person == bob


def test_a_person_looks_at_one_item_at_a_time(ada, bob):
    first, second = ItemFactory.create_batch(2, stage=StageFactory(reviewing=True))
    presence.look(first, person=ada)
    presence.look(second, person=ada)

    assert list(presence.free(Item.objects.all(), bob)) == [first]
    assert presence.free(Item.objects.all(), ada).count() == 2
    assert [lock.item for lock in presence.looking(Item.objects.all())] == [second]


def test_a_lock_forbids_nothing_and_leaves_no_entry(ada, bob):
    item = ItemFactory()
    presence.look(item, person=ada)
    assert not AuditEntry.objects.exists()

    items.approve(item, actor=Actor.person(bob), version=1)

    assert Item.objects.get().verdict == Verdict.APPROVED


def test_of_two_who_open_an_item_at_once_one_has_it_and_both_know_who(at_once, ada, bob):
    item = ItemFactory()

    locks = at_once([lambda who=who: presence.look(item, person=who) for who in (ada, bob)])

    assert all(isinstance(lock, ItemLock) for lock in locks), locks
    assert locks[0].person == locks[1].person
    assert at_once([ItemLock.objects.count]) == [1]


def test_of_two_who_take_over_at_once_one_has_it(at_once, ada, bob):
    item = ItemFactory()
    presence.look(item, person=ReviewerFactory())

    at_once([lambda w=who: presence.look(item, person=w, take_over=True) for who in (ada, bob)])

    assert at_once([ItemLock.objects.count]) == [1]
    assert at_once([lambda: ItemLock.objects.get().person_id in (ada.pk, bob.pk)]) == [True]


def test_a_lock_that_is_given_up_while_somebody_asks_for_it_is_theirs(ada, bob, monkeypatch):
    item = ItemFactory()
    presence.look(item, person=ada)
    limit = presence._limit

    def and_ada_goes_on(now):
        ItemLock.objects.filter(person=ada).delete()  # in another transaction, at this moment
        return limit(now)

    monkeypatch.setattr(presence, "_limit", and_ada_goes_on)

    assert presence.look(item, person=bob).person == bob
