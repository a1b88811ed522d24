"""The people of a run on its pages, and what those who are not among them get to see: nothing."""

from __future__ import annotations

import pytest
from django.core import mail
from django.urls import reverse

from curriculum.access import Role
from curriculum.models import Invitation, Membership, Notice, Run
from curriculum.services import notices
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    ItemFactory,
    JobFactory,
    ReviewerFactory,
    RunFactory,
    UserFactory,
    ViewerFactory,
)
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    return RunFactory(name="Secret sums")


@pytest.fixture
def ada(client, run):
    """The run's admin, and nothing elsewhere."""
    ada = UserFactory(first_name="Ada", last_name="Admin")
    Membership.objects.create(run=run, user=ada, role=Role.ADMIN)
    client.force_login(ada)
    return ada


def page(run, name="run-people"):
    return reverse(f"curriculum:{name}", args=[run.pk])


def close(run):
    Run.objects.filter(pk=run.pk).update(is_closed=True)


# --- The page ------------------------------------------------------------------------------------


def test_its_admin_adds_changes_and_removes(client, run, ada):
    eve = UserFactory(username="eve", first_name="Eve", last_name="Example")
    client.post(page(run, "member-add"), {"user": "eve", "role": "2"})
    member = Membership.objects.get(user=eve)
    assert "Eve Example" in client.get(page(run)).text

    changed = {"role": "3", "seen": "2"}
    client.post(reverse("curriculum:member-change", args=[member.pk]), changed)
    assert Membership.objects.get(user=eve).role == Role.APPROVER

    client.post(reverse("curriculum:member-remove", args=[member.pk]))
    assert not Membership.objects.filter(user=eve).exists()


def test_a_change_is_of_the_role_that_was_seen(client, run, ada):
    member = Membership.objects.create(run=run, user=UserFactory(), role=Role.APPROVER)

    response = client.post(
        reverse("curriculum:member-change", args=[member.pk]),
        {"role": "2", "seen": "1"},
        headers=HTMX,
    )

    assert response.status_code == 409
    assert Membership.objects.get(pk=member.pk).role == Role.APPROVER


@pytest.mark.parametrize(
    ("name", "form", "says"),
    [
        ("member-add", {"user": "nobody", "role": "2"}, "Nobody here signs in as “nobody”"),
        ("member-add", {"user": "", "role": "2"}, "Say the name"),
        ("member-add", {"user": "<b>x</b>", "role": "2"}, "&lt;b&gt;x&lt;/b&gt;"),
        ("member-add", {"user": "\x00", "role": "2"}, "Null characters"),
        ("member-add", {"user": "nobody", "role": "9"}, "Choose one of the roles"),
        ("run-invite", {"email": "no address", "role": "2"}, "no e-mail address"),
        ("run-invite", {"email": "a@b.example\nBcc: x@y.example", "role": "2"}, "no e-mail"),
        ("run-invite", {"email": "a@b.example"}, "Choose a role"),
        ("run-closed", {"closed": "maybe"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence_and_changes_nothing(
    client, run, ada, name, form, says
):
    for headers in ({}, HTMX):
        response = client.post(page(run, name), form, headers=headers)
        assert response.status_code == 422
        assert says in response.text
    assert (Membership.objects.count(), Invitation.objects.count()) == (1, 0)
    assert not Run.objects.get().is_closed


def test_a_viewer_sees_the_members_and_no_address_and_no_button(client, run, ada):
    client.post(page(run, "run-invite"), {"email": "eve@example.org", "role": "2"})
    assert "eve@example.org" in client.get(page(run)).text
    client.force_login(ViewerFactory())

    shown = client.get(page(run)).text

    assert "Ada Admin" in shown
    assert "eve@example.org" not in shown
    assert 'method="post"' not in shown.partition('id="people"')[2]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_the_link_of_an_invitation_is_shown_once(client, run, ada, headers):
    form = {"email": "eve@example.org", "role": "2"}
    response = client.post(page(run, "run-invite"), form, headers=headers, follow=True)

    assert "http://testserver/join/" in response.text
    assert "Give them this link yourself" in response.text
    assert "/join/" not in client.get(page(run)).text


def test_it_says_when_the_link_was_mailed(client, run, ada, settings):
    settings.IOA_MAIL = True
    form = {"email": "eve@example.org", "role": "2"}
    response = client.post(page(run, "run-invite"), form, headers=HTMX)

    assert "The link was sent to them." in response.text
    assert len(mail.outbox) == 1


def test_who_removes_themselves_from_a_closed_run_is_led_out_of_it(client, run, ada):
    Membership.objects.create(run=run, user=UserFactory(), role=Role.ADMIN)
    close(run)

    response = client.post(
        reverse("curriculum:member-remove", args=[Membership.objects.get(user=ada).pk])
    )

    assert response.url == "/"
    assert client.get(page(run)).status_code == 404


def test_the_page_costs_the_same_for_one_member_and_for_many(
    client, run, ada, django_assert_max_num_queries
):
    with django_assert_max_num_queries(30) as few:
        client.get(page(run))
    for _ in range(5):
        Membership.objects.create(run=run, user=UserFactory(), role=Role.VIEWER)

    with django_assert_max_num_queries(len(few)):
        client.get(page(run))


# --- What others see -----------------------------------------------------------------------------


@pytest.mark.parametrize("who", [ReviewerFactory, ApproverFactory])
def test_a_closed_run_is_in_no_list_and_no_count(client, run, who):
    JobFactory(run=run, failed=True, kind="diagnose")
    user = who()
    client.force_login(user)
    assert "Secret sums" in client.get("/").text
    assert "Secret sums" in client.get("/jobs/").text
    assert "1 failed" in client.get("/bar/").text
    close(run)

    for address in ("/", "/?waiting=1", "/?archived=1", "/jobs/", f"/jobs/?run={run.pk}", "/bar/"):
        shown = client.get(address).text
        assert "Secret sums" not in shown, address
        assert "1 failed" not in shown, address
    assert "for you</span>: <span>0" in client.get("/bar/").text


def test_an_administrator_sees_it_all_the_same(client, run):
    close(run)
    client.force_login(AdminFactory())

    assert "Secret sums" in client.get("/").text


def test_who_is_told_that_a_run_waits_is_who_may_act_in_it(run, settings):
    settings.IOA_MAIL = True
    item = ItemFactory(stage__run=run)
    run.audit.create(
        sequence=1,
        at="2026-01-01T00:00:00Z",
        actor_kind="worker",
        actor_name="worker",
        action=f"stage.{item.stage.status}",
        subject="stage:1",
        subject_name="stage",
        hash="0" * 64,
    )
    outside = ReviewerFactory(email="outside@example.org")
    inside = UserFactory(email="inside@example.org")
    member = Membership.objects.create(run=run, user=inside, role=Role.REVIEWER)
    Run.objects.filter(pk=run.pk).update(status="teaching", is_closed=True)

    [notice] = notices.announce(run.pk)
    assert notice.to == inside
    assert outside.email not in str(list(Notice.objects.values()))

    member.delete()  # before it was sent
    notices.deliver(notice.pk, 1)
    assert mail.outbox == []


def test_a_role_that_is_too_low_is_told_which_one_it_takes_and_who_can_help(client, run, ada):
    close(run)
    eve = UserFactory()
    Membership.objects.create(run=run, user=eve, role=Role.VIEWER)
    client.force_login(eve)
    says = "This needs an approver; in this run you are a viewer. Ada Admin can give you"

    assert says in client.post(page(run, "run-stop")).text
    told = client.post(page(run, "run-stop"), headers=HTMX)
    assert (told.status_code, told["Content-Type"]) == (403, "text/plain; charset=utf-8")
    assert told.text.startswith(says)


def test_a_page_offers_what_the_role_in_its_run_allows(client, run):
    """A viewer by their groups who approves here, and the other way round."""
    close(run)
    here, elsewhere = ViewerFactory(), ApproverFactory()
    Membership.objects.create(run=run, user=here, role=Role.APPROVER)
    Membership.objects.create(run=run, user=elsewhere, role=Role.VIEWER)

    shown = {}
    for user in (here, elsewhere):
        client.force_login(user)
        shown[user] = client.get(run.get_absolute_url()).text

    assert "Stop this run" in shown[here]
    assert "Stop this run" not in shown[elsewhere]
    assert "<button disabled>Start the diagnosis" in shown[elsewhere]


def test_the_admin_shows_rows_to_administrators_alone(client, run):
    staff = ApproverFactory(is_staff=True)
    client.force_login(staff)
    assert client.get("/admin/curriculum/run/").status_code == 403
    assert "Secret sums" not in client.get("/admin/").text

    client.force_login(AdminFactory())
    assert client.get("/admin/curriculum/run/").status_code == 200
