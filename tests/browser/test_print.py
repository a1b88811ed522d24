"""Pages on paper: what is read, and nothing to press."""

from __future__ import annotations

from playwright.sync_api import expect

LIGHT, DARK = "rgb(68, 87, 199)", "rgb(140, 154, 240)"  # of what the teacher scores


def test_paper_has_what_is_read_in_light_colours_whatever_the_scheme(school, visit):
    run = school.diagnosed()
    page = visit(school.ada, color_scheme="dark")
    page.goto(f"/runs/{run.pk}/diagnosis/")
    page.wait_for_selector("#gaps .main-svg")

    page.emulate_media(media="print", color_scheme="dark")

    ink = page.locator("h1").evaluate("each => getComputedStyle(each).color")
    assert ink == "rgb(28, 32, 38)"
    assert page.is_visible("table.evidence")
    for gone in (".topbar", "nav.tabs", "form.filters", "#next-action", "#probe-more button"):
        assert not page.is_visible(gone)


def test_a_figure_is_drawn_for_paper_and_then_for_the_window_again(school, visit):
    run = school.diagnosed()
    page = visit(school.ada, color_scheme="dark")
    page.goto(f"/runs/{run.pk}/diagnosis/")
    teacher = page.locator("#gaps .trace:nth-child(3) path.point").first
    expect(teacher).to_have_css("fill", DARK)
    wide = page.locator("#gaps .main-svg").first.bounding_box()["width"]

    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(teacher).to_have_css("fill", LIGHT)
    assert page.locator("#gaps .main-svg").first.bounding_box()["width"] < 700 < wide

    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(teacher).to_have_css("fill", DARK)
    assert page.locator("#gaps .main-svg").first.bounding_box()["width"] == wide
