from __future__ import annotations

from playwright.sync_api import expect

from curriculum.services import planned


def add(page, source, target, reason):
    page.select_option("#edge-add [name=source]", source)
    page.select_option("#edge-add [name=target]", target)
    page.fill("#edge-add [name=reason]", reason)
    page.click("#edge-add button")


def stages(run):
    return [stage["skills"] for stage in planned.stages_of(run)]


def place(run, skill):
    return next(i for i, skills in enumerate(stages(run)) if skill in skills)


def test_a_circle_is_refused_and_told_and_the_curriculum_follows_what_is_added(school, visit):
    run = school.diagnosed()
    page = visit(school.ada)
    page.goto(f"/runs/{run.pk}/graph/")

    add(page, "A3", "A1", "a guess")
    expect(page.locator("body")).to_contain_text("none could come first")
    for step in ("A1 → A2", "A2 → A3", "A3 → A1"):
        expect(page.locator("body")).to_contain_text(step)
    expect(page.locator("svg.graph path.circle")).to_have_count(2)
    expect(page.locator("svg.graph path.refused")).to_have_count(1)
    assert not run.prerequisites.filter(source__key="A3", target__key="A1").exists()

    add(page, "A3", "S1", "spelling comes last with us")
    expect(page.locator("#graph")).to_contain_text("spelling comes last with us")

    page.goto(f"/runs/{run.pk}/diagnosis/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Sign").click()
    page.wait_for_url(f"**/runs/{run.pk}/curriculum/**")
    assert place(run, "A1") < place(run, "A2") < place(run, "A3") < place(run, "S1")


def test_the_page_stays_by_the_form_when_the_graph_is_drawn_again(school, visit):
    run = school.diagnosed()
    page = visit(school.ada)
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto(f"/runs/{run.pk}/graph/")

    add(page, "A3", "A1", "a guess")

    expect(page.locator("#circle")).to_be_visible()
    expect(page.locator("#edge-add-send")).to_be_focused()
    expect(page.locator("#add-heading")).to_be_in_viewport()


def test_a_declared_prerequisite_that_a_person_refuses_orders_nothing(school, visit):
    run = school.diagnosed()
    edge = run.prerequisites.get(source__key="A2", target__key="A3")
    page = visit(school.ada)
    page.goto(f"/runs/{run.pk}/graph/")

    page.fill(f"#edge-{edge.pk} [name=reason]", "they learn it at once")
    page.locator(f"#edge-{edge.pk} button").first.click()
    expect(page.locator("#graph")).to_contain_text("they learn it at once")

    edge.refresh_from_db()
    assert not edge.is_active


def test_a_test_that_is_asked_for_is_where_the_page_goes_on(school, visit):
    run = school.diagnosed()
    first, last = run.prerequisites.order_by("pk").first(), run.prerequisites.order_by("pk").last()
    page = visit(school.ada)
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto(f"/runs/{run.pk}/graph/")

    for edge in (last, first):
        page.click(f"#test-{edge.pk}")
        panel = page.locator(f"#trial-panel[data-arrive='{edge.pk}']")
        expect(panel).to_be_focused()
        expect(panel.get_by_role("heading")).to_be_in_viewport()

    page.click("#trial-ask")
    expect(page.locator("#trial-cost")).to_be_visible()
    expect(page.locator("#trial-ask")).to_be_focused()
