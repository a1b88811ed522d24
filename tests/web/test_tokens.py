"""A person's API tokens: shown once, listed without the secret, revoked for good."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from curriculum.errors import BadToken, Overtaken
from curriculum.models import ApiToken, AuditEntry
from curriculum.services import audit, chain, tokens
from curriculum.services.audit import Actor
from tests.factories import AdminFactory, ApiTokenFactory, ReviewerFactory, ViewerFactory

pytestmark = pytest.mark.django_db
MAKE = "/account/tokens/make/"
FORM = {"name": "ci bot", "scopes": ["read", "review"], "days": "30"}
HTMX = {"HX-Request": "true"}


def made(user=None, **changes):
    user = user or ReviewerFactory()
    given = {"name": "ci", "scopes": ["read"], **changes}
    return tokens.make(user, actor=Actor.person(user), **given)


def test_the_secret_is_shown_once_and_only_its_hash_is_kept(client, viewer):
    response = client.post(MAKE, FORM)

    [words] = re.findall(r"ioa_[0-9a-f]{8}_[0-9a-f]{64}", response.text)
    token = ApiToken.objects.get()
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert token.secret_hash == hashlib.sha256(words.encode()).hexdigest()
    assert tokens.find(words) == token
    assert words not in client.get("/account/tokens/").text
    assert all(words not in session.session_data for session in Session.objects.all())
    rows = [str(row) for row in AuditEntry.objects.values_list()]
    assert rows
    assert not any(words[13:] in row for row in rows)


def test_the_log_of_the_house_says_who_made_it_and_for_what(client, viewer):
    client.post(MAKE, FORM)

    entry = AuditEntry.objects.get()
    assert (entry.run, entry.action, entry.actor) == (None, "token.made", viewer)
    assert entry.became["scopes"] == ["read", "review"]
    assert entry.subject_name == "ci bot"
    audit.verify(chain.house())


def test_htmx_gets_the_fragment_with_the_secret(client, viewer):
    response = client.post(MAKE, FORM, headers=HTMX)

    assert 'id="token-words"' in response.text
    assert "<html" not in response.text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": " "}, "Give the token a name"),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"scopes": []}, "Choose at least one scope"),
        ({"scopes": ["everything"]}, "not one of the available choices"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "367"}, "less than or equal to 366"),
    ],
)
def test_what_is_wrong_gets_a_sentence_and_makes_nothing(client, viewer, changes, says):
    response = client.post(MAKE, FORM | changes)

    assert response.status_code == 422
    assert says in response.text
    assert not ApiToken.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "a\x00b"}, "printable"),
        ({"name": "\u202eci"}, "printable"),
        ({"scopes": []}, "at least one scope"),
        ({"scopes": ["<b>"]}, "no scope"),
        ({"days": 0}, "1 to 366"),
    ],
)
def test_the_service_refuses_the_same_without_a_form(changes, says):
    with pytest.raises(BadToken, match=says):
        made(**changes)


def test_a_name_is_free_again_once_its_token_is_revoked():
    user = ReviewerFactory()
    token, _ = made(user)

    with pytest.raises(BadToken, match="already"):
        made(user)
    tokens.revoke(token, actor=Actor.person(user))
    made(user)
    made()  # of somebody else


def test_nobody_keeps_more_than_fifty():
    user = ReviewerFactory()
    ApiTokenFactory.create_batch(50, user=user)

    with pytest.raises(BadToken, match="50 tokens"):
        made(user)


def test_it_opens_nothing_once_it_is_revoked_expired_or_its_account_closed():
    token, words = made(days=1)
    user = token.user

    assert tokens.find(words) == token
    assert tokens.find(words[:-1] + ("0" if words[-1] != "0" else "1")) is None
    assert tokens.find(words + "0") is None
    user.is_active = False
    user.save()
    assert tokens.find(words) is None
    user.is_active = True
    user.save()
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tokens.find(words) is None
    ApiToken.objects.update(expires_at=None)
    tokens.revoke(token, actor=Actor.person(user))
    assert tokens.find(words) is None
    with pytest.raises(Overtaken):
        tokens.revoke(token, actor=Actor.person(user))


def test_an_administrator_revokes_anybodys_and_nobody_else_does(client):
    token = ApiTokenFactory()
    url = f"/account/tokens/{token.pk}/revoke/"

    client.force_login(ViewerFactory())
    assert client.post(url).status_code == 403
    client.force_login(AdminFactory())
    assert client.post(url).status_code == 302

    token.refresh_from_db()
    assert token.revoked_at is not None
    assert AuditEntry.objects.get().action == "token.revoked"


def test_the_list_shows_ones_own_and_when_they_were_used(client, viewer):
    ApiTokenFactory(user=viewer, name="mine", used_at=timezone.now())
    ApiTokenFactory(user=viewer, name="gone", revoked_at=timezone.now())
    ApiTokenFactory(name="anothers")

    page = client.get("/account/tokens/").text

    assert "mine" in page
    assert "now" in page
    assert "revoked" in page
    assert "anothers" not in page
    assert client.get(MAKE).status_code == 405


def test_logged_out_it_is_the_login_page(client):
    assert client.get("/account/tokens/").url.startswith("/login/")
    assert client.post(MAKE, FORM).url.startswith("/login/")
    assert not ApiToken.objects.exists()
