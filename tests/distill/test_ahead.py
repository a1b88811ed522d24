"""What waits for its stage is asked few questions, and more only where the case is close."""

from __future__ import annotations

import random

import pytest

from distill.assessment.ahead import look_ahead
from distill.assessment.gate import known_by_now
from distill.records import Probe, Split
from distill.settings import Settings
from tests.distill.samples import gap_of

USUAL = Settings()
LOOK, CAP = USUAL.probing.gate_probes, USUAL.probing.gate_probes_cap
SIZE = 400


class Student:
    """Answers by rule, `is_right(skill, number)`; remembers how many were new in each look."""

    def __init__(self, is_right, *, size=SIZE, on_record=()):
        self._is_right = is_right
        self._size = size
        self.grades = {}
        self.looks = []
        for skill, n in on_record:
            self._grade(self.draw(skill, n))

    def draw(self, skill, n):
        n = min(n, self._size)
        return [Probe(f"{skill}{i}", skill, Split.DIAGNOSE, f"{i}?", "0") for i in range(n)]

    def ask(self, probes):
        """As the journal does: what is on record is not asked again, and all of it is returned."""
        new = [p for p in probes if p.id not in self.grades.get(p.skill, {})]
        self.looks.append(len(new))
        self._grade(new)
        return self.grades

    def _grade(self, probes):
        for p in probes:
            number = int(p.id.removeprefix(p.skill))
            self.grades.setdefault(p.skill, {})[p.id] = float(self._is_right(p.skill, number))


def looked(student, skills="A", **gaps):
    gaps = {k: gap_of(k, 0.0) for k in skills} | gaps
    return look_ahead(list(skills), gaps, draw=student.draw, ask=student.ask, settings=USUAL)


def test_what_is_plainly_not_known_is_asked_a_quarter_of_a_look():
    student = Student(lambda skill, i: skill == "B")

    found = looked(student, "AB")

    assert {k: len(grades) for k, grades in found.items()} == {"A": LOOK // 4, "B": LOOK}
    assert student.looks == [2 * (LOOK // 4), LOOK - LOOK // 4]


def test_what_is_close_is_asked_on_until_it_is_clear():
    student = Student(lambda _, i: i % 25 != 0)  # 30 of 32 leave it open, 61 of 64 do not

    found = looked(student)

    assert len(found["A"]) == 2 * LOOK
    assert student.looks == [LOOK // 4, LOOK - LOOK // 4, LOOK]
    assert known_by_now({"A": gap_of("A", 0.0)}, found, USUAL.thresholds).keys() == {"A"}


@pytest.mark.parametrize(("share", "sits"), [(0.97, True), (0.75, False)])
def test_a_close_case_ends_as_a_gate_would_end_it(share, sits):
    right = random.Random(3)
    answers = [right.random() < share for _ in range(SIZE)]
    student = Student(lambda _, i: answers[i])

    found = looked(student)

    known = known_by_now({"A": gap_of("A", 0.0)}, found, USUAL.thresholds)
    assert bool(known) is sits


def test_a_case_that_stays_close_is_given_up_at_the_cap():
    student = Student(lambda _, i: i % 10 != 5)  # between what sits and what does not

    assert len(looked(student)["A"]) == CAP


def test_a_skill_with_few_questions_is_asked_all_of_them_once():
    student = Student(lambda _, i: i % 10 != 5, size=40)

    assert len(looked(student)["A"]) == 40
    assert sum(student.looks) == 40


def test_a_skill_that_cannot_be_taught_gets_one_look():
    student = Student(lambda _, i: True)

    found = looked(student, A=gap_of("A", 0.0, p_teacher=0.2))

    assert len(found["A"]) == LOOK


@pytest.mark.parametrize("n", [1, 5, LOOK // 4, 20, LOOK, 50, 150])
def test_a_look_that_was_interrupted_ends_with_what_it_would_have_asked(n):
    def is_right(skill, i):
        return skill != "C" and i % 10 != 0

    whole, again = Student(is_right), Student(is_right, on_record=[("A", n), ("C", n)])

    assert looked(again, "ABC") == looked(whole, "ABC")


def test_nothing_waits():
    student = Student(lambda _, i: True)

    assert looked(student, "") == {}
    assert student.looks == []
