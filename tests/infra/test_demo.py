"""`make demo` as a newcomer has it, but for its student: that one takes ten minutes."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = [pytest.mark.redis, pytest.mark.browser]
ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG\r\n\x1a\n"


def manage(home, *words):
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=os.environ | {"IOA_HOME": str(home), "SERVE": "0"},
        capture_output=True,
        text=True,
        timeout=900,  # a machine may have much else to do
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def said(home):
    return manage(home, "demo", "--student", "simulated")


def report_of(home):
    return json.loads((home / "demo" / "report.json").read_text())


def test_it_teaches_its_skills_in_two_stages_and_says_what_it_came_to(home, said):
    figures = report_of(home)

    assert [row["id"] for row in figures["skills"]] == ["A2", "A3", "B2", "S2"]
    for row in figures["skills"]:
        assert row["before"] < row["after"] <= row["teacher"] == 1.0
        assert row["mastered"]
    assert len(figures["stages"]) >= 2
    assert figures["retained_before"] < 0.6 < 0.9 < figures["retained"]
    assert figures["forgotten"] == []
    for count in ("items", "train_tokens", "seconds", "audit_entries"):
        assert figures[count] > 0
    assert figures["teacher_tokens"] >= 0
    assert "Retained share of the teacher" in said


def test_a_second_call_finds_the_first_one_done(home, said):
    before = report_of(home)

    manage(home, "demo", "--student", "simulated")

    assert report_of(home) == before


def test_its_log_is_whole_and_says_which_job_each_entry_came_from(home, said):
    checked = manage(home, "verify_audit", "--run", "1")
    entries = report_of(home)["audit_entries"]

    assert re.fullmatch(
        rf"run 1 \(.*\): {entries} entries, chain intact, head [0-9a-f]{{64}}\n", checked
    )
    with closing(sqlite3.connect(home / "db.sqlite3")) as database:
        asked = "SELECT DISTINCT request_id FROM curriculum_auditentry"
        ids = {name for (name,) in database.execute(asked)}
    assert "manage.py:demo" in ids
    assert any(name.startswith("train-") for name in ids)
    assert "" not in ids


def test_its_pages_are_taken_as_pictures(home, said, tmp_path):
    manage(home, "take_screenshots", "--out", str(tmp_path))

    taken = {path.stem: path.read_bytes() for path in tmp_path.glob("*.png")}
    assert {"run", "diagnosis", "review", "gate"} <= taken.keys()
    assert all(picture.startswith(PNG) for picture in taken.values())
