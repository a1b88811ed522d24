"""The form for a new run in a browser: what follows from what was just said."""

from __future__ import annotations

from playwright.sync_api import expect


def test_ticking_a_skill_says_what_it_builds_on_and_ticks_it(school, visit, violations):
    page = visit(school.ada)
    page.goto("/runs/new/")
    page.get_by_label("Name").fill("Products")
    lacking, skill = page.locator("#lacking"), page.locator("input[name=skills][value=M2]")
    expect(lacking.locator(".notice")).to_have_count(0)

    skill.focus()
    page.keyboard.press("Space")

    expect(lacking).to_contain_text("M2 builds on M1 and A3: what is not chosen is neither")
    expect(skill).to_be_focused()
    assert violations(page) == []
    page.get_by_role("button", name="Tick what they build on").click()
    expect(lacking.locator(".notice")).to_have_text("Ticked as well: A1, A2, A3, M1.")
    expect(lacking.locator(".notice")).to_be_focused()
    expect(page.locator("input[name=skills][value=A3]")).to_be_checked()
    expect(page.get_by_label("Name")).to_have_value("Products")
    assert violations(page) == []


def test_a_shorter_answer_says_at_once_whose_solutions_are_longer(school, visit):
    page = visit(school.ada)
    page.goto("/runs/new/")
    longest = page.locator("#longest .notice")
    expect(longest).to_have_count(0)

    page.get_by_label("Tokens of an answer").fill("20")
    page.get_by_label("Tokens of an answer").blur()

    expect(longest).to_contain_text("where an answer may have 20")
    page.locator("input[name=skills][value=A1]").check()
    expect(longest).to_have_count(0)
