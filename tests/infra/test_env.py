from __future__ import annotations

import os
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from ioa_web import env


def test_a_variable_that_is_not_set_or_empty_gives_the_default(monkeypatch):
    monkeypatch.setenv("IOA_EMPTY", " ")

    assert env.text("IOA_UNSET", "x") == "x"
    assert env.text("IOA_EMPTY", "x") == "x"
    assert env.number("IOA_EMPTY", 7) == 7
    assert env.flag("IOA_EMPTY", True) is True
    assert env.words("IOA_EMPTY", "a, b") == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False), ("off", False)],
)
def test_a_flag_is_read_as_people_write_it(monkeypatch, value, expected):
    monkeypatch.setenv("IOA_X", value)

    assert env.flag("IOA_X", not expected) is expected


@pytest.mark.parametrize(
    ("read", "value", "says"),
    [
        (lambda: env.flag("IOA_X", True), "maybe", "Write 1 or 0"),
        (lambda: env.number("IOA_X", 1), "ten", "whole number"),
        (lambda: env.number("IOA_X", 1), "1.5", "whole number"),
        (lambda: env.number("IOA_X", 60, least=30), "5", "30 or more"),
    ],
)
def test_an_odd_value_stops_the_start_with_a_sentence(monkeypatch, read, value, says):
    monkeypatch.setenv("IOA_X", value)

    with pytest.raises(ImproperlyConfigured, match=says) as caught:
        read()

    assert "IOA_X" in str(caught.value)


def test_a_folder_is_absolute_and_a_file_in_its_place_is_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setenv("IOA_X", "here")
    assert env.path("IOA_X", tmp_path) == tmp_path / "here"

    monkeypatch.setenv("IOA_X", "file")
    with pytest.raises(ImproperlyConfigured, match="Name a folder"):
        env.path("IOA_X", tmp_path)


def test_a_secret_is_made_once_and_nobody_else_can_read_it(tmp_path):
    file = tmp_path / "home" / "secret_key"

    first = env.secret("IOA_UNSET", kept_in=file)
    second = env.secret("IOA_UNSET", kept_in=file)

    assert first == second
    assert len(first) >= 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["secret_key"]


def test_a_secret_that_is_set_is_not_written_down(monkeypatch, tmp_path):
    monkeypatch.setenv("IOA_X", "given")

    assert env.secret("IOA_X", kept_in=tmp_path / "key") == "given"
    assert not (tmp_path / "key").exists()


def test_a_secret_that_can_neither_be_read_nor_made_stops_the_start(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ImproperlyConfigured, match="Set IOA_UNSET"):
        env.secret("IOA_UNSET", kept_in=tmp_path / "file" / "key")


def test_an_address_of_the_web_has_no_slash_at_its_end(monkeypatch):
    monkeypatch.setenv("IOA_BASE_URL", "https://ioa.example.org/")

    assert env.address("IOA_BASE_URL") == "https://ioa.example.org"

    monkeypatch.setenv("IOA_BASE_URL", "ftp://ioa.example.org")
    with pytest.raises(ImproperlyConfigured, match="IOA_BASE_URL has to begin with http"):
        env.address("IOA_BASE_URL")


def test_a_mail_server_is_one_address_and_its_password_is_never_shown(monkeypatch):
    assert env.mail("EMAIL_URL") == {}

    monkeypatch.setenv("EMAIL_URL", "smtp+tls://u:p%40ss@mail.example.org:587")
    found = env.mail("EMAIL_URL")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.org", 587)
    assert (found["EMAIL_HOST_PASSWORD"], found["EMAIL_USE_TLS"]) == ("p@ss", True)

    for wrong in ("carrier://u:secret@pigeon", "smtp://u:secret@host:door"):
        monkeypatch.setenv("EMAIL_URL", wrong)
        with pytest.raises(ImproperlyConfigured, match="EMAIL_URL cannot be read") as refused:
            env.mail("EMAIL_URL")
        assert "secret" not in str(refused.value)
