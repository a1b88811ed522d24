"""What people and models call things is shown as it is, though rich reads brackets as markup."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from distill import report
from distill.cli import _ask_person, app
from distill.commands.assess import _table as assessed
from distill.commands.diagnose import _table as diagnosed
from distill.commands.progress import Bars, Lines
from distill.decisions import AtGate, Decision
from distill.records import PlannedStage
from distill.verdicts import GateAnswer, Retention
from tests.distill.samples import evidence_of, retention, verdict, waived

NAMES = ["a[/b]", "list[int]", "[list] sort", "[red]"]

DOMAIN = """\
domain: d
title: "D [/x]"
skills:
  - id: "{name}"
    title: "T [/x]"
    grader: number
    probes:
      - {{question: "What is 1 + 1?", reference: "2"}}
      - {{question: "What is 1 + 2?", reference: "3"}}
      - {{question: "What is 1 + 3?", reference: "4"}}
    items:
      - {{question: "What is 2 + 1?", answer: "3"}}
      - {{question: "What is 2 + 2?", answer: "4"}}
"""


def shown(what) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(what)
    return console.file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_the_report_of_a_run_names_its_skills_as_they_are(name):
    row = {"before": 0, "after": 0, "teacher": 1, "n": 3, "after_interval": [0, 1]}
    skill = {"id": name, "mastered": False, "taught": True, **row}
    figures = {"skills": [skill], "retained": 0.5, "retained_before": 0.1, "forgotten": [name]}

    text = shown(report.table(figures))

    assert text.count(name) == 2  # of its row, and of what was forgotten


@pytest.mark.parametrize("name", NAMES)
def test_a_person_at_a_gate_reads_the_names_of_skills_as_they_are(name, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("stop\n"))
    evidence = evidence_of(
        verdict(name, GateAnswer.NOT_YET),
        retention(name, Retention.KEPT, was=1.0, now=1.0),
        waived(name, GateAnswer.NOT_YET, now=0.4),
    )
    gate = AtGate(PlannedStage((name,), "T"), 1, 0, evidence, True)

    decision = _ask_person(Lines())(gate)

    assert decision is Decision.STOP
    assert capsys.readouterr().out.count(name) == 3


@pytest.mark.parametrize("name", NAMES)
def test_tables_of_figures_say_models_and_files_as_they_are(name):
    answered = {"score": 0.5, "interval": [0, 1], "n": 3}
    told = {"model": name, "data": name, "skills": [], "tokens": 1, "seconds": 1, **answered}

    assert shown(assessed({**told, "graders": {"g": name}})).count(name) == 3
    assert shown(diagnosed({"student": name, "domain": name, "skills": []})).count(name) == 2


@pytest.mark.parametrize("name", NAMES)
def test_work_is_called_what_it_is_called(name):
    bars = Bars()
    bars(f"asking {name}", 1, 2)

    assert f"asking {name}" in shown(bars.progress.get_renderable())


@pytest.mark.parametrize("name", NAMES)
def test_a_run_on_a_domain_with_brackets_in_its_names_ends_well(name, tmp_path):
    file = tmp_path / "d.yaml"
    file.write_text(DOMAIN.format(name=name))
    words = ["distil", "--domain", file, "--student", "simulated", "--out", tmp_path / "run"]

    for each in (words, ["domains", "show", file]):
        result = CliRunner().invoke(app, [str(word) for word in each], env={"COLUMNS": "200"})

        assert result.exit_code == 0, result.output
        assert name in result.stdout
