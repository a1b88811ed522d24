"""`ioa diagnose`, and probing until a gap is known well enough."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from distill import domains, history
from distill.backends.simulated import SimulatedStudent
from distill.cli import app
from distill.errors import DistillError
from distill.identifier.gaps import find_gap
from distill.identifier.looks import measure, width
from distill.records import Split
from distill.settings import Thresholds
from tests.distill.samples import Numbered, skill_of

TAUGHT = [s.id for s in domains.load("foundations").skills if not s.is_transfer]


def ioa(*words):
    return CliRunner().invoke(app, [str(w) for w in words])


def diagnose(out, *words):
    return ioa("diagnose", "--student", "simulated", "--seed", 7, "--out", out, *words)


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "d.json"
    result = diagnose(out)
    assert result.exit_code == 0, result.output
    return json.loads(out.read_text())


# --- the command ------------------------------------------------------------------------------


def test_every_skill_that_can_be_taught_has_its_figures(figures):
    assert [s["id"] for s in figures["skills"]] == TAUGHT
    assert len(TAUGHT) == 16
    for s in figures["skills"]:
        assert s["p_teacher"] == 1.0
        assert s["gap"] == pytest.approx(1 - s["p_student"])
        low, high = s["interval"]
        assert low <= s["gap"] <= high
        assert 0 < s["n"] <= 64
        assert s["deficient"] == (s["gap"] > 0.3)
        assert 0 <= s["severity"] <= 1
        assert sum(e["n"] for e in s["errors"]) == round(s["n"] * s["gap"])
        assert all(1 <= len(e["examples"]) <= 3 for e in s["errors"])


def test_edges_come_with_their_evidence(figures):
    edges = {(e["source"], e["target"]): e for e in figures["edges"]}

    assert edges["A2", "A3"]["holds"]
    assert [e["kind"] for e in edges["A2", "A3"]["evidence"]] == ["declared"]


def test_two_runs_with_one_seed_are_identical_and_another_seed_is_not(tmp_path):
    words = ["--skills", "A3,W2", "--probes", 16]
    for name in ("1.json", "2.json"):
        diagnose(tmp_path / name, *words)
    diagnose(tmp_path / "3.json", *words, "--seed", 8)

    first, second, third = ((tmp_path / f"{n}.json").read_bytes() for n in "123")
    assert first == second
    assert json.loads(first)["skills"] != json.loads(third)["skills"]


def test_seconds_are_told_on_stderr_and_are_not_in_the_file(tmp_path):
    result = diagnose(tmp_path / "d.json", "--skills", "A3", "--probes", 4)

    assert "8 questions asked in " in result.stderr
    assert "second" not in (tmp_path / "d.json").read_text()


def test_an_interrupted_diagnosis_goes_on_and_asks_nothing_twice(tmp_path, monkeypatch):
    words = ["--skills", "A2,A3,M1", "--probes", 40]
    diagnose(tmp_path / "whole.json", *words)
    asked, answer = [], SimulatedStudent.generate

    def generate(self, prompts):
        if len(asked) == 64:
            raise DistillError("The power went.")
        asked.extend(p.text for p in prompts)
        return answer(self, prompts)

    monkeypatch.setattr(SimulatedStudent, "generate", generate)
    cut = diagnose(tmp_path / "d.json", *words)
    monkeypatch.undo()
    again = diagnose(tmp_path / "d.json", *words)

    assert cut.exit_code == 1
    assert not (tmp_path / "d.json.partial").exists()
    assert len(asked) == 64
    n = sum(s["n"] for s in json.loads((tmp_path / "d.json").read_text())["skills"])
    assert f"{n - 64} questions asked" in again.stderr
    assert (tmp_path / "d.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_a_second_call_asks_nothing_and_more_probes_ask_only_the_rest(tmp_path):
    words = ["--skills", "A3"]
    diagnose(tmp_path / "d.json", *words, "--probes", 16)

    same = diagnose(tmp_path / "d.json", *words, "--probes", 16)
    more = diagnose(tmp_path / "d.json", *words, "--probes", 24)
    fewer = diagnose(tmp_path / "d.json", *words, "--probes", 8)

    assert "0 questions asked" in same.stderr
    assert "16 questions asked" in more.stderr
    assert "0 questions asked" in fewer.stderr
    assert json.loads((tmp_path / "d.json").read_text())["skills"][0]["n"] == 8


def test_it_probes_until_the_interval_is_narrow_enough(tmp_path):
    diagnose(tmp_path / "d.json", "--skills", "A3,M2", "--probes", 32, "--until", 0.07)

    for s in json.loads((tmp_path / "d.json").read_text())["skills"]:
        low, high = s["interval"]
        assert s["n"] > 32
        assert high - low <= 0.07 or s["n"] == 256


def test_the_cap_holds_however_narrow_it_should_be(tmp_path):
    words = ["--skills", "A3", "--probes", 32, "--until", 0.001, "--cap", 80]
    diagnose(tmp_path / "d.json", *words)

    assert json.loads((tmp_path / "d.json").read_text())["skills"][0]["n"] == 80


def test_answers_of_another_student_are_not_taken_for_this_ones(tmp_path):
    diagnose(tmp_path / "d.json", "--skills", "A3", "--probes", 4)
    side = tmp_path / "d.json.answers.jsonl"
    side.write_text(side.read_text().replace('"student": "simulated"', '"student": "other"'))

    result = diagnose(tmp_path / "d.json", "--skills", "A3", "--probes", 4)

    assert result.exit_code == 1
    assert "holds another run" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--skills", "A2,Z9"], "has no skill “Z9” that is taught"),
        (["--skills", "T1"], "has no skill “T1” that is taught"),
        (["--domain", "alchemy"], "There is no domain “alchemy”."),
        (["--history", "nowhere"], "nowhere holds no run."),
        (["--out", "/proc/nowhere/d.json"], "/proc/nowhere"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_status_1(tmp_path, words, sentence):
    result = diagnose(tmp_path / "d.json", "--probes", 4, *words)

    assert result.exit_code == 1
    assert sentence in " ".join(result.stderr.split())
    assert not (tmp_path / "d.json").exists()


def test_earlier_runs_tell_of_edges(tmp_path):
    run = tmp_path / "run"
    ioa("distil", "--student", "simulated", "--skills", "A2,A3", "--out", run, "--items", 300)

    result = diagnose(tmp_path / "d.json", "--skills", "A2,A3", "--probes", 8, "--history", run)

    assert result.exit_code == 0, result.output
    [edge] = json.loads((tmp_path / "d.json").read_text())["edges"]
    assert [e["kind"] for e in edge["evidence"]] == ["declared", "observed"]
    assert edge["evidence"][1]["says"].startswith("Not enough evidence")
    assert edge["holds"]


def test_the_checkpoints_of_a_run_are_read_with_what_each_was_taught(tmp_path):
    run = tmp_path / "run"
    ioa("distil", "--student", "simulated", "--skills", "A2,A3", "--out", run, "--items", 300)

    found = history.read([run], domain="foundations 2", student="simulated")

    assert found[0].number == 0
    assert found[0].scores.keys() == {"A2", "A3"}
    assert found[0].taught == frozenset()
    assert found[1].taught == {"A2", "A3"}  # A3 beside
    assert found[-1].ratios["A2"] > 0.9
    with pytest.raises(DistillError, match="and not of other"):
        history.read([run], domain="foundations 2", student="other")


# --- looks ------------------------------------------------------------------------------------


def by_rule(is_right):
    """An asker that remembers what it was asked."""
    grades, asked = {}, []

    def ask(probes):
        for p in probes:
            if p.id not in grades.setdefault(p.skill, {}):
                asked.append(p.id)
                grades[p.skill][p.id] = float(is_right(p))
        return grades

    return ask, asked


def look(domain, rule, teacher_rule=lambda p: True, **more):
    student, asked = by_rule(rule)
    teacher, _ = by_rule(teacher_rule)
    values = {"seed": 0, "n": 32, "thresholds": Thresholds()} | more
    skills = [s.id for s in domain.skills]
    return measure(domain, skills, teacher=teacher, student=student, **values), asked


def test_only_the_skills_with_wide_intervals_are_probed_further():
    domain = Numbered((skill_of("A"), skill_of("B")))

    found, _ = look(domain, lambda p: p.skill == "A" or int(p.reference) % 2, until=0.2, cap=400)

    assert found.gaps["A"].student.n == 32
    assert 32 < found.gaps["B"].student.n < 400
    assert width(found.gaps["B"]) <= 0.2


def test_no_probe_is_asked_twice_over_the_looks():
    _, asked = look(Numbered((skill_of("A"),)), lambda p: int(p.reference) % 2, until=0.1, cap=200)

    assert len(asked) == len(set(asked)) == 200


def test_a_skill_with_no_questions_left_is_known_exactly_and_is_left_alone():
    domain = Numbered((skill_of("A"),), sizes=dict.fromkeys(Split, 40))

    found, asked = look(domain, lambda p: int(p.reference) % 2, until=0.01, cap=400)

    assert len(asked) == 40
    assert width(found.gaps["A"]) == 0.0


def test_where_the_teacher_cannot_teach_its_own_score_has_to_be_narrow():
    domain = Numbered((skill_of("A"),))

    found, _ = look(
        domain, lambda p: False, lambda p: int(p.reference) % 3 == 0, until=0.15, cap=400
    )

    assert not found.gaps["A"].is_teachable
    assert width(found.gaps["A"]) <= 0.15


def test_no_skills_are_no_questions():
    assert look(Numbered(()), lambda p: True)[0].gaps == {}


def first_narrow(rights, n, until):
    """Per student, its interval at the look at which `measure` stops: (low, high) of Δ.

    rights (2000, 256): right answers in the order they were asked. By a table, as a gap with
    P_T = 1 depends on counts only.
    """
    low, high = np.zeros(len(rights)), np.ones(len(rights))
    is_open = np.ones(len(rights), dtype=bool)
    for asked in range(n, rights.shape[1] + 1, n):
        counts = rights[:, :asked].sum(axis=1)
        for right in np.unique(counts[is_open]):
            grades = {str(i): float(i < right) for i in range(asked)}
            gap = find_gap("A", dict.fromkeys(grades, 1.0), grades, Thresholds())
            here = is_open & (counts == right)
            low[here], high[here] = gap.low, gap.high
        is_open &= high - low > until
    return low, high


@pytest.mark.slow
@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_gaps_that_are_probed_until_they_are_known_cover_the_truth_nearly_as_often(p):
    rights = np.random.default_rng(5).random((2000, 256)) < p

    low, high = first_narrow(rights, 32, until=0.15)

    assert 0.93 <= ((low <= 1 - p) & (1 - p <= high)).mean() <= 0.98


def test_that_table_is_what_measure_does():
    rights = np.random.default_rng(6).random((20, 256)) < 0.8
    low, high = first_narrow(rights, 32, until=0.2)
    domain = Numbered((skill_of("A"),))

    for student in range(20):
        found, _ = look(
            domain, lambda p, s=student: rights[s, int(p.reference)], until=0.2, cap=256
        )

        gap = found.gaps["A"]
        assert (gap.low, gap.high) == pytest.approx((low[student], high[student]))
