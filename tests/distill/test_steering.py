"""The student's kinds of error weigh what the next items are about."""

from __future__ import annotations

import collections

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill import domains, roster
from distill.adapter.operations import PROCEDURAL_OPERATIONS
from distill.adapter.steering import SHARE, kinds, leaves_a_choice, shares, steer, told_by
from distill.adapter.writing import Order, write
from distill.backends.base import Reply
from distill.backends.simulated import SimulatedTrainer
from distill.comparison.ablations import without
from distill.domains.base import Problem
from distill.identifier import slips
from distill.identifier.error_types import ErrorType, classify
from distill.journal import Journal
from distill.settings import Thresholds
from tests.distill.samples import RuleStudent
from tests.distill.test_pipeline import SMALL, entries, pipeline

FOUNDATIONS = domains.load("foundations")
MIXED = FOUNDATIONS.problems("A4", 240, seed=3)  # add and subtract: some carry, some borrow
COLUMNS = [ErrorType.NO_CARRY, ErrorType.BORROW_MISSED, ErrorType.NEEDLESS_CARRY]

counts = st.dictionaries(st.sampled_from(list(ErrorType)), st.integers(0, 40), max_size=6)


def problem(question, answer):
    return Problem(question, "K", question, str(answer), "", "")


# --- which problems tell --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "answer", "kind", "wrong"),
    [
        ("What is 47 + 38?", 85, ErrorType.NO_CARRY, 75),
        ("What is 52 - 37?", 15, ErrorType.BORROW_MISSED, 25),
        ("What is 53 - 20?", 33, ErrorType.NEEDLESS_CARRY, 23),
    ],
)
def test_what_a_problem_tells_is_what_its_wrong_answer_would_be_called(
    question, answer, kind, wrong
):
    assert kind in told_by(question, str(answer))
    assert classify(question, str(answer), f"Answer: {wrong}", "number") is kind


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Spell lamp backwards.", "pmal"),
        ("What is the largest of 4, 9, 2?", "9"),
        ("", ""),
        ("What is 9999999 + 1?", "10000000"),
        ("What is ((((1 + 2?", "3"),
    ],
)
def test_what_cannot_be_worked_out_tells_nothing(question, answer):
    assert told_by(question, answer) == frozenset()


def test_a_story_tells_of_the_operation_that_leads_to_its_answer_only():
    story = "Ann has 52 pears and gets 37 more. How many has she now?"

    assert ErrorType.BORROW_MISSED not in told_by(story, "89")
    assert ErrorType.BORROW_MISSED in told_by(story.replace("gets 37 more", "eats 37"), "15")


@given(st.text(max_size=80), st.text(max_size=20))
def test_no_question_makes_it_raise(question, answer):
    assert told_by(question, answer) <= set(COLUMNS)


# --- the choice ------------------------------------------------------------------------------


@given(counts, st.integers(0, 60), st.integers(0, 200))
@settings(deadline=None, max_examples=40)
def test_a_choice_is_of_the_candidates_without_repeats_and_as_many_as_wanted(errors, n, have):
    found = steer(MIXED[:have], errors, n)

    problems = [p for p, _ in found]
    assert len(problems) == min(n, have)
    assert [p for p in MIXED[:have] if p in problems] == problems
    for each, aims in found:
        assert set(aims) <= told_by(each.question, each.answer)
        assert all(errors[kind] >= 3 for kind in aims)
    assert sum(bool(aims) for _, aims in found) <= round(n * SHARE)
    assert steer(MIXED[:have], errors, n) == found


def test_half_is_for_the_errors_in_proportion_to_their_counts():
    errors = {"borrow_missed": 18, "no_carry": 6, "far_off": 4}

    found = steer(MIXED, errors, 80)

    aims = collections.Counter(kind for _, each in found for kind in each)
    assert aims == {"borrow_missed": 30, "no_carry": 10} == shares(kinds(errors, MIXED), 80)
    telling = sum(ErrorType.BORROW_MISSED in told_by(p.question, p.answer) for p, _ in found)
    as_drawn = sum(ErrorType.BORROW_MISSED in told_by(p.question, p.answer) for p in MIXED[:80])
    assert telling > as_drawn


@pytest.mark.parametrize(
    "errors",
    [
        {},
        {"far_off": 20, "no_carry": 10},  # what is most frequent cannot be worked out
        {"no_carry": 2},  # may be a coincidence
        {"no_such_kind": 9},
    ],
)
def test_without_a_kind_to_aim_at_nothing_is_chosen_and_nothing_claimed(errors):
    assert steer(MIXED, errors, 20) == [(p, ()) for p in MIXED[:20]]


def test_what_every_problem_tells_is_not_claimed_to_be_chosen():
    every = FOUNDATIONS.problems("B3", 60, seed=1)  # each of them borrows

    assert kinds({"borrow_missed": 30}, every) == {}
    assert not leaves_a_choice([problem("What is 52 - 37?", 15), problem("What is 41 - 18?", 23)])
    assert leaves_a_choice(MIXED)


# --- what is written -------------------------------------------------------------------------


def written(errors, n=40, **more):
    order = Order("A4", n, 0.6, errors=errors)
    usual = {"seed": 1, "round_key": "s1r1", "operations": PROCEDURAL_OPERATIONS}
    return write(FOUNDATIONS, [order], **usual | more)


def test_the_items_say_what_they_were_chosen_for():
    items = written({"borrow_missed": 12})

    aimed = [i for i in items if i.aims]
    assert len(items) == 40
    assert len(aimed) == 20
    for item in aimed:
        assert item.aims == ("borrow_missed",)
        assert ErrorType.BORROW_MISSED in told_by(item.question, item.answer)
    assert not any(i.is_flagged for i in items)


def test_the_same_errors_give_the_same_items_and_none_the_same_as_ever():
    assert written({"borrow_missed": 12}) == written({"borrow_missed": 12})
    assert written({"borrow_missed": 12}) != written({})
    assert written({"no_answer": 30}) == written({})


# --- in a run --------------------------------------------------------------------------------


class Borrower:
    """Right but where a digit is borrowed; never wrong in another way."""

    name = "borrower"

    def __init__(self, adapter):
        self.asked = []

    def generate(self, prompts):
        found = []
        for p in prompts:
            right = [s for s in slips.expressions(p.text) if str(s.value) == p.reference]
            wrong = sorted(slips.without_borrow(right) - {int(p.reference)})
            found.append(Reply(f"Answer: {wrong[0] if wrong else p.reference}", 1, 1))
        return found

    def close(self):
        pass


def test_a_run_writes_for_the_errors_of_the_student_and_never_looks_at_gates(tmp_path, monkeypatch):
    student = roster.Student("borrower", Borrower, SimulatedTrainer())
    seen = []
    answer = Journal.answer
    monkeypatch.setattr(
        Journal, "answer", lambda self, who, p: seen.append(p.split) or answer(self, who, p)
    )

    strict = SMALL.model_copy(update={"thresholds": Thresholds(gap=0.1)})
    pipeline(tmp_path, skills=["A4"], student=student, settings=strict).run()

    by_round = collections.defaultdict(list)
    for e in entries(tmp_path):
        if e["kind"] == "item":
            by_round[e["round"]].append(tuple(e["aims"]))
    assert len(by_round) > 1
    for aims in by_round.values():
        assert 0.3 < sum(map(bool, aims)) / len(aims) <= 0.55
        assert set(aims) == {(), ("borrow_missed",)}
    assert set(seen) == {"diagnose"}
    answers = [e for e in entries(tmp_path) if e["kind"] == "answer"]
    asked = {e["who"] for e in answers if e["split"] == "diagnose"}
    assert {"base", "teacher", "s1r0"} <= asked


def test_a_student_whose_errors_cannot_be_worked_out_gets_items_as_they_come(tmp_path):
    never = roster.Student("never", lambda _: RuleStudent(lambda p: False), SimulatedTrainer())

    pipeline(tmp_path, skills=["A4"], student=never, settings=SMALL).run()

    assert all(e["aims"] == [] for e in entries(tmp_path) if e["kind"] == "item")


def test_the_method_without_its_adapter_chooses_nothing_by_errors(tmp_path):
    student = roster.Student("borrower", Borrower, SimulatedTrainer())
    strict = SMALL.model_copy(update={"thresholds": Thresholds(gap=0.1)})
    loop, settings = without("adapter", strict)

    loop(
        domains.load("foundations"),
        student,
        roster.find_teacher("procedural", tmp_path),
        settings,
        out=tmp_path,
        skills=["A4"],
        seed=1,
    ).run()

    items = [e for e in entries(tmp_path) if e["kind"] == "item"]
    assert items
    assert not any(e["aims"] for e in items)


def test_items_of_a_folder_without_aims_are_read(tmp_path):
    pipeline(tmp_path, skills=["A2"]).run()
    path = tmp_path / "ledger.jsonl"
    path.write_text(path.read_text().replace(', "aims": []', ""))

    items = Journal(tmp_path, resume=True).clean_items()

    assert items
    assert all(item.aims == () for item in items)
