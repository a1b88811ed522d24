"""A person's own: the invitation they come with, their password, where they are signed in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models.signals import pre_save
from django.test import Client
from django.utils import timezone

from curriculum.access import Role
from curriculum.models import AuditEntry, Membership, SignIn
from curriculum.services import invitations
from curriculum.services.audit import Actor
from tests.factories import AdminFactory, RunFactory, UserFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def run():
    return RunFactory(name="Fractions", is_closed=True)


@pytest.fixture
def link(run):
    by = Actor.person(AdminFactory(first_name="Ada", last_name="Admin"))
    _, word = invitations.invite(run, actor=by, email="eve@example.org", role=Role.REVIEWER)
    return f"/join/{word}/"


def new(**changes):
    return {"username": "eve", "password1": GOOD, "password2": GOOD, **changes}


# --- Invitations ---------------------------------------------------------------------------------


def test_the_page_of_an_invitation_is_the_same_with_and_without_an_account(client, link):
    before = client.get(link)
    UserFactory(email="eve@example.org")

    assert "Ada Admin" in before.text
    assert "Fractions" in before.text
    assert before["Cache-Control"].startswith("max-age=0")
    assert without_tokens(client.get(link).text) == without_tokens(before.text)


def without_tokens(page):
    return [line for line in page.splitlines() if "csrf" not in line.lower()]


def test_a_stranger_makes_an_account_and_sees_the_run_and_no_other(client, run, link):
    other = RunFactory()

    response = client.post(link, new(), follow=True)

    assert response.redirect_chain == [(run.get_absolute_url(), 302)]
    assert response.status_code == 200
    eve = User.objects.get(username="eve")
    assert Membership.objects.get().user == eve
    assert client.get(other.get_absolute_url()).status_code == 404
    assert other.name not in client.get("/").text
    assert client.get("/runs/new/").status_code == 403


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"password1": "123456789012", "password2": "123456789012"}, "entirely numeric"),
        ({"password1": "evelyn.turing1", "password2": "evelyn.turing1"}, "too similar"),
        ({"password1": "eve@example.org", "password2": "eve@example.org"}, "too similar"),
        ({"password2": "another horse battery"}, "didn’t match"),
        ({"username": "taken"}, "already exists"),
        ({"username": "a b"}, "valid username"),
    ],
)
def test_an_account_that_cannot_be_made_uses_nothing_up(client, link, changes, says):
    UserFactory(username="taken")

    response = client.post(link, new(username="evelyn.turing") | changes)

    assert response.status_code == 422
    assert says in response.text.replace("&#x27;", "’")
    assert client.post(link, new()).status_code == 302


def test_who_is_signed_in_joins_by_a_press_and_no_get_joins_anybody(client, run, link):
    eve = UserFactory()
    client.force_login(eve)
    assert f"Join as {eve.username}" in client.get(link).text
    assert not Membership.objects.exists()

    response = client.post(link)

    assert response.url == run.get_absolute_url()
    assert Membership.objects.get().user == eve
    assert "You are a reviewer in this run." in client.get(response.url).text


def test_who_has_an_account_signs_in_and_comes_back(client, link):
    User.objects.create_user("eve", password=GOOD)
    page = client.get(link).text
    assert f"/login/?next={link}".replace(":", "%3A") in page.replace(":", "%3A")

    response = client.post("/login/", {"username": "eve", "password": GOOD, "next": link})

    assert response.url == link


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_does_not_hold_says_so_and_not_why(client, link, method):
    client.post(link, new())
    client.logout()

    used = getattr(client, method)(link)
    forged = getattr(client, method)("/join/forged/")

    assert used.status_code == forged.status_code == 404
    assert without_tokens(used.text) == without_tokens(forged.text)
    assert "This invitation does not hold" in used.text
    assert "Fractions" not in used.text


# --- The password --------------------------------------------------------------------------------


def test_a_new_password_ends_the_other_sessions_and_is_in_the_log_of_the_house(client):
    eve = User.objects.create_user("eve", password=GOOD)
    phone = Client()
    for each in (client, phone):
        each.post("/login/", {"username": "eve", "password": GOOD})
    better = "staple correct horse"

    form = {"old_password": GOOD, "new_password1": better, "new_password2": better}
    assert client.post("/password/", form).status_code == 302

    assert client.get("/sessions/").status_code == 200
    assert phone.get("/sessions/").status_code == 302
    assert Session.objects.count() == 1
    changed = AuditEntry.objects.get(action="account.changed")
    assert (changed.actor, changed.evidence) == (eve, {"fields": ["password"]})
    assert better not in str(list(AuditEntry.objects.values()))


def test_a_password_that_the_log_cannot_tell_of_is_not_changed(client):
    eve = User.objects.create_user("eve", password=GOOD)
    client.force_login(eve)
    better = "staple correct horse"

    def full(**_):
        raise DatabaseError("The disk is full.")

    pre_save.connect(full, sender=AuditEntry)
    try:
        with pytest.raises(DatabaseError):
            client.post(
                "/password/",
                {"old_password": GOOD, "new_password1": better, "new_password2": better},
            )
    finally:
        pre_save.disconnect(full, sender=AuditEntry)

    eve.refresh_from_db()
    assert eve.check_password(GOOD)


def test_a_password_of_eleven_characters_is_refused(client):
    User.objects.create_user("eve", password=GOOD)
    client.post("/login/", {"username": "eve", "password": GOOD})

    form = {"old_password": GOOD, "new_password1": "horse-mouse", "new_password2": "horse-mouse"}
    assert "at least 12 characters" in client.post("/password/", form).text


# --- Sessions ------------------------------------------------------------------------------------


@pytest.fixture
def eve(client):
    eve = UserFactory()
    client.force_login(eve)
    return eve


def at(user, agent=FIREFOX, address="10.0.0.7"):
    """The person, elsewhere."""
    other = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    other.force_login(user)
    cache.clear()  # as after five minutes
    other.get("/sessions/")
    return other


def test_each_session_says_device_and_address_and_only_ones_own_are_listed(client, eve):
    at(eve)
    at(UserFactory(), agent="curl/8", address="10.6.6.6")

    page = client.get("/sessions/").text

    assert "Firefox on Linux" in page
    assert "10.0.0.7" in page
    assert "10.6.6.6" not in page
    assert page.count('class="tag">this one') == 1


def test_what_a_browser_calls_itself_is_never_markup(client, eve):
    at(eve, agent="<script>alert(1)</script> Firefox/1<b>")

    assert "<script>alert" not in client.get("/sessions/").text


def test_one_is_ended_and_its_browser_is_signed_out(client, eve):
    there = at(eve)
    row = SignIn.objects.exclude(session_key=client.session.session_key).get()

    response = client.post(f"/sessions/{row.pk}/end/", headers=HTMX)

    assert 'id="sessions"' in response.text
    assert "<html" not in response.text
    assert there.get("/sessions/").status_code == 302
    assert AuditEntry.objects.get().action == "session.ended"
    assert client.post(f"/sessions/{row.pk}/end/", headers=HTMX).status_code == 409
    assert AuditEntry.objects.count() == 1


def test_all_others_are_ended_at_once_and_this_one_stays(client, eve):
    others = [at(eve) for _ in range(3)]

    response = client.post("/sessions/end-others/", follow=True)

    assert "Ended: 3 other sessions." in response.text
    assert client.get("/sessions/").status_code == 200
    assert {other.get("/sessions/").status_code for other in others} == {302}


def test_nobody_ends_somebody_elses(client, eve):
    other = UserFactory()
    there = at(other)

    row = SignIn.objects.get(user=other)
    assert client.post(f"/sessions/{row.pk}/end/").status_code == 409
    client.post("/sessions/end-others/")

    assert there.get("/sessions/").status_code == 200


def test_one_that_ran_out_or_has_an_old_password_is_not_listed(client, eve):
    at(eve)
    Session.objects.exclude(pk=client.session.session_key).update(expire_date=timezone.now())
    assert client.get("/sessions/").text.count('id="session-') == 1

    at(eve)
    eve.set_password(GOOD)
    eve.save()
    client.force_login(eve)
    assert client.get("/sessions/").text.count('id="session-') == 1


def test_signing_out_takes_it_off_the_list(client, eve):
    client.post("/logout/")

    assert not SignIn.objects.exists()


def test_pages_write_when_it_was_last_seen_once_in_five_minutes(client, eve):
    long_ago = timezone.now() - timedelta(hours=1)
    SignIn.objects.update(seen_at=long_ago)
    client.get("/sessions/")
    assert SignIn.objects.get().seen_at == long_ago

    cache.clear()  # as after five minutes, or in another process
    client.get("/sessions/")
    assert SignIn.objects.get().seen_at > long_ago


def test_a_session_from_before_there_were_rows_gets_one(client, eve):
    SignIn.objects.all().delete()
    cache.clear()

    assert client.get("/sessions/").text.count('id="session-') == 1


def test_the_session_one_is_in_is_left_by_signing_out(client, eve):
    response = client.post(f"/sessions/{SignIn.objects.get().pk}/end/", headers=HTMX)

    assert response.status_code == 409
    assert client.get("/sessions/").status_code == 200


def test_logged_out_there_is_nothing_to_see_or_to_end(client):
    assert client.get("/sessions/").status_code == 302
    assert client.post("/sessions/1/end/").url.startswith("/login/")
    assert client.get("/sessions/end-others/").status_code == 405
