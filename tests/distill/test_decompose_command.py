"""`ioa decompose`: a proposal on the screen and in a file, or one sentence and status 1."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from distill import domains
from distill.cli import app
from tests.distill.serving import Said, completion, serving

TITLE = ["--title", "Halves", "--describe", "Halving small numbers."]


def ioa(*words):
    return CliRunner().invoke(app, [str(w) for w in words], env={"COLUMNS": "200"})


def said(result):
    return " ".join(result.stderr.split())


@pytest.fixture
def reply(tmp_path):
    """What a model replied, in a file."""
    probes = [
        {"question": f"What is half of {2 * n}?", "answer": n, "grader": "number"}
        for n in (1, 2, 3)
    ]
    skills = [
        {
            "id": "halve",
            "title": "Halve [red]it[/red]",
            "prerequisites": ["ghost"],
            "probes": probes,
        },
        {"id": "again", "title": "Halve twice", "prerequisites": ["halve"]},
    ]
    path = tmp_path / "reply.txt"
    path.write_text(f"Of course:\n{json.dumps({'skills': skills})}", encoding="utf-8")
    return path


def test_a_saved_reply_becomes_a_table_notices_and_a_file_that_a_person_has_to_edit(
    tmp_path, reply
):
    out = tmp_path / "proposal.yaml"

    result = ioa("decompose", *TITLE, "--reply", reply, "--out", out)

    assert result.exit_code == 0, result.output
    assert "Halve [red]it[/red]" in result.stdout
    assert "- “halve” was to build on “ghost”, and there is no such skill." in result.stdout
    assert "Too few probes yet: again." in result.stdout
    assert f"nobody has checked it. Read and edit {out}" in result.stdout
    assert "scripted was asked once" in result.stdout
    text = out.read_text()
    assert text.startswith("# Proposed by scripted, prompt decompose@1. Read and edit this file")
    assert "# “halve” was to build on “ghost”" in text
    assert "“again” has no probe for diagnose, gate, final." in str(domains.faults(out)[0])


def test_the_prompt_can_be_shown_and_asked_elsewhere(tmp_path):
    description, examples = tmp_path / "about.txt", tmp_path / "examples.txt"
    description.write_text("Halving [bold]numbers[/bold].")
    examples.write_text("What is half of 8?\n\nWhat is half of 9?\n")

    result = ioa(
        "decompose", "--title", "Halves", "--describe", description, "--examples", examples,
        *("--skills", 5, "--show-prompt"),
    )  # fmt: skip

    assert result.exit_code == 0, result.output
    assert "Halving [bold]numbers[/bold]." in result.stdout
    assert "- What is half of 8?\n- What is half of 9?\n" in result.stdout
    assert "Up to 5 skills" in result.stdout


def test_examples_that_the_prompt_does_not_hold_are_told(tmp_path, reply):
    examples, out = tmp_path / "examples.txt", tmp_path / "proposal.yaml"
    lines = [f"What is half of {2 * n}?" for n in range(48)]
    examples.write_text("\n\n".join(["What is half of " + "1" * 600, *lines, "Half of 2?"]))
    words = ["decompose", *TITLE, "--examples", examples]

    shown = ioa(*words, "--show-prompt")
    made = ioa(*words, "--reply", reply, "--out", out)

    assert shown.stdout.count("\n- What is half of") == 30
    for told in (said(shown), " ".join(made.stdout.split()), " ".join(out.read_text().split())):
        assert "The prompt holds the first 30 of 50 examples." in told
        assert "The prompt holds the first 500 characters of longer examples: 1." in told


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Name a --teacher to ask, or a file with a --reply: one of the two."),
        (["--teacher", "x", "--reply", "y"], "one of the two."),
        (["--teacher", "procedural"], "“procedural” is a program and cannot split a domain."),
        (["--teacher", "simulated"], "“simulated” is a program and cannot split a domain."),
        (["--teacher", "nobody"], "ModelFolderBroken: There is no model folder"),
        (["--teacher", "transformers:nobody"], "ModelFolderBroken: There is no model folder"),
        (["--teacher", "openai:m"], "is not a model on a server. It is written openai:MODEL@"),
        (["--teacher", "openai:m@http://h#NO_KEY_1"], "The environment variable NO_KEY_1 is to"),
        (["--reply", "nowhere.txt"], "There is no file nowhere.txt"),
        (["--reply", "pyproject.toml"], "scripted was asked once, and no reply could be used."),
        (["--describe", "about.md"], "There is no file about.md."),
        (["--describe", " "], "A domain needs a title and a description"),
        (["--describe", "[/red]" * 3000], "these have 6 and 18,000."),
        (["--out", "proposal.txt"], "proposal.txt has to end in .yaml, .yml, .jsonl."),
        (["--out", "pyproject.yaml/x.yaml"], "There is no folder pyproject.yaml."),
    ],
)
def test_what_is_wrong_is_a_sentence_and_status_1(tmp_path, words, sentence):
    result = ioa("decompose", *TITLE, "--out", tmp_path / "p.yaml", *words)

    assert result.exit_code == 1
    assert sentence in said(result)
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_somebody_may_have_edited_is_never_written_over(tmp_path, reply):
    out = tmp_path / "proposal.yaml"
    out.write_text("mine")

    result = ioa("decompose", *TITLE, "--reply", reply, "--out", out)

    assert result.exit_code == 1
    assert "proposal.yaml is there already." in said(result)
    assert out.read_text() == "mine"


def test_without_a_file_to_write_to_nobody_is_asked(reply):
    result = ioa("decompose", *TITLE, "--reply", reply)

    assert result.exit_code == 1
    assert "Name a file for the proposal: --out proposal.yaml." in said(result)


def test_a_model_on_a_server_is_asked_with_the_form_and_the_key_of_the_variable_it_names(
    tmp_path, reply, monkeypatch
):
    monkeypatch.setenv("IOA_TEST_KEY", "sk-secret")
    out = tmp_path / "proposal.yaml"
    said = completion(reply.read_text(), usage={"prompt_tokens": 9, "completion_tokens": 1234})

    with serving() as server:
        server.script = [Said("", 503, {"Retry-After": "0.01"}), said]
        spec = f"openai:Big@{server.url}#IOA_TEST_KEY"
        result = ioa("decompose", *TITLE, "--teacher", spec, "--out", out)

    assert result.exit_code == 0, result.output
    assert "big was asked once, 1,234 tokens" in result.stdout
    assert [a.headers["Authorization"] for a in server.asked] == ["Bearer sk-secret"] * 2
    form = server.asked[0].body["response_format"]["json_schema"]["schema"]
    assert form["properties"].keys() == {"skills"}
    assert out.read_text().startswith("# Proposed by big, prompt decompose@1.")
    assert "sk-secret" not in out.read_text() + result.output
