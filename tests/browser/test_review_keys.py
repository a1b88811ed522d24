from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curriculum.models import Item
from curriculum.states import Verdict
from tests.factories import ItemFactory, StageFactory


@pytest.fixture
def queue():
    stage = StageFactory(reviewing=True, skills=["A1"])
    return ItemFactory.create_batch(4, stage=stage)


def shown(page, item):
    page.wait_for_selector(f"#item-{item.pk}")
    expect(page.locator(".htmx-settling")).to_have_count(0)  # until then a press is a form's


def verdicts():
    return list(Item.objects.order_by("pk").values_list("verdict", flat=True))


def test_a_queue_is_reviewed_with_the_keyboard_alone(school, visit, queue):
    first, second, third, fourth = queue
    page = visit(school.bob)
    page.goto(f"/stages/{first.stage_id}/review/")

    page.keyboard.press("a")
    shown(page, second)
    page.keyboard.press("r")
    page.keyboard.type("a step is missing")
    page.keyboard.press("Enter")
    shown(page, third)
    assert verdicts() == [Verdict.APPROVED, Verdict.REJECTED, "", ""]

    page.keyboard.press("z")
    shown(page, second)
    assert verdicts() == [Verdict.APPROVED, "", "", ""]

    page.keyboard.press("s")
    shown(page, third)
    page.keyboard.press("ArrowRight")
    shown(page, fourth)
    page.keyboard.press("ArrowLeft")
    shown(page, third)

    page.keyboard.press("e")
    page.wait_for_selector("#edit-solution")
    page.fill("#edit-solution", "One more. Answer: 9")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#edit")
    third.refresh_from_db()
    assert (third.version, third.solution) == (2, "One more. Answer: 9")

    page.keyboard.press("?")
    assert page.is_visible("#keys p")


def test_letters_typed_into_a_field_are_words_and_no_verdicts(school, visit, queue):
    page = visit(school.bob)
    page.goto(f"/stages/{queue[0].stage_id}/review/")

    page.keyboard.press("r")
    page.keyboard.type("a bad example")

    assert page.input_value("#reject-reason") == "a bad example"
    page.keyboard.press("Escape")
    assert not page.is_visible("#reject-reason")
    assert verdicts() == ["", "", "", ""]


def test_behind_a_tag_and_a_search_the_keys_act_again(school, visit, queue):
    page = visit(school.bob)
    page.goto(f"/stages/{queue[0].stage_id}/review/")
    heading = page.locator("#item-heading")

    page.keyboard.press("t")
    page.keyboard.type("easy")
    page.keyboard.press("Enter")
    page.wait_for_selector("#notices >> text=Tagged: easy.")
    expect(heading).to_be_focused()

    page.keyboard.press("/")
    page.keyboard.type(queue[1].question)
    page.keyboard.press("Enter")
    shown(page, queue[1])
    expect(heading).to_be_focused()

    page.keyboard.press("/")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(queue[2].question)
    page.keyboard.press("Escape")
    shown(page, queue[2])
    expect(heading).to_be_focused()
    assert page.input_value("#filter-q") == queue[2].question

    page.keyboard.press("a")
    page.wait_for_selector("text=No item matches")
    assert verdicts() == ["", "", Verdict.APPROVED, ""]


def test_two_quick_presses_decide_one_item_and_not_two(school, visit, queue):
    page = visit(school.bob)
    page.goto(f"/stages/{queue[0].stage_id}/review/")

    page.evaluate(
        """() => { for (let i = 0; i < 2; i++)
           document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "a", bubbles: true})) }"""
    )
    shown(page, queue[1])

    assert verdicts() == [Verdict.APPROVED, "", "", ""]


@pytest.fixture
def held():
    """Requests for an approval, until the test lets them go on."""
    return []


@pytest.fixture
def page(school, visit, queue, held):
    page = visit(school.bob)
    # before the page asks anything: what is on its way while this begins may be lost sight of
    page.route("**/approve/", lambda route: held.append(route))
    page.goto(f"/stages/{queue[0].stage_id}/review/")
    return page


def until_held(page, held):
    """Until one request waits: by its route, of which a browser tells later than of itself."""
    for _ in range(300):
        if held:
            break
        page.wait_for_timeout(100)
    assert len(held) == 1


def let_go(page, held):
    (route,) = held
    held.clear()
    route.continue_()


def test_keys_rest_while_an_answer_is_on_its_way(page, queue, held):
    page.keyboard.press("a")
    until_held(page, held)
    page.keyboard.type("r the sums are bad a lot")
    page.keyboard.press("Enter")
    assert not page.is_visible("#reject-reason")

    let_go(page, held)
    shown(page, queue[1])

    assert not page.is_visible("#reject-reason")
    assert not held
    assert verdicts() == [Verdict.APPROVED, "", "", ""]


def test_words_go_on_as_words_where_an_answer_took_their_field_away(page, queue, held):
    # The page's clock goes on only when told: it is the writer who pauses, not this machine.
    page.clock.install(time=0)
    page.clock.pause_at(3600)
    page.click("#approve")
    until_held(page, held)
    page.click("#reject")
    page.fill("#reject-reason", "the sums are b")
    page.focus("#reject-reason")

    let_go(page, held)
    shown(page, queue[1])
    for letter in "ad a lot":
        page.keyboard.type(letter)
        page.clock.run_for(100)
    page.keyboard.press("Enter")
    assert not page.is_visible("#reject-reason")
    assert not held

    page.clock.run_for(800)
    page.keyboard.press("a")
    until_held(page, held)
    let_go(page, held)
    shown(page, queue[2])
    assert verdicts() == [Verdict.APPROVED, Verdict.APPROVED, "", ""]


def test_focus_stays_on_the_button_that_was_pressed(school, visit, queue):
    page = visit(school.bob)
    page.goto(f"/stages/{queue[0].stage_id}/review/")

    page.focus("#approve")
    page.keyboard.press("Enter")
    shown(page, queue[1])

    expect(page.locator("#approve")).to_be_focused()


def test_a_rejection_without_a_reason_is_answered_beside_the_field(school, visit, queue):
    page = visit(school.bob)
    page.goto(f"/stages/{queue[0].stage_id}/review/")

    page.keyboard.press("r")
    page.keyboard.press("Enter")

    page.wait_for_selector("#reject-error")
    expect(page.locator("#reject-reason")).to_be_focused()


def test_somebody_else_was_faster_and_the_page_says_so(school, visit, queue):
    page = visit(school.bob)
    page.goto(f"/stages/{queue[0].stage_id}/review/")
    with school.turns.one():
        Item.objects.filter(pk=queue[0].pk).update(verdict=Verdict.REJECTED)

    page.keyboard.press("a")

    page.wait_for_selector("#notices .notice.error")
    assert "has just been changed" in page.inner_text("#notices")


def test_it_all_works_without_javascript(school, visit, queue):
    page = visit(school.bob, java_script_enabled=False)
    page.goto(f"/stages/{queue[0].stage_id}/review/")

    page.click("#approve")
    shown(page, queue[1])
    page.click("#reject")
    page.click("#reject-send")
    page.wait_for_selector("#reject-error")
    page.fill("#reject-reason", "too easy")
    page.click("#reject-send")
    shown(page, queue[2])
    page.click("#undo")
    shown(page, queue[1])

    assert verdicts() == [Verdict.APPROVED, "", "", ""]


def test_the_second_press_of_a_double_click_decides_nothing(school, visit, queue):
    first, second, third, _ = queue
    page = visit(school.bob)
    page.goto(f"/stages/{first.stage_id}/review/?view=list")
    box = page.locator(f"#approve-{first.pk}").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.mouse.click(x, y)
    expect(page.locator(f"#item-{first.pk}")).to_have_count(0)
    page.mouse.move(x, y)
    place = page.locator(f"#approve-{second.pk}").bounding_box()
    page.mouse.move(place["x"] + 9, place["y"] + 9)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    row = page.locator(f"#item-{third.pk}")
    row.get_by_text("Reject…").click()
    row.get_by_role("button", name="too easy").click()

    expect(row).to_have_count(0)
    assert verdicts() == [Verdict.APPROVED, "", Verdict.REJECTED, ""]
