"""The review queue in a browser: by keys alone, for many at once, and for people who write."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curriculum.models import Item, Review
from curriculum.states import Verdict
from tests.factories import ItemFactory, StageFactory


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def open_queue(page, stage, query=""):
    page.goto(f"/stages/{stage.pk}/review/{query}")


def shown(page, item):
    page.wait_for_selector(f"#item-{item.pk}")
    expect(page.locator(".htmx-settling")).to_have_count(0)  # until then a press is a form's


def verdict(item):
    return Item.objects.values_list("verdict", flat=True).get(pk=item.pk)


def test_fifty_items_are_reviewed_by_keys_alone(school, visit, stage):
    queue = ItemFactory.create_batch(50, stage=stage)
    page = visit(school.bob)
    open_queue(page, stage)

    for number, item in enumerate(queue):
        shown(page, item)
        if number == 10:  # one by its reason's number
            page.keyboard.press("r")
            page.keyboard.press("2")
        elif number == 20:  # one undone, and decided again
            page.keyboard.press("a")
            shown(page, queue[21])
            page.keyboard.press("z")
            shown(page, item)
            page.keyboard.press("a")
        elif number == 30:  # one edited
            page.keyboard.press("e")
            page.wait_for_selector("#edit-solution:focus, #edit-question:focus")
            page.keyboard.press("Tab")
            page.keyboard.press("ControlOrMeta+a")
            page.keyboard.type(f"One more makes it. Answer: {item.answer}")
            page.keyboard.press("Control+Enter")
            page.wait_for_selector("#edit")
            page.keyboard.press("a")
        else:
            page.keyboard.press("a")
    page.wait_for_selector("text=Every item has a verdict")

    assert Item.objects.filter(verdict=Verdict.APPROVED).count() == 49
    assert Review.objects.get(item=queue[10]).reason == "a step is wrong or missing"
    edited = Item.objects.get(pk=queue[30].pk)
    assert (edited.version, edited.solution[:8]) == (2, "One more")


def test_acts_are_undone_one_after_the_other_whatever_they_were(school, visit, stage):
    first, second = ItemFactory.create_batch(2, stage=stage)
    page = visit(school.bob)
    open_queue(page, stage)

    page.keyboard.press("a")
    shown(page, second)
    page.keyboard.press("e")
    page.wait_for_selector("#edit-solution")
    page.fill("#edit-solution", "Something else. Answer: 3")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#item-heading >> text=version 2")
    page.wait_for_selector("#edit")

    page.keyboard.press("z")
    page.wait_for_selector("#item-heading >> text=version 3")
    assert Item.objects.get(pk=second.pk).solution == second.solution
    page.keyboard.press("z")
    shown(page, first)
    assert verdict(first) == ""
    page.keyboard.press("z")
    page.wait_for_selector("#notices >> text=nothing of yours left to undo")


def test_all_that_match_are_approved_and_undone_at_once(school, visit, stage):
    a1, a2 = [row.skill for row in stage.stage_skills.all()]
    ItemFactory.create_batch(30, stage=stage, skill=a1)
    others = ItemFactory.create_batch(3, stage=stage, skill=a2)
    page = visit(school.bob)
    open_queue(page, stage)

    page.select_option("#filter-skill", "A1")
    page.wait_for_selector("text=Approve all 30 that match")
    assert "skill=A1" in page.url
    page.click("#approve-all summary")
    page.click("#approve-all-send")
    page.wait_for_selector("#notices >> text=Approved together: 30")
    assert {verdict(item) for item in others} == {""}

    page.keyboard.press("z")
    page.wait_for_selector("#notices >> text=Undone: approved 30 items; they wait")
    assert not Item.objects.exclude(verdict="").exists()


def test_the_focus_is_never_lost_behind_a_change(school, visit, stage):
    first, second = ItemFactory.create_batch(2, stage=stage)
    page = visit(school.bob)
    open_queue(page, stage)

    page.keyboard.press("r")
    page.keyboard.type("odd")
    page.keyboard.press("Enter")
    shown(page, second)
    expect(page.locator("#item-heading")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("a")
    page.wait_for_selector("text=Every item has a verdict")

    expect(page.locator("#item-heading")).to_be_focused()
    assert verdict(first) == Verdict.REJECTED


def test_the_button_stays_under_the_mouse_from_verdict_to_verdict(school, visit, stage):
    queue = ItemFactory.create_batch(4, stage=stage)
    page = visit(school.bob)
    open_queue(page, stage)
    before = page.locator("#approve").bounding_box()
    watched = page.evaluate_handle(
        """() => {
          const seen = new Set();
          const look = () => {
            const button = document.getElementById("approve");
            if (button) seen.add(button.getBoundingClientRect().top);
            requestAnimationFrame(look);
          };
          look();
          return seen;
        }"""
    )

    page.mouse.move(before["x"] + 10, before["y"] + 10)
    for item in queue[1:]:
        page.mouse.down()
        page.mouse.up()
        shown(page, item)
        expect(page.locator("#notices .notice.success:not(.is-old)")).to_have_text("Approved.")

    assert watched.evaluate("seen => [...seen]") == [before["y"]]
    assert [verdict(item) for item in queue] == [Verdict.APPROVED] * 3 + [""]


def test_words_are_replaced_after_a_look_and_come_back(school, visit, stage):
    item = ItemFactory(stage=stage, question="What is 7 + 1?", answer="8")
    page = visit(school.bob)
    open_queue(page, stage)
    page.click("#all-that-match summary")
    page.click("#to-replace")

    page.fill("[name=find]", "Add one more.")
    page.fill("[name=put]", "One more makes it.")
    page.click("#preview")
    page.wait_for_selector("text=1 item would change")
    assert page.inner_text("ins") == "One"
    page.click("#replace-send")
    page.wait_for_selector("#notices >> text=Replaced in 1")
    assert Item.objects.get().solution == "One more makes it. Answer: 8"

    page.click("#undo")
    page.wait_for_selector("#notices >> text=Undone")
    assert Item.objects.get().solution == item.solution


def write_one_and_one(page, stage):
    """Up to the button that sends it."""
    open_queue(page, stage)
    page.click("#to-write")
    page.fill("[name=question]", "What is 1 + 1?")
    page.fill("[name=solution]", "One and one make 2. Answer: 2")
    page.fill("[name=answer]", "2")


def test_a_person_writes_an_item_without_javascript(school, visit, stage):
    ItemFactory(stage=stage)
    page = visit(school.bob, java_script_enabled=False)
    write_one_and_one(page, stage)
    page.click("#write-send")

    expect(page.locator("#notices")).to_contain_text("It passes every check.")
    expect(page.locator(f"#item-{Item.objects.get(origin='person').pk}")).to_be_visible()


def test_filters_are_searched_saved_and_removed(school, visit, stage):
    ItemFactory(stage=stage, question="What is 70 + 1?")
    wanted = ItemFactory(stage=stage, question="What is 80 + 1?")
    page = visit(school.bob)
    open_queue(page, stage)

    page.keyboard.press("/")
    page.keyboard.type("80 +")
    page.keyboard.press("Enter")
    shown(page, wanted)
    page.fill("#filter-name", "eighties")
    page.press("#filter-name", "Enter")
    page.wait_for_selector("#notices >> text=Filter saved as “eighties”.")

    open_queue(page, stage)
    page.click("text=eighties")
    shown(page, wanted)
    page.click("[aria-label='Remove the filter eighties']")
    page.wait_for_selector("#notices >> text=Filter removed.")
    assert not page.is_visible("text=eighties")


def test_on_a_phone_the_filters_are_folded_until_they_are_asked_for(school, visit, stage):
    ItemFactory(stage=stage)
    page = visit(school.bob, width=390)
    open_queue(page, stage)

    assert not page.is_visible("#filter-skill")
    page.click("#filter-panel > summary")
    page.select_option("#filter-verdict", "all")
    page.wait_for_url("**verdict=all**")
    page.wait_for_selector("#filter-skill")


def test_on_a_phone_the_answer_and_what_speaks_against_it_are_read_above_the_bar(
    school, visit, stage
):
    ItemFactory(stage=stage, flagged=True)
    page = visit(school.bob, width=390)
    page.set_viewport_size({"width": 390, "height": 664})
    open_queue(page, stage)

    bar = page.locator(".verdicts").bounding_box()["y"]
    for part in (".turn.is-trained", "#failed-checks"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= bar
    assert not page.is_visible("#to-write")
    page.click("#filter-panel > summary")
    assert page.is_visible("#to-write")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_its_pages_are_usable_by_everybody_and_fit(school, visit, violations, stage, scheme, width):
    item = ItemFactory(stage=stage, flagged=True)
    ItemFactory(stage=stage)
    page = visit(school.bob, width=width, color_scheme=scheme)
    page.goto(f"/stages/{stage.pk}/review/?q=what&checks=flagged")
    found = []

    for address in (
        f"review/?q=what&item={item.pk}",
        "review/?q=nowhere",
        "replace/preview/?find=Add&put=Put&solution=on",
        "replace/preview/?find=nowhere&question=on",
        "items/new/",
    ):
        page.goto(f"/stages/{stage.pk}/{address}")
        for details in page.query_selector_all("main details:not([open])"):
            details.evaluate("each => each.open = true")
        found += violations(page)
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")

    assert found == []


def test_a_list_is_worked_through_in_its_rows(school, visit, stage):
    first, second, third = ItemFactory.create_batch(3, stage=stage)
    page = visit(school.bob)
    open_queue(page, stage)
    shown(page, first)

    page.keyboard.press("l")
    page.click(f"#approve-{second.pk}")
    expect(page.locator(f"#item-{second.pk}")).to_have_count(0)
    expect(page.locator(f"#approve-{third.pk}")).to_be_focused()
    page.click(f"#item-{third.pk} a")
    expect(page.locator("#approve")).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator(f"#approve-{first.pk}")).to_be_visible()
    page.keyboard.press("l")
    expect(page.locator("#approve")).to_be_visible()

    assert [verdict(item) for item in (first, second, third)] == ["", "approved", "approved"]


def test_behind_a_written_item_stands_the_review_by_its_own_address(school, visit, stage):
    ItemFactory(stage=stage)
    page = visit(school.bob)
    write_one_and_one(page, stage)
    page.click("#write-send-here")

    page.wait_for_url("**/review/?*item=*")
    assert page.title().startswith("Review · stage")
    assert page.inner_text(".crumbs [aria-current]") == "Review"
    page.reload()
    assert page.is_visible(f"#item-{Item.objects.get(origin='person').pk}")
