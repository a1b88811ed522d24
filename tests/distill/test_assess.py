"""`ioa assess`: a score with its interval, and no question asked twice."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from distill import grading
from distill.assess import SIDE, Asking, assess, which_adapter
from distill.backends.scripted import ScriptedBackend
from distill.cli import app
from distill.domains import load_benchmark
from distill.errors import BackendUnavailable, DistillError, SwitchedOff
from tests.distill.samples import RuleStudent


def line(n, **fields):
    return {
        "id": f"q-{n}",
        "skill": "even" if n % 2 == 0 else "odd",
        "question": f"What is {n} + 1?",
        "answer": str(n + 1),
        "answer_type": "number",
    } | fields


@pytest.fixture
def written(tmp_path):
    def write(*lines):
        path = tmp_path / "sums.jsonl"
        path.write_text("".join(json.dumps(entry) + "\n" for entry in lines))
        return path

    return write


@pytest.fixture
def sums(written):
    return load_benchmark(written(*(line(n) for n in range(40))))


def knows_even(prompt):
    return prompt.skill == "even"


class Stopped(Exception):
    pass


def stop_at(n):
    def beat(done, total):
        if done >= n:
            raise Stopped

    return beat


def test_the_figures_are_overall_and_by_skill_with_intervals(sums, tmp_path):
    out = tmp_path / "a.json"

    figures = assess(RuleStudent(knows_even), sums, out=out, asking=Asking(batch_size=7))

    assert json.loads(out.read_text()) == figures
    assert (figures["score"], figures["n"]) == (0.5, 40)
    low, high = figures["interval"]
    assert 0.3 < low < 0.5 < high < 0.7
    assert [(s["skill"], s["score"], s["n"]) for s in figures["skills"]] == [
        ("even", 1.0, 20),
        ("odd", 0.0, 20),
    ]
    assert figures["graders"] == {"number": "number@3"}
    assert figures["settings"] == {
        "limit": None,
        "batch_size": 7,
        "max_tokens": 512,
        "temperature": 0.0,
    }
    assert figures["tokens"] == 80
    assert figures["seconds"] >= 0.0
    assert (figures["model"], figures["errors"], figures["questions"]) == ("rule", {}, 40)


def test_an_interrupted_call_goes_on_and_asks_nothing_twice(sums, tmp_path):
    out, student = tmp_path / "a.json", RuleStudent(knows_even)
    with pytest.raises(Stopped):
        assess(student, sums, out=out, asking=Asking(batch_size=8), beat=stop_at(16))
    assert len(student.asked) == 16
    assert not out.exists()

    told = []
    figures = assess(
        student,
        sums,
        out=out,
        asking=Asking(batch_size=8),
        beat=lambda done, total: told.append((done, total)),
    )

    assert len(student.asked) == len(set(student.asked)) == 40
    assert told == [(0, 24), (8, 24), (16, 24), (24, 24)]
    assert figures == assess(RuleStudent(None), sums, out=out, asking=Asking(batch_size=8))


def test_a_line_that_was_cut_off_is_asked_again(sums, tmp_path):
    out = tmp_path / "a.json"
    assess(RuleStudent(knows_even), sums, out=out, asking=Asking())
    side = tmp_path / f"a.json{SIDE}"
    side.write_bytes(side.read_bytes()[:-9])

    again = RuleStudent(knows_even)
    figures = assess(again, sums, out=out, asking=Asking())

    assert len(again.asked) == 1
    assert figures["n"] == 40


def test_a_limit_is_a_sample_that_grows(sums, tmp_path):
    out, student = tmp_path / "a.json", RuleStudent(knows_even)

    few = assess(student, sums, out=out, asking=Asking(limit=10))
    more = assess(student, sums, out=out, asking=Asking(limit=25))

    assert (few["n"], more["n"]) == (10, 25)
    assert len(student.asked) == 25
    assert {s["skill"] for s in few["skills"]} == {"even", "odd"}


@pytest.mark.parametrize("asking", [Asking(max_tokens=9), Asking()])
def test_answers_of_another_assessment_are_not_mixed_in(sums, tmp_path, asking):
    out = tmp_path / "a.json"
    assess(RuleStudent(knows_even), sums, out=out, asking=Asking(limit=5))
    other = RuleStudent(knows_even)
    if asking == Asking():
        other.name = "another"

    with pytest.raises(DistillError, match="another assessment: its (model|max_tokens) was"):
        assess(other, sums, out=out, asking=asking)

    assert other.asked == []


def test_a_new_version_of_a_grader_asks_again(sums, tmp_path, monkeypatch):
    out, student = tmp_path / "a.json", RuleStudent(knows_even)
    assess(student, sums, out=out, asking=Asking(limit=5))
    monkeypatch.setattr(type(grading.GRADERS["number"]), "version", 4)

    figures = assess(student, sums, out=out, asking=Asking(limit=5))

    assert len(student.asked) == 10
    assert figures["graders"] == {"number": "number@4"}


def test_code_is_refused_before_anything_is_asked_unless_it_may_run(written, tmp_path):
    data = load_benchmark(
        written(line(1, answer_type="code", tests=["assert f(1) == 2"], answer="x"))
    )
    out, reply = tmp_path / "a.json", "```python\ndef f(n):\n    return n + 1\n```"

    with pytest.raises(SwitchedOff):
        assess(ScriptedBackend([]), data, out=out, asking=Asking())
    assert not list(tmp_path.glob("a.json*"))

    on = grading.switched_on(run_code=True)
    figures = assess(ScriptedBackend([reply]), data, out=out, asking=Asking(), graders=on)
    assert (figures["score"], figures["graders"]) == (1.0, {"code": "code@2"})


def test_open_questions_go_to_a_judge_if_there_is_one(written, tmp_path):
    data = load_benchmark(written(line(1, answer_type="text", answer="Because.")))
    judge = ScriptedBackend(["Verdict: A", "Verdict: B"])

    figures = assess(
        ScriptedBackend(["Rayleigh."]),
        data,
        out=tmp_path / "a.json",
        asking=Asking(),
        graders=grading.switched_on(judge=judge),
        judge=judge.name,
    )

    assert (figures["score"], figures["judge"]) == (1.0, "scripted")
    assert figures["graders"] == {"judge": "judge@1"}


def test_what_could_not_be_graded_is_counted_and_said(written, tmp_path):
    data = load_benchmark(written(*(line(n, answer_type="text") for n in range(3))))
    judge = ScriptedBackend(["hm"] * 6)

    figures = assess(
        RuleStudent(knows_even),
        data,
        out=tmp_path / "a.json",
        asking=Asking(),
        graders=grading.switched_on(judge=judge),
        judge=judge.name,
    )

    assert figures["score"] == 0.0
    ((sentence, count),) = figures["errors"].items()
    assert count == 3
    assert "the judge gave no verdict" in sentence


def test_a_judge_who_is_away_has_said_nothing_and_is_asked_again(written, tmp_path):
    data = load_benchmark(written(*(line(n, answer_type="text") for n in range(4))))
    out, student = tmp_path / "a.json", RuleStudent(knows_even)

    class Away(ScriptedBackend):
        def generate(self, prompts):
            if not self.replies_left:
                raise BackendUnavailable("the judge's server is down")
            self.replies_left -= 1
            return super().generate(prompts)

    def judged(judge):
        graders = grading.switched_on(judge=judge)
        words = {"asking": Asking(), "graders": graders, "judge": judge.name}
        return assess(student, data, out=out, **words)

    away = Away(["Verdict: A", "Verdict: B"])
    away.replies_left = 1
    with pytest.raises(BackendUnavailable, match="server is down"):
        judged(away)
    asked = len(student.asked)

    figures = judged(ScriptedBackend(["Verdict: A", "Verdict: B"] * 3))

    assert (figures["score"], figures["n"], figures["errors"]) == (1.0, 4, {})
    assert len(student.asked) - asked == 3  # what was judged before is kept


# --- the command --------------------------------------------------------------------------------


def ioa(*words):
    return CliRunner().invoke(app, ["assess", *(str(w) for w in words)])


def test_an_adapter_that_was_trained_anew_in_its_place_is_another(written, tmp_path):
    data, out, adapter = written(*(line(n) for n in range(8))), tmp_path / "a.json", tmp_path / "c"
    adapter.mkdir()
    words = ["--model", "simulated", "--data", data, "--out", out, "--adapter", adapter]
    missing = ioa(*words)
    (adapter / "ioa.json").write_text('{"seen": {}}')
    first, again = ioa(*words), ioa(*words)
    (adapter / "ioa.json").write_text('{"seen": {"mathematics": 40}}')

    anew = ioa(*words)

    assert (missing.exit_code, first.exit_code, again.exit_code, anew.exit_code) == (1, 0, 0, 1)
    assert "holds no adapter" in " ".join(missing.stderr.split())
    assert "its adapter_content was" in " ".join(anew.stderr.split())


def test_of_an_adapter_its_weights_and_configuration_count_and_nothing_else(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"1")
    first = which_adapter(tmp_path)
    (tmp_path / "README.md").write_text("Read me.")
    (tmp_path / "ioa.json").write_text('{"seconds": 3}')

    assert which_adapter(tmp_path) == first
    (tmp_path / "adapter_model.safetensors").write_bytes(b"2")
    assert which_adapter(tmp_path)["adapter_content"] != first["adapter_content"]
    assert which_adapter(None) == {"adapter": ""}


def test_the_command_writes_a_score_and_goes_on_by_itself(written, tmp_path):
    data, out = written(*(line(n) for n in range(40))), tmp_path / "a.json"

    first = ioa("--model", "simulated", "--data", data, "--out", out, "--limit", 12)
    again = ioa("--model", "simulated", "--data", data, "--out", out)

    assert first.exit_code == again.exit_code == 0, again.output
    assert "simulated on sums" in again.stdout
    assert "number@3" in again.stdout
    figures = json.loads(out.read_text())
    assert (figures["n"], figures["model"]) == (40, "simulated")
    answers = (tmp_path / f"a.json{SIDE}").read_text().splitlines()
    assert len(answers) == 41  # and a line that says whose they are


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--model", "nobody"], "There is no model folder"),
        (["--data", "nowhere.jsonl"], "There is no file nowhere.jsonl"),
        (["--judge", "nobody"], "There is no model folder"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_status_1(written, tmp_path, words, sentence):
    data = written(line(1))

    result = ioa("--model", "simulated", "--data", data, "--out", tmp_path / "a.json", *words)

    assert result.exit_code == 1
    assert sentence in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_code_needs_its_switch_on_the_command_line(written, tmp_path):
    data = written(line(1, answer_type="code", tests=["assert True"]))
    words = ["--model", "simulated", "--data", data, "--out", tmp_path / "a.json"]

    assert "--run-code" in ioa(*words).stderr
    assert ioa(*words, "--run-code").exit_code == 0


class Rambling(RuleStudent):
    """Goes on for longer than it may, whatever it has said."""

    def generate(self, prompts):
        return [replace(reply, truncated=True) for reply in super().generate(prompts)]


def test_what_was_cut_off_is_counted_where_it_is_not_right(sums, tmp_path):
    figures = assess(Rambling(knows_even), sums, out=tmp_path / "a.json", asking=Asking())

    assert (figures["cut_off"], figures["n"]) == (20, 40)
    assert (
        assess(RuleStudent(knows_even), sums, out=tmp_path / "b.json", asking=Asking())["cut_off"]
        == 0
    )
