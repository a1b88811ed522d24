from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import Error, connection

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = re.compile(
    r"""(?:src|href|action|hx-(?:get|post))\s*=\s*["'](?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//"""
)
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son[a-z]+\s*=\s*[\"']|javascript:"
)


@pytest.mark.django_db
def test_it_is_healthy_while_the_database_answers(client):
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.json() == {"database": "ok"}
    assert "no-store" in response.headers["Cache-Control"]


def test_it_says_so_when_the_database_does_not_answer(client, monkeypatch, db):
    def unreachable(*_):
        raise Error

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", unreachable)
        response = client.get("/healthz")

    assert response.status_code == 503


@pytest.mark.django_db
def test_every_answer_forbids_foreign_and_inline_scripts(client):
    for page in ("/login/", "/healthz", "/no-such-page/"):
        policy = client.get(page).headers["Content-Security-Policy"]

        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == "'self'"
        assert rules["connect-src"] == "'self'"
        assert "http" not in policy


@pytest.mark.django_db
def test_headers_are_strict(client):
    headers = client.get("/login/").headers

    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def templates():
    return sorted((ROOT / "templates").rglob("*.html"))


def test_no_template_names_another_server_or_holds_a_script():
    assert templates()
    for template in templates():
        text = template.read_text()
        assert not OUTSIDE.search(text), template
        assert not INLINE.search(text), template


def test_no_link_says_that_it_is_a_button_which_space_would_press():
    for template in templates():
        for tag in re.findall(r"<a\b[^>]*", template.read_text()):
            assert "role=" not in tag, (template, tag)


def test_no_style_or_script_of_ours_names_another_server():
    ours = [path for path in (ROOT / "static").glob("*.*") if path.suffix in (".css", ".js")]

    assert ours
    for path in ours:
        assert not re.search(r"https?://(?!www\.w3\.org/)", path.read_text()), path
