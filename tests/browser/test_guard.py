"""Words that a person typed and did not save."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.factories import ItemFactory, StageFactory


@pytest.fixture
def item():
    stage = StageFactory(reviewing=True, skills=["A1"])
    return ItemFactory.create_batch(2, stage=stage)[0]


@pytest.fixture
def asked():
    """What the browser asked, and what is answered to it."""
    return {"questions": [], "answer": False}


@pytest.fixture
def page(school, visit, item, asked):
    page = visit(school.bob)

    def answer(dialog):
        asked["questions"].append(dialog.type)
        dialog.accept() if asked["answer"] else dialog.dismiss()

    page.on("dialog", answer)
    page.goto(f"/stages/{item.stage_id}/review/?item={item.pk}&edit=1")
    return page


def type_words(page):
    page.fill("#edit-solution", "A better one.")
    page.focus("#edit-solution")


@pytest.mark.parametrize("leave", ["Escape", "Leave as it is", "Team", "Skip →"])
def test_words_that_are_not_saved_are_left_only_when_a_person_says_so(page, asked, leave):
    type_words(page)

    def go():
        if leave == "Escape":
            page.keyboard.press("Escape")
        else:
            page.locator("main a", has_text=leave).click()

    go()
    assert asked["questions"] == ["confirm"]
    assert page.input_value("#edit-solution") == "A better one."
    expect(page.locator("#edit-solution")).to_be_focused()

    asked["answer"] = True
    go()
    expect(page.locator("#edit-solution")).to_have_count(0)
    assert asked["questions"] == ["confirm", "confirm"]


def test_an_address_that_is_typed_is_asked_about_as_well(page, asked):
    type_words(page)

    with page.expect_event("dialog"):  # the browser goes, and asks, after the script has ended
        page.evaluate("location.href = '/jobs/'")

    expect(page.locator("#edit-solution")).to_have_value("A better one.")
    assert asked["questions"] == ["beforeunload"]


def test_nobody_is_asked_where_nothing_was_typed_or_all_was_saved(page, asked):
    page.keyboard.press("Escape")
    page.wait_for_selector("#edit")
    page.keyboard.press("e")
    page.wait_for_selector("#edit-solution")
    type_words(page)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#item-heading >> text=version 2")
    page.get_by_role("link", name="Team").click()
    page.wait_for_url("**/team/")

    assert asked["questions"] == []


def test_words_that_were_refused_are_not_saved_either(page, asked):
    page.fill("#edit-question", "Another one?")
    page.fill("#edit-solution", "")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("#edit-solution-error")

    page.click("text=Leave as it is")

    assert asked["questions"] == ["confirm"]
    assert page.input_value("#edit-question") == "Another one?"
