"""A comparison run in parts, on several machines or days, and put together."""

from __future__ import annotations

import copy
import json

import pytest
from typer.testing import CliRunner

from distill.cli import app
from distill.comparison import evidence
from distill.comparison.parts import command, joined, settings_of
from distill.errors import DistillError
from distill.settings import Settings

QUICK = ["--student", "simulated", "--items-per-round", "30", "--probes", "8"]
SECONDS = ("seconds", "train_seconds")


def compared(out, *words, skills="A1,A2,B3,T2"):
    said = ["compare", "--out", out, "--skills", skills, *QUICK, *words]
    result = CliRunner().invoke(app, [str(w) for w in said])
    assert result.exit_code == 0, result.output
    return json.loads((out / "comparison.json").read_text())


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Folder, and the figures of: all at once, seed 0, seed 1, one arm, a smaller budget."""
    out = tmp_path_factory.mktemp("apart")
    two, one = ["--arms", "uniform,ioa"], ["--seeds", 1]
    return out, {
        "whole": compared(out / "whole", "--items", "60,90", "--seeds", 2, "--arms", "uniform,ioa"),
        "first": compared(out / "first", "--items", 90, *one, *two),
        "second": compared(
            out / "second", "--items", 90, *one, "--first-seed", 1, "--arms", "uniform"
        ),
        "arm": compared(out / "arm", "--items", 90, *one, "--first-seed", 1, "--arms", "ioa"),
        "small": compared(out / "small", "--items", 60, "--seeds", 2, *two),
    }


def untimed(told):
    """Without what no two runs have alike, and in one order."""
    if isinstance(told, dict):
        return {k: untimed(v) for k, v in told.items() if k not in (*SECONDS, "command")}
    return [untimed(v) for v in told] if isinstance(told, list) else told


def by_run(told):
    rows = sorted(told["runs"], key=lambda r: (r["budget"], r["seed"], r["arm"]))
    return untimed(told | {"runs": rows})


def test_parts_make_the_whole_whatever_is_joined_first(apart):
    _, told = apart

    by_budget = joined(joined(told["first"], told["second"], "second"), told["arm"], "arm")
    found = joined(by_budget, told["small"], "small")
    other = joined(told["small"], joined(told["second"], told["arm"], "arm"), "arm")
    other = joined(other, told["first"], "first")

    assert by_run(found) == by_run(other) == by_run(told["whole"])
    assert "--items 60,90" in found["command"]
    assert "--seeds 2" in found["command"]
    assert "--first-seed" not in found["command"]


def test_an_arm_that_has_not_all_seeds_says_how_many(apart):
    _, told = apart

    found = joined(told["first"], told["second"], "second")

    assert [found["arms"][n]["mean"]["n"] for n in ("uniform", "ioa")] == [2, 1]
    page = evidence.markdown(found)
    assert "| ioa (1 of 2 seeds) |" in page
    assert "| uniform | 0." in page


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"student": "another"}, "its student is another"),
        ({"versions": {"python": "2"}}, "its versions"),
        ({"settings": {"budget": {"rehearsal_weight": 0.1}}}, "other settings"),
        ({"tuning": {"chosen": {"ioa": {"learning_rate": 1}}}}, "other settings"),
        ({}, "uniform with 90 items and seed 1 is there already: second"),
    ],
)
def test_what_is_no_part_of_it_is_refused(apart, change, says):
    _, told = apart
    both = joined(told["first"], told["second"], "second")

    with pytest.raises(DistillError, match=says):
        joined(both, told["second"] | change, "second")


def test_a_seed_that_is_left_out_is_asked_for(apart):
    _, told = apart
    later = copy.deepcopy(told["second"])
    for row in later["runs"]:
        row["seed"] = 3

    with pytest.raises(DistillError, match="The seeds 0, 3 leave one out"):
        joined(told["first"], later, "later")


def test_means_alone_cannot_be_added_to_but_stand_beside_another_budget(apart):
    """Versions before 2026-11-29 kept no skills of single runs."""
    _, told = apart
    old = copy.deepcopy(told["first"])
    for row in old["runs"]:
        del row["skills"]
    del old["budgets"]["90"]["skills"]

    with pytest.raises(DistillError, match="only means are kept"):
        joined(old, told["second"], "second")
    found = joined(old, told["small"], "small")

    assert found["skills"] == told["first"]["skills"]
    assert found["items_to_mastery"] == joined(told["first"], told["small"], "")["items_to_mastery"]


def test_the_command_of_both_keeps_every_other_word():
    words = "ioa compare --skills A1,A2 --seeds 1 --arms gap --first-seed 3 --out 'a b' --items 60"

    assert command(words, ["gap", "ioa"], ["60", "90"], [2, 3]) == (
        "ioa compare --skills A1,A2 --seeds 2 --arms gap,ioa --first-seed 2 --out 'a b' "
        "--items 60,90"
    )
    assert command("ioa compare --out x", ["gap"], ["60"], [0, 1]) == (
        "ioa compare --out x --arms gap --items 60 --seeds 2"
    )


def test_evidence_joins_a_folder_to_what_is_of_the_same_skills(apart, tmp_path):
    out, told = apart
    compared(out / "more", "--items", 90, "--seeds", 1, "--arms", "uniform", skills="A1")
    compared(
        out / "later", "--items", 90, "--seeds", 1, "--first-seed", 1, "--arms", "uniform",
        skills="A1",
    )  # fmt: skip
    words = [out / "first", out / "more", f"+{out / 'later'}", f"+{out / 'small'}", tmp_path]

    evidence.main([str(w) for w in words])

    found = json.loads((tmp_path / "evidence.json").read_text())
    assert set(found["budgets"]) == {"60", "90"}
    (other,) = found["others"]
    assert other["seeds"] == [0, 1]
    page = (tmp_path / "evidence.md").read_text()
    assert "## Learning curves by budget" in page
    with pytest.raises(DistillError, match="Nothing that is told is of the skills"):
        evidence.gather([str(out / "first"), f"+{out / 'later'}"], [])
    with pytest.raises(DistillError, match="holds no comparison"):
        evidence.gather([str(out / "first"), f"+{tmp_path / 'none'}"], [])


def test_seeds_for_tuning_are_never_reported(tmp_path):
    words = ["compare", "--out", str(tmp_path / "x"), "--first-seed", "999", "--seeds", "2"]

    result = CliRunner().invoke(app, words)

    assert result.exit_code == 1
    assert "Seeds from 1000 are for --tune." in " ".join(result.stderr.split())


def test_parts_that_differ_in_what_makes_no_difference_are_of_one_thing():
    """Of a perfect teacher no gate asks more, whatever it may: an older part did not know of it."""
    told = {"settings": Settings().model_dump(mode="json"), "teacher": "procedural"}
    older = json.loads(json.dumps(told))
    del older["settings"]["probing"]["gate_probes_stretch"]

    assert settings_of(older) == settings_of(told)
    assert settings_of(older | {"teacher": "big"}) != settings_of(told | {"teacher": "big"})
