"""Which items a filter finds, and in which order a person walks through them."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from curriculum.models import Item
from curriculum.services import items
from curriculum.services.audit import Actor
from curriculum.services.matching import SORTS, Queue
from tests.factories import ItemFactory, StageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def found(stage, **chosen):
    return list(Queue(0, verdict="all", **chosen).items(stage))


def test_an_item_is_found_by_what_is_said_of_it(stage, approver):
    a2 = stage.stage_skills.last().skill
    item = ItemFactory(
        stage=stage,
        skill=a2,
        question="Wie heißt 7 + 1?",
        answer="8",
        operations=["limit_load"],
        origin="person",
        level=3,
        flagged=True,
    )
    ItemFactory.create_batch(2, stage=stage, operations=["limit"], question="What is 3 + 1?")
    items.tag(item, actor=approver, word="odd")
    items.approve(item, actor=approver, version=1)

    for chosen in (
        {"skill": "A2"},
        {"checks": "flagged"},
        {"failed": "answer"},
        {"operation": "limit_load"},
        {"origin": "person"},
        {"level": "3"},
        {"reviewer": str(approver.user.pk)},
        {"tag": "odd"},
        {"q": "WIE"},
        {"q": "one more. answer: 8"},
    ):
        assert found(stage, **chosen) == [item], chosen


@pytest.mark.parametrize(
    "chosen",
    [{"failed": "answ"}, {"q": "%"}, {"q": "_"}, {"reviewer": "policy"}, {"level": "9" * 30}],
    ids=str,
)
def test_nothing_is_found_by_half_a_name_or_a_wildcard(stage, chosen):
    ItemFactory(stage=stage, flagged=True)

    assert found(stage, **chosen) == []


def test_a_reviewer_is_who_gave_the_verdict_that_stands(stage, approver):
    item = ItemFactory(stage=stage)
    items.approve(item, actor=approver, version=1)
    items.undo(item, actor=approver, version=1)
    items.approve(item, actor=Actor.policy("a rule"), version=1)

    assert found(stage, reviewer=str(approver.user.pk)) == []
    assert found(stage, reviewer="policy") == [item]


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_meets_each_item_once_and_leads_back(stage, sort):
    a1, a2 = [row.skill for row in stage.stage_skills.all()]
    for number, skill in enumerate((a2, a1, a2, a1, a2)):
        question = f"What is {'1' * (number % 3 + 1)} + 1?"
        ItemFactory(stage=stage, skill=skill, question=question, flagged=number % 2 == 1)
    queue = Queue(0, sort=sort)
    walk = list(queue.walk(stage))

    met = [walk[0]]
    while behind := queue.beside(stage, met[-1]).first():
        met.append(behind)
    back = [met[-1]]
    while before := queue.beside(stage, back[-1], back=True).first():
        back.append(before)

    assert met == walk
    assert back == walk[::-1]
    assert len(set(met)) == 5


def test_orders_put_first_what_they_promise(stage):
    a1, a2 = [row.skill for row in stage.stage_skills.all()]
    short = ItemFactory(stage=stage, skill=a2, question="1 + 1?", answer="2", flagged=True)
    long = ItemFactory(stage=stage, skill=a1, question="How much is 1 + 1?", answer="2")
    middle = ItemFactory(stage=stage, skill=a2, question="What is 1 + 1?")

    order = {sort: list(Queue(0, sort=sort).walk(stage)) for sort in SORTS}

    assert order[""] == [short, long, middle]
    assert order["shortest"] == [short, middle, long]
    assert order["longest"] == [long, middle, short]
    assert order["skill"] == [long, short, middle]
    assert order["failed"] == [short, long, middle]


def test_what_is_behind_an_item_is_known_when_it_has_left_the_queue(stage):
    first, second = ItemFactory.create_batch(2, stage=stage)
    Item.objects.filter(pk=first.pk).update(verdict="approved")

    assert Queue(0).beside(stage, first).get() == second


def test_an_address_says_the_filter_and_leaves_out_what_is_usual(stage):
    said = QueryDict(
        "verdict=all&q=%00carry%20&level=x&sort=up&failed=answer&reviewer=policy&odd=1"
    )
    queue = Queue.of(stage, said)

    assert queue == Queue(0, verdict="all", q="carry", failed="answer", reviewer="policy")
    assert queue.query(item=7) == "round=0&verdict=all&failed=answer&reviewer=policy&q=carry&item=7"
    assert Queue.of(stage, QueryDict(queue.query())) == queue
