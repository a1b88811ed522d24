"""The built-in domain against answers worked out a second time, from the question's words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill import grading
from distill.adapter.verifying import wrong_statement
from distill.domains import load, question_key, split_of
from distill.domains.base import UNLIMITED
from distill.domains.foundations import GENERATORS
from distill.domains.foundations.columns import add_columns, subtract_columns
from distill.domains.working import read_working
from distill.errors import DomainError
from distill.records import Probe, Split

DOMAIN = load("foundations")
TAUGHT = [skill.id for skill in DOMAIN.skills if not skill.is_transfer]
TRANSFER = [skill.id for skill in DOMAIN.skills if skill.is_transfer]
MEASURED = [Split.DIAGNOSE, Split.GATE, Split.FINAL]

SEEDS = st.integers(0, 2**32)
BUILDS_ON = {
    **{"A1": "", "A2": "A1", "A3": "A2", "B2": "A1", "B3": "B2", "A4": "A3 B3", "M1": "A1"},
    **{"M2": "M1 A3", "X1": "A3 M1", "E1": "X1 B3", "W1": "A3 B3", "W2": "W1 M1"},
    **{"S1": "", "S2": "", "N1": "", "N2": "N1", "T1": "", "T2": "", "T3": ""},
}


def numbers_in(text):
    return [int(digits) for digits in re.findall(r"\d+", text)]


def value_of(expression):
    assert re.fullmatch(r"[0-9+\-*/() ]+", expression), expression
    return eval(expression)


def answer_to(question):
    """What the question asks for, from its words alone."""
    if found := re.fullmatch(r"What is (.+)\?", question):
        return str(value_of(found[1]))
    if question.startswith("If"):
        a, b, c = numbers_in(question)
        return str(next(x for x in range(100) if a * x + b == c))
    if found := re.fullmatch(r'Spell the word "(\w+)" backwards\.', question):
        return "".join(reversed(found[1]))
    if found := re.fullmatch(r"Reverse this list: (.+)\.", question):
        return ", ".join(reversed(found[1].split(", ")))
    values = numbers_in(question)
    if question.startswith("Which number"):
        return str(max(values) if "largest" in question else min(values))
    if question.startswith("Sort from smallest"):
        return ", ".join(map(str, sorted(values)))
    if question.startswith("How many of these"):
        return str(sum(value > values[0] for value in values[1:]))
    return str(story_answer(question, values))


def story_answer(question, values):
    is_less = re.search(r"left\?|How many more|missing", question)
    match values:
        case [a, b]:
            return a - b if is_less else a + b
        case [a, b, c]:
            return a * b - c if is_less else a * b + c
        case [a, b, c, d]:
            return a * b - c + d
    raise AssertionError(question)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TAUGHT), SEEDS, st.integers(1, 3))
def test_every_problem_is_right_and_its_solutions_are_graded_right(skill, seed, level):
    for problem in DOMAIN.problems(skill, 3, seed=seed, level=level):
        probe = Probe(
            problem.key,
            skill,
            Split.GATE,
            problem.question,
            problem.answer,
            DOMAIN.grader(skill),
        )

        assert problem.answer == answer_to(problem.question)
        assert problem.terse == f"Answer: {problem.answer}"
        assert problem.worked.endswith(problem.terse)
        assert grading.grade(probe, problem.worked) == (1.0, "")
        assert grading.grade(probe, problem.answer) == (1.0, "")
        assert grading.grade(probe, "Answer: 1234567") == (0.0, "")
        assert (problem.key, problem.level) == (question_key(problem.question), level)
        assert split_of(problem.key) is Split.TRAIN


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(TAUGHT), SEEDS, st.integers(1, 3))
def test_every_step_of_a_solution_is_true(skill, seed, level):
    for problem in DOMAIN.problems(skill, 3, seed=seed, level=level):
        for left, right in re.findall(r"([0-9][0-9+\-*/ ]*) = (\d+)", problem.worked):
            assert value_of(left) == int(right), problem.worked
        for top, less, borrowed in re.findall(r"(\d) and ([\d +]+): borrow (\d)", problem.worked):
            assert int(borrowed) == (int(top) < value_of(less)), problem.worked


NUMBERS = st.integers(0, 99_999)


@given(NUMBERS, NUMBERS)
def test_columns_hold_the_digits_of_what_comes_out(a, b):
    large, small = max(a, b), min(a, b)

    for columns, result in (
        (add_columns(a, b), a + b),
        (subtract_columns(large, small), large - small),
    ):
        ends = [int(re.findall(r"= (\d+)", column)[-1]) for column in columns]
        *low, last = ends  # the last column is said whole
        said = "".join(str(end % 10) for end in reversed(low))
        assert int(f"{last}{said}") == result
        assert len(columns) == len(str(large))


def test_what_is_part_of_something_longer_is_worked_in_the_words_of_its_own_skill():
    stories = DOMAIN.problems("W2", 200, seed=3)

    worked = [p.worked for p in stories if re.search(r"\. \d\d [+-] \d+\. ", p.worked)]
    assert len(worked) > 100
    for solution in worked:
        a, sign, b = re.search(r"\. (\d+) ([+-]) (\d+)\. ", solution).groups()
        columns = (add_columns if sign == "+" else subtract_columns)(int(a), int(b))
        assert f"{a} {sign} {b}. {'. '.join(columns)}. Answer" in solution


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TAUGHT + TRANSFER), st.sampled_from(MEASURED), SEEDS)
def test_every_probe_is_right_and_never_of_the_train_split(skill, split, seed):
    for probe in DOMAIN.probes(skill, split, 5, seed=seed):
        assert probe.reference == answer_to(probe.question)
        assert (probe.skill, probe.split, probe.id) == (skill, split, question_key(probe.question))
        assert split_of(probe.id) is split


@pytest.mark.parametrize("skill", TAUGHT)
def test_solutions_are_short_enough_for_a_small_student(skill):
    for problem in DOMAIN.problems(skill, 200, seed=5):
        pieces = re.findall(r"\d|[a-zA-Z]+|[^\w\s]", problem.worked)

        assert len(pieces) <= 80, problem.worked  # max_answer_tokens is 96


@pytest.mark.parametrize("skill", TAUGHT)
def test_there_are_at_least_300_questions_and_their_splits_are_disjoint(skill):
    found = {split: DOMAIN.size(skill, split) for split in Split}
    if None not in found.values():
        probes = [p.id for s in MEASURED for p in DOMAIN.probes(skill, s, 9999, seed=1)]
        problems = [p.key for p in DOMAIN.problems(skill, 9999, seed=1)]

        assert len(set(probes + problems)) == len(probes + problems) == sum(found.values()) >= 300


@pytest.mark.parametrize("skill", [s for s, g in GENERATORS.items() if g.draw])
def test_skills_that_are_drawn_have_more_than_enough_questions(skill):
    wanted = UNLIMITED // 4  # of the smallest split, in one go

    assert DOMAIN.size(skill, Split.FINAL) is None
    assert len({p.id for p in DOMAIN.probes(skill, Split.FINAL, wanted, seed=3)}) == wanted


@pytest.mark.slow
def test_no_question_belongs_to_two_skills():
    owners = {}
    for skill in TAUGHT + TRANSFER:
        for split in MEASURED:
            n = 400 if DOMAIN.size(skill, split) is None else 9999
            for probe in DOMAIN.probes(skill, split, n, seed=0):
                assert owners.setdefault(probe.id, skill) == skill, probe


@pytest.mark.parametrize("skill", TAUGHT + TRANSFER)
def test_a_skill_knows_its_own_questions_and_no_other_takes_them(skill):
    others = [s for s in TAUGHT + TRANSFER if s != skill]
    asked = [p.question for p in DOMAIN.probes(skill, Split.FINAL, 60, seed=1)]
    asked += [
        p.question for level in (1, 2, 3) for p in DOMAIN.problems(skill, 40, seed=1, level=level)
    ]

    for question in asked:
        is_sum = re.fullmatch(r"What is [\d+\-* ()]+\?", question) is not None
        expected = (True, {False}) if is_sum else (None, {None})
        assert (
            DOMAIN.asks(skill, question),
            {DOMAIN.asks(s, question) for s in others},
        ) == expected


@pytest.mark.parametrize(
    ("skill", "question", "expected"),
    [
        ("A3", "Calculate 47+38.", True),  # however it is put
        ("A3", "(47 + 38) =", True),
        ("A3", "What is 41 + 38?", False),  # nothing is carried
        ("A3", "What is 147 + 238?", False),
        ("A3", "What is 47 + 38 + 12?", False),
        ("A3", "What is 47.5 + 38?", None),  # no sum of whole numbers: cannot be told
        ("A3", "Ann has 41 pens and gets 38. How many now?", None),
        ("A4", "What is 238 − 147?", True),
        ("A4", "What is 147 − 238?", False),  # below nought
        ("A4", "What is 1470 + 238?", False),
        ("W1", "What is 47 + 38?", False),  # no story
        ("S1", "What is 47 + 38?", False),
    ],
)
def test_a_plain_sum_is_of_one_skill_or_of_none(skill, question, expected):
    assert DOMAIN.asks(skill, question) is expected


@pytest.mark.parametrize("skill", TAUGHT)
def test_the_same_seed_gives_the_same_items_and_the_next_one_others(skill):
    first = DOMAIN.problems(skill, 30, seed=1)

    assert DOMAIN.problems(skill, 30, seed=1) == first
    assert DOMAIN.problems(skill, 60, seed=1)[:30] == first
    shared = {p.key for p in first} & {p.key for p in DOMAIN.problems(skill, 30, seed=2)}
    assert len(shared) < 15


@pytest.mark.slow
def test_items_are_the_same_in_every_process():
    code = (
        "from distill.domains import load; d = load('foundations');"
        "print([p.key for s in d.skills for p in d.problems(s.id, 2, seed=7)], end='')"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert printed[0] == printed[1] != ""


@pytest.mark.parametrize("skill", TAUGHT)
def test_excluded_questions_never_come_and_an_exhausted_split_gives_what_is_left(skill):
    first = {p.id for p in DOMAIN.probes(skill, Split.GATE, 20, seed=1)}

    second = [p.id for p in DOMAIN.probes(skill, Split.GATE, 400, seed=1, exclude=first)]

    assert first.isdisjoint(second)
    assert len(set(second)) == len(second)
    size = DOMAIN.size(skill, Split.GATE)
    assert len(second) == (400 if size is None else min(400, size - 20))


@pytest.mark.parametrize("skill", TAUGHT)
def test_smaller_levels_hold_smaller_instances(skill):
    sizes = [
        max(len(p.question) + sum(numbers_in(p.question)) for p in problems)
        for problems in (DOMAIN.problems(skill, 200, seed=2, level=level) for level in (1, 2, 3))
    ]

    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


@pytest.mark.parametrize("skill", TRANSFER)
def test_transfer_skills_are_measured_and_never_taught(skill):
    assert DOMAIN.problems(skill, 10, seed=1) == []
    assert len(DOMAIN.probes(skill, Split.FINAL, 10, seed=1)) == 10


def test_skills_and_edges_are_those_of_the_method():
    assert {s.id: " ".join(s.prerequisites) for s in DOMAIN.skills} == BUILDS_ON
    assert len(DOMAIN.edges()) == sum(len(names.split()) for names in BUILDS_ON.values())
    assert all(skill.title and skill.statement.endswith(".") for skill in DOMAIN.skills)


def test_an_unknown_skill_a_train_probe_and_a_strange_level_are_refused():
    with pytest.raises(DomainError, match="no skill “Z9”"):
        DOMAIN.probes("Z9", Split.GATE, 1, seed=0)
    with pytest.raises(ValueError, match="train"):
        DOMAIN.probes("A1", Split.TRAIN, 1, seed=0)
    with pytest.raises(ValueError, match="1 to 3"):
        DOMAIN.problems("A1", 1, seed=0, level=4)


def test_keys_ignore_case_and_spacing_but_not_words():
    same = {question_key(q) for q in ("What is 3 + 4?", " what  is\n3+4 ?", "WHAT IS 3 +4?")}

    assert len(same) == 1
    assert question_key("What is 4 + 3?") not in same
    assert question_key("What is 34?") not in same


def test_about_two_thirds_of_all_questions_are_for_teaching():
    found = [split_of(question_key(f"question {n}")) for n in range(5000)]

    shares = [found.count(split) / len(found) for split in Split]
    assert shares == pytest.approx([0.64, 0.12, 0.12, 0.12], abs=0.03)


def test_the_examples_of_the_documentation_are_worked_so():
    page = Path(__file__).parents[2] / "docs" / "domains.md"
    rows = re.findall(r"^\| (\w+) \| (What is [^|]+\?) \| (.+) \|$", page.read_text(), re.MULTILINE)

    assert len(rows) >= 3
    for skill, question, worked in rows:
        (draft,) = [d for d in GENERATORS[skill].every(3) if d.question == question]
        assert draft.worked == worked


@pytest.mark.parametrize("skill", TAUGHT)
def test_examples_are_the_skills_own_right_in_every_line_and_never_a_probe(skill):
    examples = next(s.examples for s in DOMAIN.skills if s.id == skill)

    assert len(examples) == (5 if skill == "X1" else 3)
    for example in examples:
        key = question_key(example.question)
        assert split_of(key) is Split.TRAIN
        assert DOMAIN.asks(skill, example.question) is not False
        if n := DOMAIN.size(skill, Split.TRAIN):
            assert key in {problem.key for problem in DOMAIN.problems(skill, n, seed=0)}
        working = read_working(example.question, example.solution)
        assert working.steps == tuple(example.solution.splitlines()[:-1])
        assert working.answer == answer_to(example.question)
        assert wrong_statement(example.solution) == ""
