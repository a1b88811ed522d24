"""What is typed while a page answers stays as it is typed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from curriculum.models import Item
from curriculum.states import Verdict
from tests.factories import ItemFactory, StageFactory


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1"])


class Held:
    """Requests that wait until the test lets them go on."""

    def __init__(self, page):
        self.page, self.routes, self.is_over = page, [], False

    def take(self, route):
        if self.is_over:
            route.continue_()
        else:
            self.routes.append(route)

    def wait(self):
        """Until one waits: by its route, of which a browser tells later than of itself."""
        for _ in range(300):
            if self.routes:
                break
            self.page.wait_for_timeout(100)
        assert len(self.routes) == 1

    def let_go(self):
        self.wait()
        self.routes.pop().continue_()

    def end(self):
        """From now on nothing waits."""
        self.is_over = True
        while self.routes:
            self.routes.pop().continue_()


@pytest.fixture
def page(school, visit, stage):
    for question in ("What is red?", "What is round?", "What is a rose?"):
        ItemFactory(stage=stage, question=question, answer="it")
    return visit(school.bob)


@pytest.fixture
def held(page, stage):
    """The queue's searches, and what is decided; its page is open."""
    held = Held(page)
    # before the page asks anything: what is on its way while this begins may be lost sight of
    page.route(re.compile(r"[?&]q=[^&]|/approve/$"), held.take)
    page.goto(f"/stages/{stage.pk}/review/?view=list")
    return held


def listed(page, *questions):
    expect(page.locator("#review .items tbody th a")).to_have_text(list(questions))


def says(page, words):
    expect(page.locator("#filter-q")).to_have_value(words)


# `insert_text` is one event, so that one search goes out however slow this machine is.


def test_letters_typed_while_a_search_is_on_its_way_are_looked_for_as_well(page, held):
    page.keyboard.press("/")
    page.keyboard.insert_text("is r")
    held.wait()
    page.keyboard.type("ou")

    held.let_go()
    listed(page, "What is red?", "What is round?")
    says(page, "is rou")
    page.keyboard.type("nd")
    held.end()

    listed(page, "What is round?")
    says(page, "is round")
    expect(page.locator("#filter-q")).to_be_focused()
    expect(page).to_have_url(re.compile(r"[?&]q=is%20round(&|$)"))


def test_the_next_word_goes_on_behind_a_space_and_where_the_caret_was(page, held):
    page.keyboard.press("/")
    page.keyboard.insert_text("is ")
    held.wait()
    held.let_go()
    expect(page).to_have_url(re.compile("[?&]q=is"))
    says(page, "is ")
    page.keyboard.insert_text("ose")
    held.wait()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.type("a ")

    held.let_go()
    listed(page)
    page.keyboard.type("r")
    held.end()

    listed(page, "What is a rose?")
    says(page, "is a rose")


def test_letters_typed_while_a_verdict_is_on_its_way_are_looked_for(page, held):
    first = Item.objects.order_by("pk").first()
    page.click(f"#approve-{first.pk}")
    held.wait()
    page.click("#filter-q")
    page.keyboard.type("ose")

    held.let_go()
    listed(page, "What is round?", "What is a rose?")
    says(page, "ose")
    held.end()

    listed(page, "What is a rose?")
    assert Item.objects.get(pk=first.pk).verdict == Verdict.APPROVED


def test_letters_taken_out_again_while_a_search_is_on_its_way_stay_out(page, held):
    page.keyboard.press("/")
    page.keyboard.insert_text("rose")
    held.wait()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")

    held.let_go()
    expect(page).to_have_url(re.compile(r"[?&]q=(&|$)"))

    listed(page, "What is red?", "What is round?", "What is a rose?")
    says(page, "")


# --- Dates of the log -----------------------------------------------------------------------------


@pytest.fixture
def log(school, visit, stage):
    """The log of a run, and the filters that its page asked for."""
    page = visit(school.ada, locale="en-US")
    page.goto(f"/runs/{stage.run_id}/audit/")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "since=" in request.url else 0)
    return page, asked


def test_a_date_is_typed_to_its_end_before_anything_is_asked(log):
    page, asked = log
    since, until = page.locator("#filter-since"), page.locator("#filter-until")

    since.focus()
    page.keyboard.type("11242026")
    page.keyboard.press("Tab")
    expect(since).to_have_value("2026-11-24")
    until.focus()
    page.keyboard.type("11302026")
    expect(until).to_have_value("2026-11-30")
    assert asked == []
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("since=2026-11-24&until=2026-11-30"))
    expect(since).to_have_value("2026-11-24")
    expect(until).to_have_value("2026-11-30")
    assert len(asked) == 1


def test_what_is_typed_waits_for_the_button_and_what_is_chosen_does_not(log):
    page, asked = log

    page.locator("#filter-about").fill("stage")
    page.locator("#filter-since").fill("2026-11-24")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile("about=stage&since=2026-11-24"))
    page.select_option("#filter-kind", "policy")
    expect(page).to_have_url(re.compile("kind=policy&.*about=stage&since=2026-11-24"))

    assert len(asked) == 2
