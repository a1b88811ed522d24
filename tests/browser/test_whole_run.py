"""One person walks a run from new to mastered, by clicking: the real server, queue and workers."""

from __future__ import annotations

import re
import socket
from contextlib import closing

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from curriculum.models import Item, Run
from curriculum.roles import APPROVER
from curriculum.services import audit
from ioa_web.embedded import services
from tests.real.house import SKILLS, house

pytestmark = pytest.mark.redis

PASSWORD = "a-password-for-tests"
NUMBERS = {
    "items_per_round": 64,
    "rounds_cap": 2,
    "diagnose_probes": 24,
    "gate_probes": 24,
    "final_probes": 24,
}
WORKED_WITHIN_MS = 60_000  # a worker that has just been started imports torch first


@pytest.fixture
def served(tmp_path, django_db_blocker):
    """Everything that `serve` starts, on a home of its own: its address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    with django_db_blocker.unblock(), house(tmp_path):
        ada = User.objects.create_user("ada", password=PASSWORD, first_name="Ada")
        ada.groups.add(Group.objects.get(name=APPROVER))
        with services(home=tmp_path, listen=listen, log=tmp_path / "log") as running:
            running.wait_for_web()
            yield running.url.rstrip("/")


@pytest.fixture
def page(chromium, served):
    context = chromium.new_context(base_url=served, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WORKED_WITHIN_MS)
    complaints = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    context.close()
    assert not complaints


def test_a_run_goes_from_new_to_mastered_by_clicking(page):
    log_in(page)
    run = create(page)
    diagnose(page)
    sign_diagnosis_and_curriculum(page)

    press(page, "Start stage 1")
    press(page, "Review the items of stage 1")
    review_a_few(page, run)
    approve_the_rest(page)
    train_and_advance(page)

    stages = run.stages.count()
    assert stages == 2
    press(page, "Start stage 2")
    press(page, "Review the items of stage 2")
    approve_the_rest(page)
    train_and_advance(page)

    press(page, "Read the report")
    for skill in SKILLS:
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=skill)).first
        expect(row).to_contain_text("mastered")
    verify(page, run)


def press(page, name):
    """Click the page's next action, once it is what the run waits for."""
    action = page.locator("#next-action")
    action.get_by_role("button", name=name).or_(action.get_by_role("link", name=name)).click()


def log_in(page):
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def create(page):
    press(page, "New run")
    page.get_by_label("Name").fill("Sums, by hand")
    for skill in SKILLS:
        page.get_by_label(re.compile(rf"^{skill} ")).check()
    page.get_by_label("Student", exact=True).select_option("simulated")
    for field, number in NUMBERS.items():
        page.locator(f"#id_{field}").fill(str(number))
    page.locator("#create-run").click()
    expect(page.get_by_role("heading", name="Sums, by hand")).to_be_visible()
    return Run.objects.get()


def diagnose(page):
    """Progress comes and the page turns while it stays the same document."""
    press(page, "Start the diagnosis")
    expect(page.locator("#next-action")).to_contain_text(re.compile("Queued|A worker is at it"))
    page.evaluate("window.isTheSame = true")
    ready = page.locator("#next-action").get_by_text("Review the diagnosis")
    expect(ready).to_be_visible(timeout=WORKED_WITHIN_MS)
    assert page.evaluate("window.isTheSame")


def sign_diagnosis_and_curriculum(page):
    press(page, "Review the diagnosis")
    press(page, "Sign the diagnosis")
    press(page, "Sign the curriculum")


def review_a_few(page, run):
    """Approve one, put another into other words, reject a third."""
    card = page.locator(".review section.card").first
    first = card.get_attribute("id")
    page.locator("#approve").click()
    expect(page.locator(f"#{first}")).to_have_count(0)
    second = card.get_attribute("id")
    page.locator("#edit").click()
    question = page.locator("#edit-question").input_value()
    page.locator("#edit-question").fill(question.replace("What is", "Please work out"))
    page.get_by_role("button", name="Save as version 2").click()
    expect(page.locator(f"#{second} #item-heading")).to_contain_text("version 2")
    page.locator("#skip").click()
    expect(page.locator(f"#{second}")).to_have_count(0)
    third = card.get_attribute("id")
    page.locator("#reject").click()
    page.locator("#reject-reason").fill("too much like another item")
    page.locator("#reject-send").click()
    expect(page.locator(f"#{third}")).to_have_count(0)
    by_card = {f"item-{item.pk}": item for item in Item.objects.filter(stage__run=run)}
    assert by_card[first].verdict == "approved"
    assert by_card[second].question.startswith("Please work out")
    assert (by_card[third].verdict, by_card[third].reviews.get().reason) == (
        "rejected",
        "too much like another item",
    )


def approve_the_rest(page):
    page.locator("#approve-all summary").click()
    page.locator("#approve-all form button").click()
    expect(page.get_by_role("heading", name="Every item has a verdict")).to_be_visible()


def train_and_advance(page):
    press(page, re.compile("^Train on"))
    press(page, "Decide at the gate")
    page.locator("#gate-advance").click()


def verify(page, run):
    page.get_by_role("link", name="Audit").first.click()
    page.get_by_role("button", name="Verify the chain").click()
    n, head = audit.verify(run)
    expect(page.locator("#audit .notice")).to_contain_text(f"Whole: {n} entries")
    expect(page.locator("#chain-head")).to_have_text(head)
