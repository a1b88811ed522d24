"""The whole loop with a language model as the teacher: through, killed and continued."""

from __future__ import annotations

import json

import pytest

from distill import domains, roster
from distill.journal import Journal
from distill.pipeline import Pipeline
from distill.settings import Budget, Probing, Settings, Writing
from tests.distill.writers import Tutor

SMALL = Settings(
    probing=Probing(
        diagnose_probes=8, gate_probes=24, gate_probes_cap=48, final_probes=8, batch_size=8
    ),
    budget=Budget(items=120, items_per_round=40),
)


class Killed(BaseException):
    pass


def taught(out, teacher, *, settings=SMALL, progress=lambda *what: None, resume=False):
    pipeline = Pipeline(
        domains.load("foundations"),
        roster.find_student("simulated", out),
        teacher,
        settings,
        seed=4,
        out=out,
        skills=["A2", "S1"],
        progress=progress,
        resume=resume,
    )
    figures = pipeline.run()
    return {k: v for k, v in figures.items() if k != "seconds"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    teacher = Tutor()
    return out, taught(out, teacher), teacher


def entries(out, kind):
    lines = map(json.loads, (out / "ledger.jsonl").read_bytes().splitlines())
    return [line for line in lines if line["kind"] == kind]


def test_a_language_model_teaches_a_run_and_every_item_names_its_request(whole):
    out, figures, _ = whole

    items, calls = entries(out, "item"), entries(out, "call")
    assert figures["items"] > 0
    assert {i["origin"] for i in items} == {"writer"}
    assert {i["call"] for i in items} <= {c["key"] for c in calls}
    assert figures["teacher_tokens"] > sum(c["reply_tokens"] for c in calls) > 0


def test_asked_for_an_answer_the_teacher_may_think_aloud(whole):
    _, _, teacher = whole

    probes = [p for p in teacher.asked if p.sampling.temperature == 0]
    assert {p.sampling.max_tokens for p in probes} == {SMALL.probing.teacher_answer_tokens}
    assert SMALL.probing.teacher_answer_tokens > SMALL.probing.max_answer_tokens


def test_what_the_student_said_is_passed_on_and_no_question_of_a_gate_is(whole):
    out, _, teacher = whole

    gate = {a["probe"] for a in entries(out, "answer") if a["split"] == "gate"}
    domain = domains.load("foundations")
    asked = "".join(p.text for p in teacher.requests)
    shown = [
        probe.question
        for skill in ("A2", "S1")
        for probe in domain.probes(skill, "gate", 200, seed=4)
        if probe.id in gate and json.dumps(probe.question) in asked
    ]
    assert "the student said" in asked
    assert shown == []


def test_killed_at_any_request_and_continued_it_ends_with_the_same_report(whole, tmp_path):
    _, expected, _ = whole
    teacher, told = Tutor(), []

    def kill(what, done, total):
        told.append(what)
        if what.endswith("write") and len(told) > 3 * kills:
            raise Killed

    kills = 0
    while True:
        kills += 1
        told.clear()
        try:
            figures = taught(tmp_path / "run", teacher, progress=kill, resume=kills > 1)
            break
        except Killed:
            assert kills < 40

    assert kills > 3
    assert figures == expected
    keys = [c["key"] for c in entries(tmp_path / "run", "call")]
    assert len(keys) == len(set(keys))
    assert len(teacher.requests) == len(
        [c for c in entries(whole[0], "call") if c["purpose"] == "write"]
    )


def test_tokens_for_items_are_bounded_and_the_bound_can_be_raised_on_a_run(tmp_path, whole):
    few = SMALL.model_copy(update={"writing": Writing(teacher_tokens=500)})

    poor = taught(tmp_path / "run", Tutor(), settings=few)
    spent = Journal(tmp_path / "run", resume=True).tokens_of_calls()
    figures = taught(tmp_path / "run", Tutor(), resume=True)

    assert spent >= 500
    assert poor["items"] < figures["items"]
    assert "Raise the budget" in poor["notices"][-1]
    assert figures["skills"] == whole[1]["skills"]
    assert figures["notices"] == whole[1]["notices"]
