"""Who tries passwords has to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db
RIGHT, WRONG = "correct horse battery", "wrong horse battery"


@pytest.fixture(autouse=True)
def quick(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ada(quick):
    return User.objects.create_user("ada", password=RIGHT)


def attempt(client, password, name="ada", address="10.0.0.1", path="/login/", **headers):
    form = {"username": name, "password": password}
    return client.post(path, form, REMOTE_ADDR=address, headers=headers)


def test_after_five_wrong_passwords_the_right_one_has_to_wait(client, ada):
    for _ in range(4):
        assert attempt(client, WRONG).status_code == 200
    refused = attempt(client, WRONG)

    assert refused.status_code == 429
    assert "Too many tries with this name from here. Wait 15 minutes" in refused.text
    assert 14 * 60 < int(refused["Retry-After"]) <= 15 * 60
    assert attempt(client, RIGHT).status_code == 429
    assert "_auth_user_id" not in client.session


def test_the_wait_that_was_said_is_the_wait(client, ada):
    for _ in range(7):  # two of them while waiting already
        attempt(client, WRONG)
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14, seconds=30))
    assert "Wait 1 minute," in attempt(client, WRONG).text

    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert attempt(client, RIGHT).status_code == 302


def test_the_right_password_in_time_begins_the_count_anew(client, ada):
    for _ in range(4):
        attempt(client, WRONG)
    assert attempt(client, RIGHT).status_code == 302
    assert attempt(Client(), WRONG).status_code == 200


def test_nobody_is_locked_out_from_elsewhere(client, ada):
    for _ in range(6):
        attempt(client, WRONG, address="10.6.6.6")

    assert attempt(client, RIGHT).status_code == 302


def test_another_browser_at_the_same_address_does_not_begin_anew(client, ada):
    for n in range(5):
        attempt(Client(), WRONG, user_agent=f"Browser {n}")

    assert attempt(client, RIGHT).status_code == 429


def test_a_name_without_an_account_is_answered_the_same(client, ada):
    for n in range(6):
        known, unknown = (attempt(client, WRONG, name=name) for name in ("ada", "eve"))
        assert known.status_code == unknown.status_code, n
        assert words(known, "ada") == words(unknown, "eve")


def words(response, name):
    return response.text.partition("<main")[2].partition("<form")[0].replace(name, "NAME")


def test_the_login_of_the_admin_counts_as_well(client, ada):
    for _ in range(3):
        attempt(client, WRONG, path="/admin/login/")
    for _ in range(2):
        attempt(client, WRONG)

    assert attempt(client, RIGHT, path="/admin/login/").status_code == 429


def test_no_password_is_kept(client, ada):
    attempt(client, WRONG)

    assert WRONG not in str(list(AccessAttempt.objects.values()))


def test_behind_a_proxy_the_address_is_the_one_that_it_saw(client, ada, settings):
    settings.IOA_PROXIES = 1
    for n in range(5):  # what stands before the proxy's word is anybody's to write
        attempt(client, WRONG, address="10.9.9.9", x_forwarded_for=f"1.2.3.{n}, 10.6.6.6")

    there = attempt(client, RIGHT, address="10.9.9.9", x_forwarded_for="10.6.6.6")
    elsewhere = attempt(client, RIGHT, address="10.9.9.9", x_forwarded_for="10.0.0.1")

    assert (there.status_code, elsewhere.status_code) == (429, 302)


def test_without_a_proxy_nobody_chooses_an_address(client, ada):
    for n in range(5):
        attempt(client, WRONG, x_forwarded_for=f"1.2.3.{n}")

    assert attempt(client, RIGHT, x_forwarded_for="1.2.3.99").status_code == 429
