from __future__ import annotations

import os
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured
from redis import ConnectionPool

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


@pytest.mark.parametrize(
    "value",
    [
        *("foo", "postgresql//u:secret@x/ioa", "mysql://u:secret@host/ioa", "sqlite"),
        "postgres://u:secret@host:door/ioa",
    ],
)
def test_a_database_without_triggers_or_a_door_is_refused_and_its_password_is_not_shown(
    monkeypatch, value
):
    monkeypatch.setenv("IOA_X", value)

    with pytest.raises(ImproperlyConfigured, match="IOA_X cannot be read. Write post") as refused:
        env.database("IOA_X", "")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "psql", "pgsql"])
def test_a_database_is_an_address(monkeypatch, scheme):
    monkeypatch.setenv("IOA_X", f"{scheme}://u:p%40ss@host:5433/ioa")

    found = env.database("IOA_X", "")

    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert (found["HOST"], found["PORT"], found["PASSWORD"]) == ("host", 5433, "p@ss")
    assert env.database("IOA_UNSET", "sqlite:////at/db.sqlite3")["NAME"] == "/at/db.sqlite3"


@pytest.mark.parametrize(
    "value",
    [
        *(
            "redis://host",
            "redis://host:6379/2",
            "rediss://u:p%40ss@host:6380",
            "unix:///redis.sock",
        ),
        *("redis://:secret@[::1]:6379/0/", "unix://u:secret@/redis.sock?db=1"),
    ],
)
def test_a_queue_is_an_address(monkeypatch, value):
    monkeypatch.setenv("IOA_X", value)

    assert env.redis("IOA_X", "") == value
    assert ConnectionPool.from_url(value)


@pytest.mark.parametrize(
    "value",
    [
        *("foo", "localhost:6379", "http://host:6379", "unix://", "redis://:secret@host:door/0"),
        *("redis://:secret@host:6379/two", "redis://:sec/ret@host:6379"),
    ],
)
def test_a_queue_without_an_address_is_refused_and_its_password_is_not_shown(monkeypatch, value):
    monkeypatch.setenv("IOA_X", value)

    with pytest.raises(ImproperlyConfigured, match="IOA_X cannot be read. Write redis") as refused:
        env.redis("IOA_X", "")

    assert "sec" not in str(refused.value)


def test_a_choice_is_read_in_capitals_and_without(monkeypatch):
    monkeypatch.setenv("IOA_X", "debug")

    assert env.choice("IOA_X", "INFO", ("DEBUG", "INFO")) == "DEBUG"
    assert env.choice("IOA_UNSET", "INFO", ("DEBUG", "INFO")) == "INFO"


@pytest.mark.parametrize("value", ["Mars", "Europe", "../etc/passwd", "/etc/localtime"])
def test_a_time_zone_that_is_none_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("IOA_X", value)

    with pytest.raises(ImproperlyConfigured, match="IOA_X is “.*”, which is no time zone"):
        env.zone("IOA_X", "UTC")

    monkeypatch.setenv("IOA_X", "Europe/Paris")
    assert env.zone("IOA_X", "UTC") == "Europe/Paris"


def test_a_file_of_variables_that_is_named_has_to_be_there(monkeypatch, tmp_path):
    assert env.variables("IOA_UNSET", tmp_path / ".env").read() == ""

    monkeypatch.setenv("IOA_X", str(tmp_path / "typo"))
    with pytest.raises(ImproperlyConfigured, match=r"IOA_X is .*typo, which is not there"):
        env.variables("IOA_X", tmp_path / ".env")

    monkeypatch.setenv("IOA_X", str(tmp_path))
    with pytest.raises(ImproperlyConfigured, match=r"cannot be read \(Is a directory\)"):
        env.variables("IOA_X", tmp_path / ".env")


def test_a_file_of_variables_that_is_there_has_to_be_text(tmp_path):
    (tmp_path / ".env").write_bytes(b"\xff\xfe")

    with pytest.raises(ImproperlyConfigured, match="not UTF-8"):
        env.variables("IOA_UNSET", tmp_path / ".env")
