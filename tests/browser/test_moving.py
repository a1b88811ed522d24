from __future__ import annotations

from playwright.sync_api import expect

from curriculum.services import planned


def taught(run):
    return [set(stage["skills"]) for stage in planned.stages_of(run)]


def chip(page, key):
    return page.locator(".chip", has=page.locator("strong", has_text=key)).last


def column(page, run, position):
    return page.locator(f"#stage-{run.stages.get(position=position).pk}")


def test_a_skill_dragged_before_its_prerequisite_stays_and_the_page_says_why(school, visit):
    run = school.planned()
    before = taught(run)
    assert "A3" in before[-1]
    assert "A2" not in before[0]
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/curriculum/")

    chip(page, "A3").hover(position={"x": 12, "y": 12})
    page.mouse.down()
    column(page, run, 1).hover()
    column(page, run, 1).hover(position={"x": 20, "y": 20})  # a drag begins with the second move
    expect(page.locator("#move-check")).to_contain_text("A3 builds on A2")
    expect(column(page, run, 1)).to_have_class("card column is-over is-refused")
    page.mouse.up()

    expect(page.locator("#notices .notice.error")).to_contain_text("A3 builds on A2")
    assert taught(run) == before


def test_a_skill_is_dragged_to_another_stage(school, visit):
    run = school.planned()
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/curriculum/")
    place = next(i for i, stage in enumerate(taught(run), 1) if "S1" in stage)
    to = run.stages.count() if place == 1 else 1

    chip(page, "S1").drag_to(
        column(page, run, to),
        source_position={"x": 12, "y": 12},
        target_position={"x": 20, "y": 20},
    )

    expect(page.locator("#notices .notice.success")).to_contain_text("Moved: S1")
    assert any("S1" in stage for stage in taught(run))
    entry = run.audit.get(action="skill.moved")
    assert entry.actor == school.bob


def test_the_same_is_said_of_a_stage_that_is_chosen_in_the_list(school, visit):
    run = school.planned()
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/curriculum/")

    chip(page, "A3").locator("select").select_option(str(run.stages.get(position=1).pk))

    expect(page.locator("#move-check")).to_contain_text("A3 builds on A2")


def test_nothing_moves_before_a_stage_was_chosen(school, visit):
    run = school.planned()
    before = taught(run)
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/curriculum/")

    chip(page, "A3").get_by_role("button", name="Move").click()

    assert chip(page, "A3").locator("select").evaluate("each => each.matches(':invalid')")
    assert taught(run) == before


def test_a_stage_that_is_waived_with_a_reason_shows_it_on_the_report(school, visit):
    stage = school.deciding()
    page = visit(school.ada)
    page.goto(f"/stages/{stage.pk}/gate/")

    page.fill("#gate-reason", "Near enough, and term ends on Friday.")
    page.click("#gate-waive")
    expect(page.locator("#notices")).to_contain_text("Waived")
    stage.run.refresh_from_db()
    school.conclude(stage.run)

    page.goto(f"/runs/{stage.run_id}/report/")
    expect(page.locator("#report .notice.warning")).to_contain_text(
        "“Near enough, and term ends on Friday.”"
    )
    expect(page.locator("#report .notice.warning")).to_contain_text("waived by Ada")
