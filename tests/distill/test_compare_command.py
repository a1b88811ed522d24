"""`ioa compare`: what it tells, writes and refuses."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from distill.commands import compare
from distill.commands.compare import _Telling
from distill.comparison import evidence, page
from distill.comparison.plan import Plan, Run, read_tuning
from distill.comparison.sections import sections
from tests.distill.compared import ioa, said


def test_what_is_left_is_told_by_what_the_runs_took_that_go_on_side_by_side(tmp_path, monkeypatch):
    plan = Plan(
        domain="foundations",
        student="simulated",
        teacher="procedural",
        models=tmp_path,
        skills=("A2",),
        arms=("uniform",),
        items=(60,),
        seeds=tuple(range(7)),
    )
    telling, lines = _Telling(plan, tmp_path, 2), []
    monkeypatch.setattr(compare, "line", lines.append)
    result = {"skills": [{"id": "A2", "after": 0.5}], "items": 60}

    for seed, seconds in ((0, 600.0), (1, 1200.0)):
        telling.finished(Run("uniform", 60, seed), result, seconds)

    assert lines[0].endswith("60 items, 600 s; 6 runs to go, about 30 min")
    assert lines[1].endswith("60 items, 1,200 s; 5 runs to go, about 38 min")


def test_the_command_ends_with_a_table_and_tells_how_far_it_is(made):
    out, result = made

    assert "simulated on foundations 2, 90 items, 2 seeds" in result.stdout
    assert "uniform/items-60/seed-0" in said(result)
    assert re.search(r"15 runs to go, about \d+ min", said(result))
    told = json.loads((out / "c" / "comparison.json").read_text())
    assert set(told["budgets"]) == {"60", "90"}
    assert told["tuning"]["rates"] == [0.001, 0.002]
    assert told["tuning"]["seeds"] == [1000]
    assert read_tuning(out / "tune" / "tuned.json")["chosen"]["uniform"]["learning_rate"] == 0.001


def test_the_report_has_every_number_of_its_pictures_in_a_table(made):
    out, _ = made
    told = json.loads((out / "c" / "comparison.json").read_text())
    text = (out / "c" / "report.html").read_text()

    class Reader(HTMLParser):
        cells, open_ = [], []

        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img", "br"):
                self.open_.append(tag)

        def handle_endtag(self, tag):
            assert self.open_.pop() == tag

        def handle_data(self, words):
            if self.open_[-1:] == ["td"]:
                self.cells.append(words)

    Reader().feed(text)

    assert Reader.open_ == []
    cells = [cell for section in sections(told) for row in section.rows for cell in row]
    assert [c for c in Reader.cells if c] == [c for c in cells if c]
    titles = [s.title for s in sections(told)]
    assert titles == [
        "The arms",
        "ioa, less each other arm",
        "What each part is worth",
        "Learning curves by budget",
        "Gap closed by skill",
        "Items to mastery",
        "Forgetting",
        "Cost",
        "Learning rates",
    ]
    assert (out / "c" / "plotly-basic.min.js").is_file()


def test_names_are_text_on_the_page_and_never_markup(made):
    out, _ = made
    text = (out / "c" / "comparison.json").read_text()
    told = json.loads(text.replace('"B3"', '"<script>alert(1)</script>|x"'))

    assert "<script>alert" not in page.html(told)
    assert "\n| \\<script>alert(1)\\</script>\\|x |" in evidence.markdown(told)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--arms", "magic"], "There is no arm “magic”."),
        (["--arms", ","], "Name at least one arm"),
        (["--items", "many"], "--items takes positive numbers by comma, and “many” is none."),
        (["--items", "0"], "--items takes positive numbers"),
        (["--tune", "1e-3,-1"], "--tune takes positive numbers by comma, and “-1” is none."),
        (["--skills", "Z9"], "has no skill “Z9”."),
        (["--skills", "T1,T2"], "No arm would teach anything: T1, T2 only measure transfer."),
        (["--domain", "alchemy"], "There is no domain “alchemy”."),
        (["--student", "nobody/here"], "ModelFolderBroken"),
        (["--teacher", "nobody"], "There is no teacher “nobody”."),
        (["--tuned", "/nowhere/tuned.json"], "is not what --tune writes"),
        (
            ["--tuned", "list.json"],
            "list.json is not what --tune writes: it is no JSON object, {…}.",
        ),
        (["--settings", "/nowhere/s.json"], "cannot be used"),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[]")
    result = ioa("--out", tmp_path / "out", "--student", "simulated", "--seeds", 1, *words)

    assert result.exit_code == 1, result.output
    assert sentence in said(result)
    assert "Traceback" not in result.output


def test_a_device_that_there_is_not_is_a_wrong_word(tmp_path):
    assert ioa("--out", tmp_path / "out", "--device", "abacus").exit_code == 2


def test_a_folder_that_holds_a_comparison_asks_for_resume(made):
    out, _ = made

    result = ioa("--out", out / "c", "--student", "simulated")

    assert result.exit_code == 1
    assert "Add --resume" in said(result)
