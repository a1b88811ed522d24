"""Signing in at a provider, which is a small one of our own: it leaves the house."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse

from curriculum import access
from curriculum.access import Role
from curriculum.models import AuditEntry
from tests.factories import RunFactory, UserFactory
from tests.web.provider import CLIENT, SECRET, Provider

pytestmark = pytest.mark.django_db
ADA = {
    "sub": "42",
    "preferred_username": "ada",
    "email": "ada@example.org",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lovelace",
}


@pytest.fixture
def provider(settings):
    import_module("tests.web.oidc_urls")  # both lists of addresses, before one is switched on
    provider = Provider()
    told = copy.deepcopy(settings.SOCIALACCOUNT_PROVIDERS)
    app = {"client_id": CLIENT, "secret": SECRET, "settings": {"server_url": provider.url}}
    told["openid_connect"]["APPS"][0] |= app
    settings.SOCIALACCOUNT_PROVIDERS = told
    settings.IOA_OIDC, settings.IOA_OIDC_NAME = provider.url, "Example Org"
    settings.ROOT_URLCONF = "tests.web.oidc_urls"
    provider.claims = dict(ADA)
    yield provider
    provider.close()


@pytest.fixture
def client():
    return Client()  # with the addresses of now


def sign_in(client, provider, next="", **changed):
    begun = client.get("/oidc/main/login/" + (f"?next={next}" if next else ""))
    assert begun.status_code == 302
    assert begun.url.startswith(f"{provider.url}/authorize?")
    back = {**provider.authorize(begun.url), **changed}
    return client.get("/oidc/main/login/callback/", back)


def user_of(client):
    return User.objects.get(pk=client.session["_auth_user_id"])


def test_the_first_time_makes_a_viewer_and_the_second_finds_them(client, provider):
    response = sign_in(client, provider)

    assert (response.status_code, response.url) == (302, "/")
    ada = user_of(client)
    assert (ada.username, ada.get_full_name(), ada.email) == (
        "ada",
        "Ada Lovelace",
        "ada@example.org",
    )
    assert access.house_role(ada) is Role.VIEWER
    assert not ada.is_staff
    assert not ada.has_usable_password()
    entry = AuditEntry.objects.get(action="account.added")
    assert (entry.actor, entry.became["groups"]) == (ada, ["viewer"])
    assert client.get("/").status_code == 200

    other = Client()
    sign_in(other, provider)
    assert user_of(other) == ada
    assert AuditEntry.objects.count() == 1


def test_without_a_group_they_see_no_run(client, provider, settings):
    settings.IOA_OIDC_GROUP = "none"
    run = RunFactory()
    sign_in(client, provider)

    assert access.role_in(user_of(client), run) is None
    assert client.get(run.get_absolute_url()).status_code == 404


def test_claims_of_the_provider_give_no_rights(client, provider):
    provider.claims |= {"groups": ["admin"], "is_superuser": True, "is_staff": True, "role": 4}
    sign_in(client, provider)

    ada = user_of(client)
    assert access.house_role(ada) is Role.VIEWER
    assert not ada.is_staff
    assert not ada.is_superuser


def test_it_leads_on_to_the_page_that_was_asked_for_and_to_no_other_site(client, provider):
    assert sign_in(client, provider, next="/jobs/").url == "/jobs/"
    assert sign_in(Client(), provider, next="https://evil.example/").url == "/"


def test_an_address_that_is_taken_opens_no_account_and_makes_none(client, provider):
    mine = UserFactory(email="ADA@example.org", username="admin")

    response = sign_in(client, provider)

    assert response.status_code == 403
    assert "sign in with its password" in response.text
    assert "_auth_user_id" not in client.session
    assert list(User.objects.all()) == [mine]


@pytest.mark.parametrize(("is_verified", "opens"), [(True, True), (False, False)])
def test_where_it_is_trusted_only_an_address_it_vouches_for_opens_the_account(
    client, provider, settings, is_verified, opens
):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["EMAIL_AUTHENTICATION"] = True
    mine = UserFactory(email="ada@example.org")
    provider.claims["email_verified"] = is_verified

    sign_in(client, provider)

    assert ("_auth_user_id" in client.session) is opens
    assert list(User.objects.all()) == [mine]


def test_a_name_that_is_taken_gets_another(client, provider):
    UserFactory(username="ada", email="other@example.org")

    sign_in(client, provider)

    assert user_of(client).username not in ("ada", "")


def test_an_account_that_is_switched_off_stays_out(client, provider):
    sign_in(client, provider)
    User.objects.update(is_active=False)

    response = sign_in(again := Client(), provider)

    assert response.status_code == 403
    assert "switched off" in response.text
    assert "_auth_user_id" not in again.session


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/userinfo"])
def test_a_provider_that_answers_nonsense_is_told_of_in_a_sentence(client, provider, path):
    provider.broken = path
    begun = client.get("/oidc/main/login/")
    if begun.status_code == 302:
        begun = client.get("/oidc/main/login/callback/", provider.authorize(begun.url))

    assert begun.status_code == 502
    assert "Example Org could not be asked" in begun.text
    assert "<script>" not in begun.text.partition("<body")[2]
    assert not User.objects.exists()


def test_a_provider_that_is_not_there_is_told_of_in_a_sentence(client, provider, settings):
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:1"

    response = client.get("/oidc/main/login/")

    assert response.status_code == 502
    assert "Example Org could not be asked" in response.text


@pytest.mark.parametrize(
    "back", [{"state": "forged"}, {"code": "wrong"}, {"error": "access_denied"}, {"code": ""}]
)
def test_a_forged_or_broken_way_back_signs_nobody_in(client, provider, back):
    response = sign_in(client, provider, **back)

    assert response.status_code in (401, 502)
    assert 'role="alert"' in response.text
    assert not User.objects.exists()


def test_a_token_for_somebody_else_is_refused(client, provider):
    provider.audience = "another program"

    assert sign_in(client, provider).status_code == 502
    assert not User.objects.exists()


def test_claims_without_a_subject_are_refused(client, provider):
    del provider.claims["sub"]

    assert sign_in(client, provider).status_code == 502
    assert not User.objects.exists()


def test_nobody_is_connected_with_another_account(client, provider):
    client.force_login(UserFactory())

    assert client.get("/oidc/main/login/?process=connect").status_code == 404
    assert client.get("/oidc/other/login/").status_code == 404


def test_the_login_page_offers_it(client, provider):
    page = client.get("/login/?next=/jobs/").text
    assert "Sign in with Example Org" in page
    assert "/oidc/main/login/?next=/jobs/" in page


def test_without_a_provider_no_address_of_allauth_is_open(client):
    assert "oidc" not in client.get("/login/").text
    for name in ("openid_connect_login", "openid_connect_callback"):
        with pytest.raises(NoReverseMatch):
            reverse(name, args=["main"])
    for name in ("account_login", "account_signup", "socialaccount_signup", "account_email"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    for path in ("/oidc/main/login/", "/accounts/login/", "/accounts/signup/"):
        assert client.get(path).status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"IOA_OIDC_URL": "http://idp.example.org", "IOA_OIDC_CLIENT_ID": "x"}, "https://"),
        ({"IOA_OIDC_URL": "https://idp.example.org"}, "IOA_OIDC_CLIENT_ID has to be as well"),
        ({"IOA_OIDC_GROUP": "admin"}, "Write one of none, viewer"),
    ],
)
def test_what_cannot_be_meant_stops_the_start(variables, says):
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env={**os.environ, **variables, "DJANGO_SETTINGS_MODULE": "ioa_web.settings"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode
    assert says in done.stderr
