"""The student tries questions before they are taught, and gets those that it cannot do."""

from __future__ import annotations

import json

import pytest

from distill import domains, roster
from distill.adapter.attempts import SHARE, Attempts, failed_first
from distill.adapter.operations import PROCEDURAL_OPERATIONS
from distill.adapter.writing import Order, write
from distill.authoring import attempts_of
from distill.backends.simulated import SimulatedTrainer
from distill.comparison.ablations import without
from distill.identifier.error_types import ErrorType, classify
from distill.journal import Journal
from distill.records import Answer
from distill.settings import Budget, Probing, Thresholds, Writing
from tests.distill import test_author
from tests.distill.samples import RuleStudent
from tests.distill.test_answering import right
from tests.distill.test_pipeline import SMALL, entries, pipeline, without_time
from tests.distill.test_steering import Borrower
from tests.distill.writers import Tutor

FOUNDATIONS = domains.load("foundations")
TRIED = SMALL.model_copy(update={"writing": Writing(tried=3)})


class Student:
    """Gets right what its rule says; remembers what it was asked."""

    def __init__(self, can):
        self.can, self.asked, self.waves = can, [], []

    def __call__(self, probes, alive):
        self.asked += [p.id for p in probes]
        self.waves.append(len(probes))
        alive()
        said = [(p.reference, 1.0) if self.can(p) else ("7", 0.0) for p in probes]
        return [
            Answer(p.id, f"Answer: {s}", grade) for p, (s, grade) in zip(probes, said, strict=True)
        ]


def odd(probe):
    return int(probe.reference) % 2 == 1


def test_half_of_what_is_chosen_was_got_wrong_and_the_rest_was_never_tried():
    found, student = FOUNDATIONS.problems("A2", 120, seed=1), Student(odd)

    chosen = failed_first(found, 40, ask=student, grader="number")

    failed = [c for c in chosen if c.said]
    assert len(chosen) == 40
    assert len(failed) == 40 * SHARE
    assert all(int(c.problem.answer) % 2 == 0 for c in failed)
    assert all(c.said == "Answer: 7" for c in failed)
    untried = [c for c in chosen if c.problem.key not in student.asked]
    assert [c.problem for c in untried] == found[:20]
    places = [found.index(c.problem) for c in chosen]
    assert places == sorted(places)


def test_it_is_asked_no_more_than_it_takes_and_nothing_twice():
    student = Student(lambda p: False)

    failed_first(FOUNDATIONS.problems("A2", 120, seed=1), 40, ask=student, grader="number")

    assert student.waves == [20]

    student = Student(odd)
    failed_first(FOUNDATIONS.problems("A2", 120, seed=1), 40, ask=student, grader="number")
    assert len(set(student.asked)) == len(student.asked) < 100


@pytest.mark.parametrize("n", [0, 1, 7, 40])
def test_a_student_that_can_do_them_all_gets_as_many_items_all_the_same(n):
    found, student = FOUNDATIONS.problems("A2", 3 * n, seed=1), Student(lambda p: True)

    chosen = failed_first(found, n, ask=student, grader="number")

    assert len({c.problem.key for c in chosen}) == len(chosen) == n
    assert not any(c.said or c.aims for c in chosen)


def test_a_grader_that_fails_says_nothing_of_the_student():
    def fails(probes, alive):
        return [Answer(p.id, "Answer: 7", 0.0, error="The sandbox is gone.") for p in probes]

    found = FOUNDATIONS.problems("A2", 60, seed=1)

    chosen = failed_first(found, 20, ask=fails, grader="number")

    assert len(chosen) == 20
    assert not any(c.said or c.aims for c in chosen)


def test_whoever_waits_hears_of_every_batch():
    told, settings = [], TRIED.model_copy(update={"probing": Probing(batch_size=4)})
    attempts = attempts_of(RuleStudent(lambda p: False), settings)

    failed_first(
        FOUNDATIONS.problems("A2", 60, seed=1),
        40,
        ask=attempts.ask,
        grader="number",
        alive=lambda: told.append(1),
    )

    assert len(told) >= 5  # batches of 4, of 20 questions


def test_fewer_are_chosen_where_there_are_fewer():
    assert failed_first([], 5, ask=Student(odd), grader="number") == []
    found = FOUNDATIONS.problems("A2", 4, seed=1)
    assert len(failed_first(found, 9, ask=Student(odd), grader="number")) == 4


def test_an_item_says_what_the_student_said_to_it_and_what_kind_of_wrong_that_is():
    student = Student(odd)
    items = write(
        FOUNDATIONS,
        [Order("B3", 20, 0.7, errors={"borrow_missed": 12})],
        seed=1,
        round_key="s1r1",
        operations=PROCEDURAL_OPERATIONS,
        attempts=Attempts(student, 3),
    )

    tried = [i for i in items if i.said]
    assert (len(items), len(tried)) == (20, 10)
    for item in tried:
        assert item.aims == (str(classify(item.question, item.answer, item.said, "number")),)
        assert item.answer != "7"
    assert not any(i.aims for i in items if not i.said)


def test_small_instances_are_tried_by_nobody():
    student = Student(lambda p: False)
    items = write(
        FOUNDATIONS,
        [Order("B3", 20, 0.1, starts_small=True)],
        seed=1,
        round_key="s1r0",
        operations=PROCEDURAL_OPERATIONS,
        attempts=Attempts(student, 3),
    )

    small = [i for i in items if i.level < 3]
    assert len(small) == 8
    assert not any(i.said for i in small)
    assert sum(bool(i.said) for i in items) == 6


# --- in a run --------------------------------------------------------------------------------


def test_a_run_tries_from_its_second_round_on_and_keeps_what_was_said(tmp_path):
    student = roster.Student("borrower", Borrower, SimulatedTrainer())

    strict = TRIED.model_copy(update={"thresholds": Thresholds(gap=0.1)})

    figures = pipeline(tmp_path, skills=["A4"], student=student, settings=strict).run()

    items = [e for e in entries(tmp_path) if e["kind"] == "item"]
    tried = {e["key"]: e for e in entries(tmp_path) if e["kind"] == "tried"}
    assert not any(i["said"] for i in items if i["round"] == "s1r0")
    said = [i for i in items if i["said"]]
    assert said
    for item in said:
        assert item["aims"] == [ErrorType.BORROW_MISSED]
    assert {i["said"] for i in said} <= {e["text"] for e in tried.values()}
    answers = sum(e["kind"] == "answer" for e in entries(tmp_path))
    assert figures["probes"] == answers + len(tried)


def test_a_run_that_is_killed_while_it_tries_asks_nothing_twice(tmp_path, monkeypatch):
    whole = pipeline(tmp_path / "whole", skills=["A2", "A3"], settings=TRIED).run()
    keep = Journal.keep_tried

    def killed(self, who, answered):
        keep(self, who, answered)
        raise KeyboardInterrupt  # after the first batch

    monkeypatch.setattr(Journal, "keep_tried", killed)
    with pytest.raises(KeyboardInterrupt):
        pipeline(tmp_path / "cut", skills=["A2", "A3"], settings=TRIED).run()
    monkeypatch.undo()

    again = pipeline(tmp_path / "cut", skills=["A2", "A3"], settings=TRIED, resume=True).run()

    assert without_time(again) == without_time(whole)
    keys = [e["key"] for e in entries(tmp_path / "cut") if e["kind"] == "tried"]
    assert len(keys) == len(set(keys)) > TRIED.probing.batch_size


def test_a_language_model_is_asked_to_work_out_what_the_student_got_wrong(tmp_path):
    both = Writing(tried=3, questions_of_domain=True)
    budget = Budget(items=120, items_per_round=16)
    settings = test_author.SMALL.model_copy(update={"writing": both, "budget": budget})

    test_author.taught(tmp_path, Tutor(answer=right), settings=settings)

    items = test_author.entries(tmp_path, "item")
    assert any(i["said"] for i in items)
    assert {i["origin"] for i in items} == {"writer"}


def test_off_nothing_is_tried_and_the_method_without_its_adapter_has_it_off(tmp_path):
    pipeline(tmp_path, skills=["A2"]).run()

    assert not any(e["kind"] == "tried" for e in entries(tmp_path))
    assert without("adapter", TRIED)[1].writing.tried == 0


def test_items_of_a_folder_without_what_was_said_are_read(tmp_path):
    pipeline(tmp_path, skills=["A2"]).run()
    path = tmp_path / "ledger.jsonl"
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    for entry in kept:
        entry.pop("said", None)
    path.write_text("".join(json.dumps(e) + "\n" for e in kept))

    items = Journal(tmp_path, resume=True).clean_items()

    assert items
    assert all(item.said == "" for item in items)
