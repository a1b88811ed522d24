from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect

from curriculum.models import GateRecord, Run
from curriculum.services import jobs, skills
from curriculum.states import JobKind, RunStatus
from tests.factories import JobFactory


def test_the_loss_curve_grows_while_the_training_goes_on(school, visit):
    stage, job = school.training()
    page = visit(school.bob)
    page.goto(f"/stages/{stage.pk}/training/")
    expect(page.locator("#loss")).to_have_attribute("data-points", "20")

    for step in range(21, 31):
        school.step(job, step)

    expect(page.locator("#loss")).to_have_attribute("data-points", "30")
    page.reload()
    expect(page.locator("#loss")).to_have_attribute("data-points", "30")


def test_progress_moves_and_what_a_person_types_is_left_alone(school, visit):
    stage, job = school.training()
    page = visit(school.ada)
    page.goto(f"/runs/{stage.run_id}/")
    page.click("#change-run summary")
    page.fill("#change-run [name=reason] >> nth=-1", "half a sent")

    with school.turns.one():
        jobs.beat(job, 30, 40, unit="steps")

    page.wait_for_selector("text=30 of 40 steps")
    assert page.input_value("#change-run [name=reason] >> nth=-1") == "half a sent"


def test_what_others_change_meanwhile_takes_no_words_away(school, visit):
    run = school.diagnosed()
    mine, theirs = run.skills.order_by("pk")[:2]
    JobFactory(run=run, kind=JobKind.PROBE, status="running", heartbeat_at=timezone.now())
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/diagnosis/")
    page.click(f"#words-{mine.pk} summary")
    page.fill(f"#statement-{mine.pk}", "half a sent")

    with school.turns.one():
        skills.edit(theirs, actor=school.actor, title="Theirs", statement="")
    # The first may have been asked before; the third is asked when the second was dealt with.
    for _ in range(3):
        with page.expect_response(lambda r: "seen=" in r.url):
            pass
    assert page.input_value(f"#statement-{mine.pk}") == "half a sent"
    expect(page.locator("#diagnosis")).not_to_contain_text("Theirs")

    page.click(f"#save-{mine.pk}")
    expect(page.locator("#diagnosis")).to_contain_text("Theirs")
    mine.refresh_from_db()
    assert mine.statement == "half a sent"


def test_the_page_of_a_run_turns_when_the_work_is_done(school, visit):
    run = school.draft()
    page = visit(school.ada)
    page.goto(f"/runs/{run.pk}/")
    page.click("text=Start the diagnosis")
    page.wait_for_selector("text=Waiting for a worker.")

    school.work(run)

    page.wait_for_selector("text=Review the diagnosis")
    assert Run.objects.get().status == RunStatus.REVIEWING_DIAGNOSIS


def test_a_role_that_was_taken_away_is_a_notice_and_not_a_broken_page(school, visit):
    stage = school.reviewing()
    page = visit(school.bob)
    page.goto(f"/stages/{stage.pk}/review/")
    with school.turns.one():
        school.bob.groups.clear()
        school.bob.groups.add(Group.objects.get(name="viewer"))

    page.keyboard.press("a")

    page.wait_for_selector("#notices .notice.error")
    assert "another role" in page.inner_text("#notices")
    assert page.is_visible("#review")


def test_that_the_server_does_not_answer_is_said_until_it_does(school, visit):
    run = school.draft()
    page = visit(school.ada, is_broken=True)
    page.goto(f"/runs/{run.pk}/")
    page.click("text=Start the diagnosis")
    page.wait_for_selector("text=Waiting for a worker.")
    notices = page.locator("#notices")

    page.route("**/now/**", lambda route: route.fulfill(status=502))
    expect(notices).to_contain_text("The server does not answer.")

    page.unroute_all()
    expect(notices).not_to_contain_text("The server")


def test_that_an_act_was_lost_is_said_until_the_next_one_is_done(school, visit):
    run = school.draft()
    page = visit(school.ada, is_broken=True)
    page.goto(f"/runs/{run.pk}/")
    page.route("**/diagnose/", lambda route: route.fulfill(status=502))
    page.click("text=Start the diagnosis")
    page.wait_for_selector("#notices .error")

    page.evaluate("htmx.ajax('GET', '/bar/', {target: '#bar-status', swap: 'outerHTML'})")
    page.wait_for_timeout(500)
    assert "Nothing was saved" in page.inner_text("#notices")

    page.unroute_all()
    page.click("text=Start the diagnosis")
    page.wait_for_selector("text=Waiting for a worker.")
    expect(page.locator("#notices .error")).to_have_count(0)


def test_a_gate_is_decided_without_javascript(school, visit):
    stage = school.deciding()
    page = visit(school.ada, java_script_enabled=False)
    page.goto(f"/stages/{stage.pk}/gate/")

    page.click("#gate-waive")
    expect(page.locator("#gate-reason-error")).to_contain_text("Say why")
    page.fill("#gate-reason", "Good enough to build on.")
    page.click("#gate-waive")

    expect(page.locator("#notices")).to_contain_text("Waived")
    stage.refresh_from_db()
    assert stage.status == "waived"


def test_a_figure_takes_the_colours_of_the_scheme(school, visit):
    run = school.diagnosed()
    page = visit(school.bob, color_scheme="light")
    page.goto(f"/runs/{run.pk}/diagnosis/")
    teacher = page.locator("#gaps .trace:nth-child(3) path.point").first
    expect(teacher).to_have_css("fill", "rgb(68, 87, 199)")

    page.emulate_media(color_scheme="dark")

    expect(teacher).to_have_css("fill", "rgb(140, 154, 240)")


@pytest.mark.parametrize("width", [390, 900])
def test_a_figure_keeps_its_height_when_the_window_changes(school, visit, width):
    run = school.diagnosed()
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/diagnosis/")
    plot = page.locator("#gaps .main-svg").first
    expect(plot).to_be_visible()
    before = plot.bounding_box()

    page.set_viewport_size({"width": width, "height": 700})

    page.wait_for_function(
        "was => document.querySelector('#gaps .main-svg').getBoundingClientRect().width < was",
        arg=before["width"],
    )
    box, drawn = page.locator("#gaps").bounding_box(), plot.bounding_box()
    assert box["height"] == drawn["height"] == before["height"]
    assert box["width"] == drawn["width"]


def test_a_preset_keeps_what_was_typed_and_then_the_run_is_made(school, visit):
    page = visit(school.bob)
    page.goto("/runs/new/")
    page.fill("#id_name", "Sums in spring")

    page.click("#preset-quick")
    expect(page.locator("#preset-quick")).to_have_attribute("aria-pressed", "true")
    assert page.input_value("#id_name") == "Sums in spring"
    assert page.input_value("#id_items") == "900"
    assert "csrf" not in page.url
    page.click("#create-run")

    expect(page.get_by_role("heading", name="Sums in spring")).to_be_visible()
    assert Run.objects.get().settings["budget"]["items"] == 900


@pytest.mark.parametrize("button", ["#gate-remedy", "#gate-remedy-here"])
def test_another_round_is_asked_for_by_the_buttons_that_say_so(school, visit, button):
    stage = school.deciding()
    GateRecord.objects.update(allows_advance=False)
    page = visit(school.ada)
    page.goto(f"/stages/{stage.pk}/gate/")

    page.click(button)

    expect(page.locator("#notices .notice.success")).to_be_visible()
    assert GateRecord.objects.get().decision == "remedy"


def test_what_was_refused_leaves_the_page_an_address_that_can_be_loaded_again(school, visit):
    stage = school.deciding()
    page = visit(school.ada)
    page.goto(f"/stages/{stage.pk}/gate/")

    page.click("#gate-waive")

    expect(page.locator("#gate-reason-error")).to_be_visible()
    assert page.url.endswith(f"/stages/{stage.pk}/gate/")
    assert page.reload().status == 200


def test_another_page_begins_at_its_top_and_is_where_the_keyboard_goes_on(school, visit):
    stage = school.deciding()
    page = visit(school.ada)
    page.goto(f"/stages/{stage.pk}/gate/")
    page.fill("#gate-reason", "Good enough to build on.")
    page.locator("#gate-waive").scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 0

    page.click("#gate-waive")

    expect(page.locator("#notices .notice.success")).to_be_visible()
    expect(page.locator("#content")).to_be_focused()
    assert page.evaluate("scrollY") == 0
