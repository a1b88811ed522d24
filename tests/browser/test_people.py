"""People of a run, invitations, sessions and the login that has to wait, in a browser."""

from __future__ import annotations

import pytest
from django.test import Client
from playwright.sync_api import expect

from curriculum.access import Role
from curriculum.models import Membership
from tests.factories import UserFactory

EVE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile Safari/604.1"


@pytest.fixture
def run(school):
    run = school.draft("Fractions")
    for role, name in ((Role.APPROVER, "Eve"), (Role.VIEWER, "Mallory")):
        user = UserFactory(username=name.lower(), first_name=name, last_name="Example")
        Membership.objects.create(run=run, user=user, role=role)
    return run


def is_fine(page, violations):
    page.evaluate("window.scrollTo(0, 0)")  # elsewhere a notice may lie over half a button
    is_wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert violations(page) == []
    assert not is_wide


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_people_are_let_in_by_a_link(school, run, visit, violations, scheme, width):
    page = visit(school.ada, width=width, color_scheme=scheme)
    page.goto(f"/runs/{run.pk}/people/")
    is_fine(page, violations)

    page.fill("#invite-person [name=email]", "grace@example.org")
    page.click("#invite-person button")
    link = page.wait_for_selector("#link-to-give").input_value()
    page.wait_for_selector("text=Invitations that hold")
    is_fine(page, violations)
    page.click("#switch-closed button")
    page.wait_for_selector("text=Closed: only its members see this run.")
    is_fine(page, violations)

    guest = visit(None, width=width, color_scheme=scheme)
    guest.goto(link)
    is_fine(guest, violations)
    guest.fill("[name=username]", "grace")
    for field in ("password1", "password2"):
        guest.fill(f"[name={field}]", "short")
    guest.click("text=Make the account and join")
    guest.wait_for_selector("text=at least 12 characters")
    is_fine(guest, violations)
    for field in ("password1", "password2"):
        guest.fill(f"[name={field}]", "correct horse battery")
    guest.click("text=Make the account and join")
    guest.wait_for_url(f"**/runs/{run.pk}/")
    is_fine(guest, violations)

    late = visit(None, width=width, color_scheme=scheme)
    late.goto(link)
    late.wait_for_selector("text=This invitation does not hold")
    is_fine(late, violations)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_sessions_are_ended_from_a_page(school, visit, violations, scheme, width):
    page = visit(school.ada, width=width, color_scheme=scheme)
    Client(headers={"user-agent": EVE}).force_login(school.ada)
    page.goto("/sessions/")
    assert page.locator("tbody tr").count() == 2
    is_fine(page, violations)

    page.click("text=End all others")
    page.wait_for_selector("text=Ended: 1 other session.")
    assert page.locator("tbody tr").count() == 1
    is_fine(page, violations)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_who_tries_passwords_is_told_how_long_to_wait(school, visit, violations, scheme, width):
    page = visit(None, width=width, color_scheme=scheme)
    page.goto("/login/?next=/jobs/")
    for _ in range(5):
        expect(page.locator("[name=password]")).to_have_value("")  # the last one is answered
        page.fill("[name=username]", "ada")
        page.fill("[name=password]", "wrong horse battery")
        page.click("main form button")

    page.wait_for_selector("text=Too many tries with this name from here. Wait 15 minutes")
    is_fine(page, violations)


def test_a_role_that_is_too_low_is_said_where_the_button_was(school, run, visit):
    """The role was taken away while the page was open."""
    school.bob.groups.clear()
    member = Membership.objects.create(run=run, user=school.bob, role=Role.REVIEWER)
    page = visit(school.bob)
    page.goto(f"/runs/{run.pk}/graph/")
    with school.turns.one():
        Membership.objects.filter(pk=member.pk).update(role=Role.VIEWER)

    page.click("text=Look at earlier checkpoints")

    page.wait_for_selector("text=This needs a reviewer; in this run you are a viewer.")
