"""Keys of one character can be switched off: WCAG 2.1.4."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curriculum.models import Item
from curriculum.states import Verdict
from tests.factories import ItemFactory, StageFactory


@pytest.fixture
def queue():
    return ItemFactory.create_batch(4, stage=StageFactory(reviewing=True, skills=["A1"]))


def shown(page, item):
    page.wait_for_selector(f"#item-{item.pk}")


def verdicts():
    return list(Item.objects.order_by("pk").values_list("verdict", flat=True))


def switch(page):
    return page.get_by_role("checkbox", name="Use single-letter keys")


def test_keys_of_one_letter_can_be_switched_off_and_that_is_remembered(school, visit, queue):
    first, second, third, fourth = queue
    page = visit(school.bob)
    page.goto(f"/stages/{first.stage_id}/review/")
    switch(page).uncheck()
    page.reload()
    expect(switch(page)).not_to_be_checked()

    page.keyboard.press("a")
    page.keyboard.press("ArrowRight")
    shown(page, second)
    page.click("#reject")
    page.keyboard.press("1")
    page.keyboard.press("ArrowRight")
    shown(page, third)
    assert verdicts() == ["", "", "", ""]
    expect(page.locator("#approve kbd")).to_be_hidden()

    switch(page).check()
    page.keyboard.press("a")
    shown(page, fourth)
    assert verdicts() == ["", "", Verdict.APPROVED, ""]


def test_where_nothing_is_remembered_the_switch_holds_all_the_same(school, visit, queue):
    page = visit(school.bob)
    page.add_init_script(
        """Object.defineProperty(window, "localStorage", {get() { throw new Error("no") }})"""
    )
    page.goto(f"/stages/{queue[0].stage_id}/review/?view=list")

    switch(page).uncheck()
    page.click("#one-by-one")
    page.wait_for_selector("#approve")

    expect(switch(page)).not_to_be_checked()
    page.keyboard.press("a")
    page.keyboard.press("ArrowRight")
    shown(page, queue[1])
    assert verdicts() == ["", "", "", ""]
