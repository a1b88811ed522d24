"""docs/audit.md tells a stranger how to check an export: with what it says, and nothing of ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from curriculum.services import audit, chain
from curriculum.services.audit import Actor
from tests.factories import RunFactory

PAGE = Path(__file__).resolve().parents[2] / "docs" / "audit.md"
SCRIPT = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]


@pytest.fixture
def lines(db):
    run = RunFactory(name="„Brüche“ \u2028 ½")
    for value in (0.1, 1.0, 1e16, -0.0, 1e-7, "ü\n\x7f", None, [1, {"b": 2.5}]):
        given = {"actor": Actor.worker(), "action": "run.created", "subject": run}
        audit.write(run, evidence={"value": value}, **given)
    return list(chain.export(run))


def check(tmp_path, lines):
    script, export = tmp_path / "check.py", tmp_path / "audit.jsonl"
    script.write_text(SCRIPT)
    export.write_text("".join(lines), encoding="utf-8")
    ask = [sys.executable, "-I", str(script), str(export)]
    return subprocess.run(ask, capture_output=True, text=True, check=False)


def test_it_is_some_twenty_lines():
    assert len(SCRIPT.splitlines()) <= 20


def test_an_export_as_it_was_written_passes(tmp_path, lines):
    done = check(tmp_path, lines)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("8 entries, chain intact, head ")


def test_a_changed_a_missing_and_a_last_entry_are_found(tmp_path, lines):
    changed = [*lines[:2], lines[2].replace("worker", "nobody"), *lines[3:]]

    assert "entry 3 is not" in check(tmp_path, changed).stderr
    assert "entry 4 is not" in check(tmp_path, lines[:3] + lines[4:]).stderr
    assert "the end is missing after entry 7" in check(tmp_path, lines[:7] + lines[8:]).stderr
    assert "the end is missing after entry 8" in check(tmp_path, lines[:8]).stderr
