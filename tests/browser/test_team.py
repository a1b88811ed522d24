"""Two people on one item, in two browsers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curriculum.models import Assignment, Item, ItemLock
from curriculum.services import items
from curriculum.services.audit import Actor
from curriculum.states import Verdict
from tests.factories import ItemFactory, ReviewerFactory, StageFactory


@pytest.fixture
def queue():
    stage = StageFactory(reviewing=True, skills=["A1"])
    return ItemFactory.create_batch(4, stage=stage)


def open_item(page, item):
    page.goto(f"/stages/{item.stage_id}/review/?item={item.pk}")
    page.wait_for_selector(f"#item-{item.pk}")


def test_the_second_person_on_an_item_is_told_and_goes_on_to_a_free_one(school, visit, queue):
    ada, bob = visit(school.ada), visit(school.bob)
    with ada.expect_response("**/look/"):
        open_item(ada, queue[0])

    open_item(bob, queue[0])

    bob.wait_for_selector("#looking")
    assert "Ada has been looking at this for a few seconds." in bob.inner_text("#looking")
    assert not ada.is_visible("#looking")
    with bob.expect_response("**/look/"):
        bob.click("#next-free")
    bob.wait_for_selector(f"#item-{queue[1].pk}")
    assert set(ItemLock.objects.values_list("item", "person")) == {
        (queue[0].pk, school.ada.pk),
        (queue[1].pk, school.bob.pk),
    }


def test_who_takes_over_decides_and_the_first_is_refused_in_words(school, visit, queue):
    ada, bob = visit(school.ada), visit(school.bob)
    with ada.expect_response("**/look/"):
        open_item(ada, queue[0])
    open_item(bob, queue[0])

    bob.click("#take-over")
    bob.wait_for_selector("#looking", state="detached")
    bob.keyboard.press("a")
    bob.wait_for_selector(f"#item-{queue[1].pk}")
    ada.keyboard.press("a")

    ada.wait_for_selector("#notices .notice.error")
    assert "has just been changed" in ada.inner_text("#notices")
    assert list(Item.objects.order_by("pk").values_list("verdict", flat=True)) == [
        Verdict.APPROVED,
        *[""] * 3,
    ]


# what its trigger does every half minute
BEAT = """htmx.ajax("POST", document.getElementById("presence").getAttribute("hx-post"),
  {source: "#presence", target: "#presence"})"""


def beat(page):
    """Once, and its answer is dealt with. It would wait in line behind one that is on its way, and
    that one's answer would be taken for its own."""
    expect(page.locator("#presence.htmx-request")).to_have_count(0)
    with page.expect_response("**/look/"):
        page.evaluate(BEAT)  # until its promise is kept, which is when the answer is in the page


def test_the_heartbeat_leaves_what_was_said_and_typed_alone(school, visit, queue):
    page = visit(school.bob)
    open_item(page, queue[0])

    page.keyboard.press("a")
    page.wait_for_selector("#notices .notice.success")
    beat(page)
    assert page.inner_text("#notices") == "Approved."
    page.keyboard.press("r")
    page.keyboard.type("a step")
    beat(page)

    assert page.input_value("#reject-reason") == "a step"
    expect(page.locator("#reject-reason")).to_be_focused()


def test_two_opinions_by_key_make_the_verdict(school, visit, queue):
    for who in (school.ada, school.bob):
        Assignment.objects.create(item=queue[0], reviewer=who)

    for who in (school.ada, school.bob):
        page = visit(who)
        page.goto(f"/stages/{queue[0].stage_id}/team/")
        page.click("#next-action a")
        page.wait_for_selector(f"#item-{queue[0].pk}")
        page.keyboard.press("a")
        page.wait_for_selector("#notices .notice.success")

    assert Item.objects.get(pk=queue[0].pk).verdict == Verdict.APPROVED


def test_namesakes_have_a_row_each_in_the_picture_and_the_table(school, visit, queue):
    people = [
        ReviewerFactory(username=name, first_name="Eve", last_name="<i>No</i>") for name in "xy"
    ]
    for person, item in zip(people, queue, strict=False):
        items.approve(item, actor=Actor.person(person), version=1)
    page = visit(school.ada)
    page.goto(f"/stages/{queue[0].stage_id}/team/")

    labels = ["Eve <i>No</i> (x)", "Eve <i>No</i> (y)"]
    expect(page.locator("#people .ytick text")).to_have_text(labels)
    expect(page.locator("[aria-label='People, table'] tbody th")).to_have_text(labels)
    bars = page.locator("#people .trace.bars").first.locator(".point")
    expect(bars).to_have_count(2)
