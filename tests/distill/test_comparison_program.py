"""`python -m distill.comparison.…`: mistakes end in a sentence."""

from __future__ import annotations

import pytest

from distill.comparison import drawing, evidence
from distill.comparison.program import run

MAIN = {"evidence": evidence, "drawing": drawing}


@pytest.mark.parametrize(
    ("name", "words", "status", "says"),
    [
        ("evidence", [], 2, "COMPARED: a folder"),
        ("evidence", ["--help"], 2, "COMPARED: a folder"),
        ("evidence", ["nodir", "docs"], 1, "nodir holds no comparison."),
        ("evidence", ["+nodir", "docs"], 1, "No comparison is named."),
        ("evidence", ["list", "docs"], 1, "comparison.json holds no figures"),
        ("evidence", ["broken", "docs"], 1, "comparison.json cannot be read"),
        ("evidence", ["nodir"], 1, "nodir"),
        ("drawing", [], 2, "docs [CHROMIUM]"),
        ("drawing", ["docs", "chromium", "more"], 2, "docs [CHROMIUM]"),
        ("drawing", ["docs", "nochromium"], 1, "There is no Chromium at nochromium"),
    ],
)
def test_a_mistake_ends_in_a_sentence(tmp_path, monkeypatch, capsys, name, words, status, says):
    monkeypatch.chdir(tmp_path)
    for folder, text in (("list", "[]"), ("broken", "{")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "comparison.json").write_text(text)

    found = run(MAIN[name].main, words, MAIN[name].__doc__)

    assert found == status
    assert says in capsys.readouterr().err
