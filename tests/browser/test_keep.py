"""What stays as it was when a part of the page is replaced: what is open, where the keyboard is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from curriculum.models import TrainingStep
from curriculum.states import JobKind
from tests.browser.test_review_keys import let_go, until_held
from tests.factories import JobFactory, SnapshotFactory, StageFactory

IS_IN_SIGHT = """() => {
  const { top, bottom } = document.querySelector("#notices .notice").getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}"""


def test_the_words_of_a_skill_are_saved_in_sight_and_the_keyboard_stays(school, visit):
    run = school.diagnosed()
    skill = run.skills.order_by("pk").last()
    page = visit(school.bob)
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"/runs/{run.pk}/diagnosis/")
    page.click(f"#words-{skill.pk} > summary")
    page.fill(f"#title-{skill.pk}", "Backwards, letter by letter")

    page.focus(f"#save-{skill.pk}")
    page.keyboard.press("Enter")

    expect(page.locator("#notices")).to_contain_text("Changed")
    assert page.evaluate(IS_IN_SIGHT)
    assert page.evaluate("scrollY") > 0
    expect(page.locator(f"#save-{skill.pk}")).to_be_focused()

    page.click("#dismiss")
    expect(page.locator("#notices")).to_be_empty()
    expect(page.locator("#dismiss")).to_be_hidden()
    expect(page.locator("#content")).to_be_focused()


def test_a_prerequisite_that_is_refused_takes_the_focus_along(school, visit):
    run = school.diagnosed()
    edge = run.prerequisites.first()
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/graph/")
    page.fill(f"#reason-{edge.pk}", "They are learnt together.")

    page.click(f"#confirm-{edge.pk}")
    expect(page.locator("#notices")).to_contain_text("onfirmed")
    expect(page.locator(f"#confirm-{edge.pk}")).to_be_focused()
    assert page.evaluate(IS_IN_SIGHT)

    page.fill(f"#reason-{edge.pk}", "They are learnt together.")
    page.click(f"#refuse-{edge.pk}")
    expect(page.locator("#refused-heading")).to_be_visible()
    expect(page.locator(f"#edge-{edge.pk}")).to_be_focused()


def test_a_stage_that_is_split_keeps_the_focus(school, visit):
    run = school.planned()
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/curriculum/")
    page.locator("[id^=merge]").first.click()  # so that there is one to split
    page.wait_for_selector("#notices .notice")
    stage = page.locator(".column:has(details[id^=split])").first.get_attribute("data-stage")
    page.click(f"#split-{stage} > summary")

    page.click(f"#split-{stage}-send")
    expect(page.locator("#notices .notice.error")).to_be_visible()  # not the one of the merge
    expect(page.locator(f"#split-{stage}-send")).to_be_focused()
    page.locator(f"#split-{stage} [name=skills]").first.check()
    page.click(f"#split-{stage}-send")

    expect(page.locator("#notices .notice.success")).to_be_visible()
    column = f".column[data-stage='{stage}']"  # in which the focus is, once all is settled
    expect(page.locator(f"{column}:focus, {column} :focus")).to_have_count(1)


def until_looked_again(page, region):
    page.locator(region).evaluate("region => { region.dataset.old = 1 }")
    expect(page.locator(f"{region}:not([data-old])")).to_have_count(1)


def test_what_went_wrong_is_read_and_a_state_chosen_while_the_jobs_go_on(school, visit):
    failed, running = JobFactory(failed=True), JobFactory(running=True)
    page = visit(school.bob)
    page.goto("/jobs/")
    why = page.get_by_text("What went wrong")
    page.locator("#filter-status").evaluate("select => { select.dataset.mine = 1 }")

    why.click()
    until_looked_again(page, "#jobs")
    expect(page.locator(f"#job-{failed.pk} details")).to_have_attribute("open", "")
    expect(why).to_be_focused()

    page.focus("#filter-status")
    until_looked_again(page, "#jobs")
    expect(page.locator("#filter-status[data-mine]")).to_be_focused()

    page.select_option("#filter-status", "running")
    expect(page.locator(f"#job-{failed.pk}")).to_have_count(0)
    expect(page).to_have_url(re.compile("/jobs/.status=running$"))
    page.focus(f"#cancel-{running.pk}")
    until_looked_again(page, "#jobs")
    expect(page.locator(f"#cancel-{running.pk}")).to_be_focused()
    expect(page.locator(f"#job-{failed.pk}")).to_have_count(0)


def test_a_state_that_is_chosen_wins_over_what_the_list_asks_by_itself(school, visit):
    failed, running = JobFactory(failed=True), JobFactory(running=True)
    held, asked = [], []
    page = visit(school.bob)
    page.route(re.compile("status=failed"), lambda route: held.append(route))
    page.clock.install()
    page.goto("/jobs/")
    page.select_option("#filter-status", "failed")
    until_held(page, held)  # what the list was asking by then, it has been answered

    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(10_000)  # in which it would look again
    let_go(page, held)

    expect(page.locator(f"#job-{running.pk}")).to_have_count(0)
    expect(page.locator(f"#job-{failed.pk}")).to_have_count(1)
    assert not [url for url in asked if url.endswith("/jobs/")]


@pytest.fixture
def training():
    stage = StageFactory(training=True)
    SnapshotFactory(stage=stage)
    job = JobFactory(running=True, run=stage.run, stage=stage, kind=JobKind.TRAIN)
    TrainingStep.objects.create(job=job, step=1, loss=1.5, learning_rate=5e-4)
    return job


@pytest.mark.parametrize("name", ["Cancel; what is done is kept", "Steps, table", "Mixture, table"])
def test_the_keyboard_stays_where_it_is_while_a_training_goes_on(school, visit, training, name):
    page = visit(school.bob)
    page.goto(f"/stages/{training.stage_id}/training/")
    here = page.get_by_role("button" if name.startswith("Cancel") else "region", name=name)

    here.focus()
    until_looked_again(page, "#training")

    expect(here).to_be_focused()


def test_the_keyboard_stays_at_cancel_while_a_run_goes_on(school, visit):
    job = JobFactory(running=True)
    page = visit(school.bob)
    page.goto(f"/runs/{job.run_id}/")
    cancel = page.get_by_role("button", name="Cancel; what is done is kept")

    cancel.focus()
    until_looked_again(page, "#live")

    expect(cancel).to_be_focused()
