"""From comparisons, runs and benchmarks to docs/evidence.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from distill.adapter.checks import Fits
from distill.cli import app
from distill.comparison import evidence
from distill.comparison.results import made_with
from distill.errors import DistillError
from distill.settings import Settings
from tests.distill.compared import QUICK, ioa

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_evidence_is_written_from_its_figures_and_names_the_command_of_each_table(made, tmp_path):
    out, _ = made
    speed = tmp_path / "speed.json"
    speed.write_text(json.dumps({"title": "Speed", "command": "python bench/x.py", "ratio": 1.01}))

    evidence.main([str(out / "c"), str(tmp_path / "docs"), str(speed)])
    text = (tmp_path / "docs" / "evidence.md").read_text()
    evidence.main([str(tmp_path / "docs")])

    told = json.loads((tmp_path / "docs" / "evidence.json").read_text())
    assert (tmp_path / "docs" / "evidence.md").read_text() == text == evidence.markdown(told)
    assert set(told["arms"]["ioa"]["composite"]) == {"mean", "interval", "n"}
    assert told["seeds"] == [0, 1]
    tables = text.count("\n| --- |")
    assert text.count("\n    " + told["command"]) == tables - 2  # goals and speed
    assert "    python bench/x.py\n\n| | |\n| --- | ---: |\n| ratio | 1.01 |" in text


def test_ablations_that_were_run_apart_stand_beside_the_arms_with_their_own_command(made, tmp_path):
    out, _ = made
    docs, tuned = tmp_path / "docs", ["--tuned", out / "tune/tuned.json", "--seeds", 2]
    result = ioa("--out", tmp_path / "arms", *tuned, *QUICK[:-1], "uniform,ioa")
    assert result.exit_code == 0, result.output

    apart = json.loads((out / "c" / "comparison.json").read_text()) | {"command": "ioa compare b"}
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "comparison.json").write_text(json.dumps(apart))

    evidence.main([str(tmp_path / "arms"), str(tmp_path / "parts"), str(docs)])
    evidence.main([str(tmp_path / "arms"), str(docs), str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert list(told["arms"]) == ["uniform", "ioa"]
    assert told["ablated"] == apart
    text = (docs / "evidence.md").read_text()
    worth = text[text.index("## What each part is worth") :]
    assert worth.splitlines()[2].strip().startswith(apart["command"])
    assert f"The ablations: {made_with(apart)}" in text.replace("\\", "")
    assert "ioa on the seeds 0, 1" in worth
    assert "| ioa-rehearsal |" in worth


def test_another_budget_of_other_skills_stands_beside_the_first_as_a_comparison_of_its_own(
    made, tmp_path
):
    docs, words = tmp_path / "docs", ["--student", "simulated", "--items", 120, "--probes", 8]
    words += ["--items-per-round", 60, "--skills", "A2,B3", "--arms", "uniform,ioa"]
    result = ioa("--out", tmp_path / "large", "--seeds", 1, *words)
    assert result.exit_code == 0, result.output
    large = json.loads((tmp_path / "large" / "comparison.json").read_text())

    evidence.main([str(made[0] / "c"), str(tmp_path / "large"), str(docs)])
    evidence.main([str(made[0] / "c"), str(docs), str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert (told["items"], told["others"]) == (90, [large])
    text = (docs / "evidence.md").read_text()
    apart = text[text.index("## 120 items of 2 skills, seed 0: The arms") :]
    assert apart.splitlines()[2].strip().startswith(large["command"])
    assert "One seed. Composite skills: B3." in apart
    mean = large["arms"]["ioa"]["mean"]["mean"]
    assert f"| {mean:.2f} |" in next(r for r in apart.splitlines() if r.startswith("| ioa |"))
    assert f"120 items of 2 skills, seed 0: {made_with(large)}" in text.replace("\\", "")


def test_of_another_budget_other_seeds_stand_beside_the_first_and_the_same_ones_once(
    made, tmp_path
):
    docs, words = tmp_path / "docs", ["--student", "simulated", "--items", 120, "--probes", 8]
    words += ["--items-per-round", 60, "--skills", "A2,B3", "--arms", "uniform,ioa", "--seeds", 1]
    for seed in (0, 1):
        result = ioa("--out", tmp_path / str(seed), "--first-seed", seed, *words)
        assert result.exit_code == 0, result.output

    evidence.main([str(made[0] / "c"), str(tmp_path / "0"), str(docs)])
    for _ in range(2):
        evidence.main([str(docs), str(tmp_path / "1"), str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert [other["seeds"] for other in told["others"]] == [[0], [1]]
    text = (docs / "evidence.md").read_text()
    titles = [f"## 120 items of 2 skills, seed {seed}: The arms" for seed in (0, 1)]
    assert [text.count(title) for title in titles] == [1, 1]

    other = json.loads((docs / "evidence.json").read_text())
    other["others"][0]["settings"]["budget"]["items_per_round"] = 59
    (docs / "evidence.json").write_text(json.dumps(other))
    result = ioa("--out", tmp_path / "2", "--first-seed", 2, *words)
    assert result.exit_code == 0, result.output

    evidence.main([str(docs), f"+{tmp_path / '2'}", str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert [other["seeds"] for other in told["others"]] == [[0], [1, 2]]


def test_more_budgets_of_the_same_skills_are_told_as_curves_beside_the_first(made, tmp_path):
    large = json.loads((made[0] / "c" / "comparison.json").read_text())
    only = {"budgets": {"90": large["budgets"]["90"]}}
    names = [name for name in large["arms"] if not name.startswith("ioa-")]
    plain = {k: {n: large[k][n] for n in names if n in large[k]} for k in ("arms", "differences")}
    for folder, told in (("main", large | only), ("more", large | plain | {"command": "ioa x"})):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "comparison.json").write_text(json.dumps(told))

    evidence.main([str(tmp_path / name) for name in ("main", "more", "docs")])
    evidence.main([str(tmp_path / name) for name in ("main", "docs", "docs")])

    text = (tmp_path / "docs" / "evidence.md").read_text()
    curves = text[text.index("## Learning curves by budget") :].splitlines()
    assert curves[2].strip().startswith("ioa x")
    assert "on its way. Seeds 0, 1." in curves[4]
    assert curves[6].startswith("![Learning curves by budget](evidence/learning-curves-by-budget-")
    assert curves[8] == "| arm | 60 items | 90 items |"


def test_a_version_that_had_no_such_setting_is_done_again_by_naming_it(made):
    told = json.loads((made[0] / "c" / "comparison.json").read_text())
    told["settings"] = Settings().model_dump(mode="json")
    told["command"] = "ioa compare --probes 8 --out var/x"
    told["settings"]["probing"]["final_probes"] = 8
    as_usual = evidence.markdown(told)
    del told["settings"]["probing"]["ask_others"]

    page = evidence.markdown(told)

    assert "settings.json" not in as_usual
    assert "    ioa compare --probes 8 --out var/x --settings settings.json\n" in page
    assert 'settings.json holds {"probing": {"ask\\_others": false}}.' in page


@pytest.mark.parametrize(
    ("broad", "skills", "is_named"),
    [(None, 8, False), (None, 9, True), (12, 8, False), (5, 8, True)],
)
def test_what_makes_a_round_broad_is_named_where_there_are_skills_enough(
    made, broad, skills, is_named
):
    told = json.loads((made[0] / "c" / "comparison.json").read_text())
    told["settings"] = Settings().model_dump(mode="json")
    told["settings"]["budget"]["broad_skills"] = broad
    told["command"] = "ioa compare --out var/x"
    told["items_to_mastery"] = {k: dict.fromkeys("ABCDEFGHI"[:skills]) for k in told["arms"]}

    assert (r"broad\_skills" in evidence.markdown(told)) is is_named


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"student": "another"}, "its student is another"),
        ({"tokens": 1}, "its tokens is 1"),
        (
            {"arms": {}, "differences": {}, "budgets": {"90": {}}},
            "does not compare ioa with ioa less one",
        ),
    ],
)
def test_what_is_of_something_else_is_not_told_beside_it(made, tmp_path, changed, says):
    told = json.loads((made[0] / "c" / "comparison.json").read_text())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "comparison.json").write_text(json.dumps(told | changed))

    with pytest.raises(DistillError, match=says):
        evidence.main([str(made[0] / "c"), str(tmp_path / "other"), str(tmp_path / "docs")])

    assert not (tmp_path / "docs").exists()


def test_rates_that_were_tried_are_told_beside_those_that_were_taken(made, tmp_path):
    docs, tuned = tmp_path / "docs", made[0] / "tune" / "tuned.json"
    command = json.loads(tuned.read_text())["command"]

    evidence.main([str(made[0] / "c"), str(docs), str(tuned)])
    evidence.main([str(made[0] / "c"), str(docs), str(docs)])

    text = (docs / "evidence.md").read_text().replace("\\", "")
    part = text[text.index("## Learning rates tried") :].split("\n## ")[0]
    assert f"    {command}\n" in part
    assert "| arm | 0.001 | 0.002 |" in part
    mean = json.loads(tuned.read_text())["tried"]["uniform"]["0.001"][0]
    assert f"| uniform | {mean:.3f} |" in part
    assert "speed" not in json.loads((docs / "evidence.json").read_text())


def test_runs_and_benchmarks_are_kept_where_none_are_named(made, tmp_path):
    speed = tmp_path / "speed.json"
    speed.write_text(json.dumps({"title": "Speed", "command": "python bench/x.py", "ratio": 1.01}))
    docs = tmp_path / "docs"

    evidence.main([str(made[0] / "c"), str(docs), str(speed)])
    evidence.main([str(made[0] / "c"), str(docs), str(docs)])

    assert json.loads((docs / "evidence.json").read_text())["speed"][0]["ratio"] == 1.01


def test_evidence_has_runs_with_the_command_and_the_settings_that_made_them(made, tmp_path):
    out, _ = made
    settings = tmp_path / "settings.json"
    settings.write_text('{"probing": {"final_probes": 20}, "budget": {"rounds_cap": 2}}')
    words = ["--skills", "A2,A3", "--student", "simulated", "--items", "60", "--seed", "3"]
    ran = CliRunner().invoke(
        app, ["distil", *words, "--settings", str(settings), "--out", str(tmp_path / "run")]
    )
    assert ran.exit_code == 0, ran.output

    spec = f"{tmp_path / 'run'}#transformers:big"
    evidence.main([str(out / "c"), str(tmp_path / "run"), spec, str(tmp_path / "docs")])

    run, of_model = json.loads((tmp_path / "docs" / "evidence.json").read_text())["taught"]
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert run["retained"] == report["retained"]
    assert run["settings"] == json.loads(settings.read_text())
    assert run["command"] == (
        "ioa distil --domain foundations --student simulated --teacher procedural "
        "--skills A2,A3 --items 60 --seed 3 --settings settings.json --out var/run"
    )
    assert of_model["command"] == run["command"].replace("procedural", "transformers:big")
    text = (tmp_path / "docs" / "evidence.md").read_text()
    assert f"    {run['command']}\n" in text
    low, high = report["retained_interval"]
    assert f"simulated keeps {report['retained']:.2f} ({low:.2f}–{high:.2f}) of what" in text
    assert f"| A2 | {report['skills'][0]['before']:.2f} |" in text

    told = json.loads((tmp_path / "docs" / "evidence.json").read_text())
    assert run["checks"]["fits"] == Fits.version
    assert "Its items were checked by" not in text
    told["taught"][0]["checks"] |= {"fits": 1}
    assert f"checked by fits 1 (now {Fits.version}): the command comes" in evidence.markdown(told)

    assert "skill's examples" not in text
    assert "shown no examples" not in text
    told["taught"][0] |= {"by_model": 9, "as_examples": 7}
    assert "7 of 9 solutions are written as the skill's examples are." in evidence.markdown(told)
    for name in ("by_model", "as_examples"):
        del told["taught"][0][name]
    assert "Its teacher was shown no examples" in evidence.markdown(told)

    docs = str(tmp_path / "docs")
    evidence.main([docs, str(tmp_path / "run"), docs])  # told already: once, behind the others

    assert json.loads((tmp_path / "docs" / "evidence.json").read_text())["taught"] == [
        of_model,
        run,
    ]


def test_the_page_of_evidence_says_what_its_figures_say():
    figures, says = DOCS / "evidence.json", DOCS / "evidence.md"
    told = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else None

    # no page without figures, and none that says other ones
    assert says.exists() == figures.exists()
    assert told is None or says.read_text(encoding="utf-8") == evidence.markdown(told)


def test_the_page_of_evidence_has_the_pictures_of_its_figures_and_no_others():
    shown = re.findall(r"!\[.+?\]\((.+?)\)", (DOCS / "evidence.md").read_text(encoding="utf-8"))

    there = {f"evidence/{p.name}" for p in (DOCS / "evidence").iterdir()}
    assert there == set(shown), "python -m distill.comparison.drawing docs"
    assert len(there) > 3
