from __future__ import annotations

import pytest

from curriculum.states import JobStatus
from tests.factories import JobFactory


def addresses(school):
    """Each page in a situation in which it has something to show."""
    draft, diagnosed = school.draft("Draft"), school.diagnosed("Diagnosed")
    planned, broken = school.planned("Planned"), school.broken("Broken")
    reviewing, deciding = school.reviewing("Reviewing"), school.deciding("Deciding")
    training, _ = school.training("Training")
    finished = school.finished("Finished")
    return [
        *(
            "/",
            "/?waiting=1",
            "/?archived=1",
            "/runs/new/",
            "/jobs/",
            "/password/",
            "/account/tokens/",
        ),
        *(f"/runs/{run.pk}/" for run in (draft, broken, planned, finished)),
        f"/runs/{draft.pk}/curriculum/",
        f"/runs/{diagnosed.pk}/diagnosis/",
        f"/runs/{diagnosed.pk}/graph/",
        f"/runs/{diagnosed.pk}/graph/?test={diagnosed.prerequisites.first().pk}",
        f"/runs/{planned.pk}/curriculum/",
        f"/stages/{reviewing.pk}/",
        f"/stages/{reviewing.pk}/review/",
        f"/stages/{reviewing.pk}/review/?edit=1",
        f"/stages/{reviewing.pk}/team/",
        f"/stages/{training.pk}/training/",
        f"/stages/{deciding.pk}/gate/",
        f"/stages/{finished.stages.last().pk}/gate/",
        f"/runs/{finished.pk}/curriculum/",
        f"/runs/{finished.pk}/report/",
        f"/runs/{finished.pk}/audit/?verify=1",
        f"/items/{finished.stages.first().items.first().pk}/provenance/",
        f"/checkpoints/{finished.checkpoints.last().pk}/provenance/",
        "/runs/999999999/",
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_every_page_is_usable_by_everybody_and_fits_its_window(
    school, visit, violations, scheme, width
):
    page = visit(school.ada, width=width, color_scheme=scheme)
    found, wide = [], []

    for address in addresses(school):
        page.goto(address)
        if page.query_selector("[data-figure]"):
            page.wait_for_selector(".js-plotly-plot .main-svg")
        for details in page.query_selector_all("main details:not([open])"):
            details.evaluate("each => each.open = true")
        found += violations(page)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(address)

    assert found == []
    assert wide == []


def test_the_tables_that_people_decide_by_need_no_scrolling_on_a_phone(school, visit):
    page = visit(school.ada, width=390)
    wide, n = [], 0

    for address in addresses(school):
        page.goto(address)
        for window in page.query_selector_all(".scroll:has(> .stacked)"):
            n += 1
            if window.evaluate("each => each.scrollWidth > each.clientWidth"):
                wide.append((address, window.get_attribute("aria-label")))

    assert n > 4
    assert wide == []


def test_what_sorts_a_table_can_be_pressed_on_a_phone(school, visit):
    page = visit(school.ada, width=390)
    page.goto(f"/runs/{school.diagnosed().pk}/diagnosis/")
    keys = "[...document.querySelectorAll('#diagnosis tbody th > strong')].map(e => e.innerText)"

    page.locator("#sort-skill").click()
    page.wait_for_selector('th[aria-sort="ascending"] #sort-skill')

    shown = page.evaluate(keys)
    assert shown == sorted(shown)


def test_a_failed_job_leaves_the_menu_beside_the_bar_on_a_phone(school, visit):
    school.diagnosed()
    JobFactory(status=JobStatus.FAILED)
    school.ada.first_name = "Bartholomew"
    school.ada.save()
    page = visit(school.ada, width=390)
    page.goto("/")

    jobs = page.locator("#bar-jobs")
    assert jobs.inner_text().endswith("1 failed")
    assert abs(jobs.bounding_box()["y"] - page.locator(".menu > summary").bounding_box()["y"]) < 12


@pytest.mark.parametrize("width", [1280, 360])
def test_a_long_name_of_a_run_leaves_the_rest_of_the_breadcrumb_whole(school, visit, width):
    stage = school.reviewing()
    with school.turns.one():
        type(stage.run).objects.update(name="Sums " + "very long " * 15)
    page = visit(school.ada, width=width)
    page.goto(f"/stages/{stage.pk}/review/")

    parts = page.locator(".crumbs li")
    narrow = "all => all.map(e => [e, ...e.children].some(e => e.scrollWidth > e.clientWidth + 1))"
    last = parts.last.bounding_box()
    assert parts.evaluate_all(narrow) == [False, True, False, False]
    assert last["x"] + last["width"] <= width


def test_words_are_shown_and_written_in_the_direction_of_their_script(school, visit):
    stage = school.reviewing()
    with school.turns.one():
        item = stage.items.first()
        type(item).objects.filter(pk=item.pk).update(
            question="ما هو الرقم 3؟", solution="Answer: 3"
        )
        item.skill.title = "جمع الأعداد"
        item.skill.save()
    page = visit(school.ada)

    def direction(selector):
        return page.locator(selector).first.evaluate("each => getComputedStyle(each).direction")

    page.goto(f"/stages/{stage.pk}/review/?item={item.pk}")
    assert direction(".turn .words") == "rtl"
    assert direction(".turn.is-trained .words") == "ltr"
    assert direction("#why-heading ~ .facts bdi") == "rtl"
    page.keyboard.press("e")
    page.wait_for_selector("#edit-question")
    assert direction("#edit-question") == "rtl"
    assert direction("#edit-solution") == "ltr"
    page.goto(f"/stages/{stage.pk}/items/new/")
    page.fill("#id_question", "ما هو الرقم 3؟")
    assert direction("#id_question") == "rtl"


def test_what_stands_behind_a_skill_has_the_width_of_the_table(school, visit):
    run = school.diagnosed()
    skill = run.skills.first()
    page = visit(school.ada)
    page.goto(f"/runs/{run.pk}/diagnosis/")

    page.click(f"#words-{skill.pk} > summary")

    table = page.locator("table.evidence").bounding_box()
    left = page.locator(f"#words-{skill.pk} .said").first.bounding_box()
    right = page.get_by_label("Interval at most this wide").first.bounding_box()
    assert left["width"] > table["width"] / 3
    assert right["x"] > left["x"] + left["width"]


def test_the_login_page_is_usable_and_says_what_was_wrong(school, visit, violations):
    school.ada.set_password("correct horse")
    school.ada.save()
    page = visit(None)
    page.goto("/jobs/")
    assert violations(page) == []

    page.fill("[name=username]", "ada")
    page.fill("[name=password]", "wrong")
    page.click("main form button")
    assert "do not fit together" in page.inner_text("[role=alert]")
    assert violations(page) == []

    page.fill("[name=password]", "correct horse")
    page.click("main form button")
    page.wait_for_url("**/jobs/")

    page.click(".menu summary")
    page.click("text=Sign out")
    page.wait_for_url("**/login/")
