"""The command `ioa`: it works, and what is wrong is one sentence and status 1."""

from __future__ import annotations

import json
from importlib import metadata

import pytest
from typer.testing import CliRunner

from distill.cli import app
from distill.commands.files import settings_in
from distill.settings import Settings, as_kept

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


def test_it_says_its_version():
    assert ioa("--version").stdout.split() == ["ioa", metadata.version("ioa")]


def test_a_run_ends_with_a_table_and_a_report(tmp_path, quick):
    result = ioa("distil", "--out", tmp_path / "run", "--settings", quick, *QUICK)

    assert result.exit_code == 0, result.output
    assert "What the student can do" in result.stdout
    assert "A2" in result.stdout
    figures = json.loads((tmp_path / "run" / "report.json").read_text())
    assert figures["skills"][0]["mastered"]


def test_what_the_chosen_skills_build_on_is_told_before_anybody_is_asked(tmp_path, quick):
    result = ioa("distil", "--out", tmp_path / "run", "--settings", quick, *QUICK)
    whole = ioa(
        "distil", "--out", tmp_path / "whole", "--settings", quick, *QUICK[:2], "--skills", "A1"
    )

    assert result.stdout.startswith("A2 builds on A1: what is not chosen is neither measured")
    assert "neither measured" not in whole.stdout


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


def test_who_goes_away_at_a_gate_is_told_what_is_kept(tmp_path, quick):
    words = ["distil", "--out", tmp_path / "run", "--settings", quick, "--autonomy", "gates"]

    result = ioa(*words, *QUICK, answers="")

    assert result.exit_code == 130
    assert f"Everything so far is kept in {tmp_path / 'run'}" in said(result)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ('{"thresholds": {"mastry": 0.9}}', "thresholds.mastry: extra inputs are not permitted."),
        ('{"budget": {"items": 0}}', "budget.items: input should be greater than or equal to 1."),
        ("[" * 100_000, "they are nested too deeply."),
        ("{", "the file is not JSON: Expecting property name"),
        ("", "the file is not JSON: Expecting value"),
        ("[1, 2]", "input should be a JSON object, {…}."),
        ('{"lora": 3}', "lora: input should be a JSON object, {…}."),
        (
            '{"lora": {"average": false}}',
            "lora.average: input should be a number or null, not false.",
        ),
        (
            '{"writing": {"tried": true}}',
            "writing.tried: input should be a whole number, not true.",
        ),
        (
            '{"lora": {"average": "none"}}',
            "lora.average: input should be a number or null, not text.",
        ),
        (
            '{"budget": {"fair_shares": "yes"}}',
            "budget.fair_shares: input should be true or false, not",
        ),
        ('{"lora": {"betas": [0.9, true]}}', "lora.betas: input should be a number, not true."),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(tmp_path, settings, sentence):
    path = tmp_path / "s.json"
    path.write_text(settings)

    result = ioa("distil", "--out", tmp_path / "run", "--settings", path, *QUICK)

    assert result.exit_code == 1
    assert f"The settings in {path} cannot be used: {sentence}" in said(result)
    assert "pydantic" not in said(result)


def test_settings_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "s.json"
    path.write_text('{"budget": {"items": 7}}', encoding="utf-8-sig")
    assert settings_in(path).budget.items == 7


def test_skills_may_stand_apart_and_one_that_is_never_taught_is_refused(tmp_path, quick):
    words = ["distil", "--student", "simulated", "--settings", quick, "--out"]
    assert ioa(*words, tmp_path / "1", "--skills", "A2, A1").exit_code == 0

    result = ioa(*words, tmp_path / "2", "--skills", "T1")

    assert result.exit_code == 1
    assert "has no skill “T1” that is taught" in said(result)


def test_a_file_is_no_folder_for_a_run(tmp_path, quick):
    file = tmp_path / "file"
    file.write_text("words")

    result = ioa("distil", "--out", file, "--settings", quick, *QUICK)

    assert (result.exit_code, file.read_text()) == (1, "words")
    assert f"{file} is a file. Name a folder." in said(result)


def test_figures_are_written_over_nothing_that_is_not_theirs(tmp_path):
    words = ["diagnose", "--student", "simulated", "--skills", "A2", "--probes", 4, "--out"]
    other = tmp_path / "notes.json"
    other.write_text("mine")

    assert "is there already, without answers beside it" in said(ioa(*words, other))
    assert "is a folder. Name a file" in said(ioa(*words, tmp_path))
    assert other.read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.json"]

    out = tmp_path / "d.json"
    assert [ioa(*words, out).exit_code for _ in range(2)] == [0, 0]  # the second goes on from it


def test_what_is_measured_with_is_not_written_over(tmp_path):
    data = tmp_path / "b.jsonl"
    row = {"id": "1", "skill": "s", "question": "2 + 2?", "answer": "4", "answer_type": "number"}
    data.write_text(json.dumps(row) + "\n")
    before = data.read_bytes()

    result = ioa("assess", "--model", "simulated", "--data", data, "--out", data)

    assert (result.exit_code, data.read_bytes()) == (1, before)
    assert "is what is read" in said(result)


def test_a_stage_that_passes_for_want_of_items_is_told(tmp_path, quick):
    result = ioa("distil", "--out", tmp_path / "r", "--settings", quick, "--items", 8, *QUICK)

    assert result.exit_code == 0
    told = " ".join(result.stdout.split())
    assert "was let pass as it was: all of the budget was spent" in told


def test_the_students_adapter_is_named_in_the_end(tmp_path, quick):
    result = ioa("distil", "--out", tmp_path / "r", "--settings", quick, *QUICK)

    name = json.loads((tmp_path / "r" / "report.json").read_text())["adapter"]
    assert f"The student's adapter: {tmp_path / 'r' / 'checkpoints' / name}" in result.stdout
    assert (tmp_path / "r" / "checkpoints" / name).is_dir()


def test_a_domain_without_items_is_refused_before_anybody_is_asked(tmp_path):
    path = tmp_path / "asked.jsonl"
    probes = [{"skill": "H1", "question": f"Half of {n}?", "reference": "r"} for n in range(9)]
    entries = [{"domain": "asked", "title": "Asked"}, {"id": "H1", "title": "H"}, *probes]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))

    result = ioa("distil", "--domain", path, "--student", "simulated", "--out", tmp_path / "r")

    assert result.exit_code == 1
    assert "Nothing can be written for H1" in said(result)
    assert not (tmp_path / "r").exists()


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


def test_numbers_are_taken_as_json_writes_them():
    said = Settings.model_validate(
        {"budget": {"items": 2e3, "least_gain": 0}, "lora": {"average": None, "betas": [0, 0.9]}}
    )

    assert (said.budget.items, said.lora.average, said.lora.betas) == (2000, None, (0.0, 0.9))


def test_what_a_run_kept_is_read_as_it_was_read_then():
    for kept in (Settings().model_dump(), Settings().model_dump(mode="json")):
        assert as_kept(kept) == Settings()
    lax = as_kept({"budget": {"items": "20"}, "writing": {"tried": True}})

    assert (lax.budget.items, lax.writing.tried) == (20, 1)


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Settings().thresholds.gap = 0.1
