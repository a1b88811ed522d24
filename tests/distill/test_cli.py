"""The command `ioa`: it works, and what is wrong is one sentence and status 1."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from distill.cli import app
from distill.settings import Settings

QUICK = ["--student", "simulated", "--skills", "A2"]


def ioa(*words, answers=None):
    return CliRunner().invoke(app, [str(w) for w in words], input=answers)


@pytest.fixture
def quick(tmp_path):
    """Settings in a file, for a run of a second."""
    path = tmp_path / "settings.json"
    probing = {"diagnose_probes": 16, "final_probes": 16}
    budget = {"items": 200, "items_per_round": 60}
    path.write_text(json.dumps({"probing": probing, "budget": budget}))
    return path


def said(result):
    """stderr as one line."""
    return " ".join(result.stderr.split())


def test_a_run_ends_with_a_table_and_a_report(tmp_path, quick):
    result = ioa("distil", "--out", tmp_path / "run", "--settings", quick, *QUICK)

    assert result.exit_code == 0, result.output
    assert "What the student can do" in result.stdout
    assert "A2" in result.stdout
    figures = json.loads((tmp_path / "run" / "report.json").read_text())
    assert figures["skills"][0]["mastered"]


def test_a_settings_file_is_used_and_the_command_line_wins_over_its_budget(tmp_path, quick):
    ioa("distil", "--out", tmp_path / "1", "--settings", quick, *QUICK)
    ioa("distil", "--out", tmp_path / "2", "--settings", quick, "--items", 120, *QUICK)

    settings = [
        json.loads((tmp_path / run / "report.json").read_text())["settings"] for run in "12"
    ]
    assert [s["budget"]["items"] for s in settings] == [200, 120]
    assert [s["budget"]["items_per_round"] for s in settings] == [60, 60]
    assert [s["probing"]["diagnose_probes"] for s in settings] == [16, 16]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--domain", "alchemy"], "DomainError: There is no domain “alchemy”."),
        (["--domain", "[/red].yaml"], "[/red].yaml"),
        (["--skills", "A2,Z9"], "DomainError: Foundations: arithmetic"),
        (["--teacher", "socrates"], "There is no teacher “socrates”."),
        (["--student", "nobody"], "ModelFolderBroken: There is no model folder"),
        (["--settings", "nowhere.json"], "The settings in nowhere.json cannot be used"),
        (["--out", "/proc/nowhere"], "/proc/nowhere"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_status_1(tmp_path, words, sentence):
    result = ioa("distil", *QUICK, "--out", tmp_path / "run", *words)

    assert result.exit_code == 1
    assert sentence in said(result)
    assert "Traceback" not in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "content",
    ["{", '{"budget": {"itemz": 3}}', '{"thresholds": {"mastery": 2}}', '{"budget": {"items": 0}}'],
)
def test_settings_that_make_no_sense_are_a_sentence_and_status_1(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_text(content)

    result = ioa("distil", "--out", tmp_path / "run", "--settings", path, *QUICK)

    assert result.exit_code == 1
    assert "settings.json cannot be used" in said(result)


def test_wrong_words_are_status_2(tmp_path):
    assert ioa("distil", "--out", tmp_path / "r", "--autonomy", "some").exit_code == 2
    assert ioa("distil", "--out", tmp_path / "r", "--items", "0").exit_code == 2
    assert ioa("distil").exit_code == 2


def test_a_run_is_continued_only_when_asked(tmp_path, quick):
    words = ["distil", "--out", tmp_path / "run", "--settings", quick, *QUICK]
    ioa(*words)

    again, resumed = ioa(*words), ioa(*words, "--resume")

    assert again.exit_code == 1
    assert "holds a run already. Add --resume" in said(again)
    assert resumed.exit_code == 0


def test_a_run_that_is_stopped_says_what_is_kept_and_goes_on(tmp_path, quick, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    words = ["distil", "--out", tmp_path / "run", "--settings", quick, *QUICK]
    with monkeypatch.context() as patch:
        patch.setattr("distill.authoring.write", stop)
        stopped = ioa(*words)

    assert stopped.exit_code == 130
    assert "Stopped. Everything so far is kept in" in said(stopped)
    assert "with --resume goes on" in said(stopped)
    assert not (tmp_path / "run" / "report.json").exists()
    assert ioa(*words, "--resume").exit_code == 0


def test_a_person_decides_at_the_gates_and_is_offered_only_what_is_allowed(tmp_path, quick):
    words = ["distil", "--out", tmp_path / "run", "--settings", quick, "--autonomy", "gates"]

    result = ioa(*words, *QUICK, "--items-per-round", 8, answers="advance\nwaive\n")

    assert result.exit_code == 0, result.output
    assert "Gate of stage 1, round 0" in result.stdout
    assert "Decide (remedy, waive, stop)" in result.stdout
    figures = json.loads((tmp_path / "run" / "report.json").read_text())
    assert figures["stages"][0]["decisions"] == ["waive"]


# --- settings -----------------------------------------------------------------------------------


def test_settings_go_through_json_and_back():
    assert Settings.model_validate_json(Settings().model_dump_json()) == Settings()


@pytest.mark.parametrize(
    "values",
    [
        {"thresholds": {"mastery": 0.05}},  # the margin below it would reach under 0
        {"thresholds": {"mastery_margin_low": 0}},
        {"thresholds": {"gate_error": 0.5}},
        {"thresholds": {"teachable": 0}},  # P_T = 0 is divided by
        {"thresholds": {"target_share": 0}},
        {"thresholds": {"gap": float("nan")}},
        {"budget": {"rehearsal_share": 1}},
        {"lora": {"betas": [0.9, 1.0]}},
        {"lora": {"learning_rate": 0}},
        {"probing": {"batch_size": 0}},
        {"extra": {}},
    ],
)
def test_settings_nothing_can_be_computed_with_are_refused(values):
    with pytest.raises(ValueError, match="validation error"):
        Settings.model_validate(values)


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Settings().thresholds.gap = 0.1
