"""A round of a headless run in which no item passes its checks, and what continuing it does."""

from __future__ import annotations

import json

import pytest

from distill import roster
from distill.allowance import Allowance
from distill.backends.base import Reply
from distill.backends.simulated import SimulatedTrainer
from distill.decisions import Decision
from distill.errors import NothingToTrain
from distill.journal import Journal
from distill.pipeline import Pipeline
from distill.settings import Budget, Probing, Settings, Writing
from tests.distill.samples import Numbered, RuleStudent, skill_of
from tests.distill.writers import Writer, number_item

ONE, TWO = Numbered((skill_of("A"),)), Numbered((skill_of("A"), skill_of("B")))
SETTINGS = Settings(
    probing=Probing(diagnose_probes=8, gate_probes=24, final_probes=8),
    budget=Budget(items=80, items_per_round=40),
    writing=Writing(mends=False, requests_cap=1.0),
)


class Teacher(Writer):
    """Answers probes; states a false sum in every item that it writes while it is `bad`."""

    def __init__(self, bad):
        super().__init__(lambda draw: self._drawn(draw))
        self.bad = bad

    def _drawn(self, draw):
        question, steps, answer = number_item(draw)
        return (question, ["1 + 1 = 3"], answer) if self.bad else (question, steps, answer)


class Mumbling(Writer):
    """Answers probes; what it writes is no item."""

    def _reply(self, prompt):
        reply = super()._reply(prompt)
        return Reply("Sure, here you go!", 9, 9) if prompt in self.requests else reply


def run(out, teacher, *, domain=ONE, student=None, **more):
    student = student or roster.find_student("simulated", out)
    return Pipeline(domain, student, teacher, SETTINGS, seed=1, out=out, **more).run()


def written(out):
    lines = [json.loads(line) for line in (out / "ledger.jsonl").read_bytes().splitlines()]
    return [e["key"] for e in lines if e["kind"] == "written"]


def test_a_run_whose_items_all_failed_is_continued_with_others(tmp_path):
    for _ in range(2):
        with pytest.raises(NothingToTrain, match=r"passed its checks: steps \(\d+\).*--resume"):
            run(tmp_path, Teacher(bad=True), resume=True)
    good = Teacher(bad=False)

    figures = run(tmp_path, good, resume=True)

    assert written(tmp_path)[:3] == ["s1r0", "s1r0+", "s1r0++"]
    assert figures["skills"][0]["after"] > figures["skills"][0]["before"]
    items = Journal(tmp_path, resume=True).clean_items(of="s1r0")
    assert items
    assert not any("1 + 1 = 3" in item.solution for item in items)
    asked = len(good.requests)
    assert run(tmp_path, good, resume=True)["skills"] == figures["skills"]
    assert len(good.requests) == asked  # what is written is not written again


def test_a_teacher_of_whom_nothing_can_be_read_is_asked_again_and_no_budget_is_called_spent(
    tmp_path,
):
    for _ in range(2):
        with pytest.raises(NothingToTrain, match=r"could not be read as items.*--resume"):
            run(tmp_path, Mumbling(), resume=True, allowance=Allowance(tokens=10_000))

    run(tmp_path, Teacher(bad=False), resume=True, allowance=Allowance(tokens=10_000))

    assert written(tmp_path)[:3] == ["s1r0", "s1r0+", "s1r0++"]


def test_a_later_round_whose_items_all_failed_says_so_though_there_is_something_to_rehearse(
    tmp_path,
):
    def decide(gate):
        teacher.bad = True
        return Decision.REMEDY

    learns_a = roster.Student(
        "half",
        lambda adapter: RuleStudent(lambda p: bool(adapter) and p.skill == "A"),
        SimulatedTrainer(),
    )
    teacher = Teacher(bad=False)

    with pytest.raises(NothingToTrain, match="of this round passed its checks: steps"):
        run(tmp_path, teacher, domain=TWO, student=learns_a, decide=decide)

    assert written(tmp_path) == ["s1r0", "s1r1"]
