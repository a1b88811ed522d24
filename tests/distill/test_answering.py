"""The domain puts the questions, the teacher works them out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from distill.adapter.checks import NotLeak
from distill.adapter.inspection import Checks
from distill.adapter.leaks import LeakIndex
from distill.adapter.operations import Operation
from distill.adapter.writing import Order
from distill.domains.base import question_key
from distill.records import Example
from distill.settings import Writing
from tests.distill.test_teaching import DOMAIN, Kept, taught
from tests.distill.writers import Writer

BY_DOMAIN = Writing(questions_of_domain=True)


MEMORISED = (
    "first she walks past the old mill and then counts every goose on the pond before she goes home"
)


def leaking():
    """Checks of a run that is measured with a story of which these words are part."""
    index = LeakIndex.of_questions([f"When {MEMORISED}, how many has she counted by then?"])
    return Checks(DOMAIN, leak=NotLeak(frozenset(), index))


def right(prompt):
    return f"It is given\nIt is {prompt.reference}\nAnswer: {prompt.reference}"


def problems(skill="A"):
    return {
        p.question: p
        for level in (1, 2, 3)
        for p in DOMAIN.problems(skill, 500, seed=0, level=level)
    }


def test_every_question_is_the_domains_and_is_put_alone_for_the_likeliest_answer():
    teacher, kept, sunk = Writer(answer=right), Kept(), []

    items = taught(teacher, kept=kept, settings=BY_DOMAIN, sink=sunk.append)

    known = problems()
    assert len(items) == 8
    assert sunk == items
    assert not any(i.is_flagged for i in items)
    assert all(i.answer == known[i.question].answer for i in items)
    assert all(i.solution.endswith(f"Answer: {i.answer}") for i in items)
    assert len(teacher.asked) == 8
    assert {p.sampling.temperature for p in teacher.asked} == {0.0}
    for item in items:
        assert item.origin == "writer"
        assert kept[item.call].prompt.startswith(item.question)
        assert kept[item.call].reply == right(type("P", (), {"reference": item.answer}))


def test_what_is_wrong_is_asked_again_at_the_teachers_temperature_and_a_right_one_taken():
    def answer(prompt):
        return right(prompt) if prompt.sampling.temperature else "It says\nAnswer: 123456"

    teacher = Writer(answer=answer)

    items = taught(teacher, settings=BY_DOMAIN)

    assert not any(i.is_flagged for i in items)
    assert Counter(p.sampling.temperature for p in teacher.asked) == {0.0: 8, 0.7: 24}
    assert len({p.sampling.seed for p in teacher.asked if p.sampling.temperature}) == 3


def test_progress_is_told_of_answers_long_before_a_wave_is_over():
    def answer(prompt):
        return right(prompt) if prompt.sampling.temperature else "It says\nAnswer: 123456"

    teacher, beats = Writer(answer=answer), []
    teacher.at_once = 3

    taught(teacher, settings=BY_DOMAIN, beat=lambda *done: beats.append(done))

    assert beats[:4] == [(0, 8), (3, 8), (6, 8), (8, 8)]
    assert beats[4:6] == [(11, 32), (14, 32)]  # eight wrong ones, three more answers each
    assert beats[-1] == (32, 32)


def test_an_answer_without_a_mark_is_one_where_it_comes_to_the_right_number():
    [item, *_] = taught(Writer(answer=lambda p: f"It comes to {p.reference}"), settings=BY_DOMAIN)

    assert item.solution == f"It comes to {item.answer}. Answer: {item.answer}"


def test_what_the_teacher_never_gets_right_is_shown_flagged_after_others_were_tried():
    teacher, told = Writer(answer=lambda p: "It says\nAnswer: 123456"), []

    items = taught(teacher, settings=BY_DOMAIN, tell=told.append)

    assert len(items) == 8
    for item in items:
        (fault,) = (c for c in item.checks if not c.passed)
        assert fault.detail == f"The answer is {item.answer}, not 123456."
        assert item.solution == "It says. Answer: 123456"
    assert len({question_key(p.text.split("\n")[0]) for p in teacher.asked}) == 24
    assert sum(t.asked for t in told[-1]) == 24
    assert sum((Counter(t.lost) for t in told[-1]), Counter()) == {"answer": 24}


@pytest.mark.parametrize("reply", ["", "no", "Answer: 123456", "12\n- 654\n= 333"])
def test_what_cannot_be_read_is_counted_and_not_shown(reply):
    told = []

    items = taught(Writer(answer=lambda p: reply), settings=BY_DOMAIN, tell=told.append)

    assert items == []
    assert sum(t.kept for t in told[-1]) == 0
    assert sum((Counter(t.lost) for t in told[-1]), Counter()) == {"answer": 24}


def test_a_solution_that_repeats_what_the_student_is_measured_with_is_a_leak():
    """Though its question is none."""
    teacher = Writer(answer=lambda p: f"{MEMORISED}\nAnswer: {p.reference}")

    items = taught(teacher, settings=BY_DOMAIN, checks=leaking())

    assert len(items) == 8
    for item in items:
        assert [c.id for c in item.checks if not c.passed] == ["leak"]
        assert len({c.id for c in item.checks}) == len(item.checks)


def test_with_the_calls_that_are_kept_nothing_is_asked_again():
    def answer(prompt):
        return right(prompt) if prompt.sampling.seed % 2 else "It says\nAnswer: 123456"

    kept = Kept()
    first = taught(Writer(answer=answer), kept=kept, settings=BY_DOMAIN)
    again = Writer(answer=answer)

    assert taught(again, kept=kept, settings=BY_DOMAIN) == first
    assert again.asked == []


def test_small_ones_come_first_and_what_was_asked_in_earlier_rounds_does_not_come_again():
    taken = {p.key for p in list(problems().values())[::2]}

    items = taught(Writer(answer=right), Order("A", 10, 0.1), settings=BY_DOMAIN, taken=taken)

    assert [i.level for i in items] == [1, 2, *[3] * 8]
    assert not {question_key(i.question) for i in items} & taken


def test_where_no_question_is_left_those_of_earlier_rounds_are_put_once_more(monkeypatch):
    few = DOMAIN.problems("A", 3, seed=0)
    inner = DOMAIN.problems

    def three(self, skill, n, *, exclude=frozenset(), **more):
        if skill != "A":
            return inner(skill, n, exclude=exclude, **more)
        return [p for p in few if p.key not in exclude][:n]

    monkeypatch.setattr(type(DOMAIN), "problems", three)
    earlier = [p.question for p in few]

    items = taught(
        Writer(answer=right),
        settings=BY_DOMAIN,
        taken={p.key for p in few},
        checks=Checks(DOMAIN, earlier),
    )

    assert sorted(i.question for i in items) == sorted(earlier)
    assert not any(i.is_flagged for i in items)


def test_a_question_of_a_probe_is_not_put():
    probes = {p.key for p in problems().values()}
    teacher = Writer(answer=right)

    assert taught(teacher, settings=BY_DOMAIN, probes=probes) == []
    assert teacher.asked == []


SHOWN = (Example("What is 3 and 4?", "3 and 4 are given\nThey are 7\nAnswer: 7"),)


@pytest.fixture
def shown(monkeypatch):
    """The domain has an example of skill A, and none of the others."""
    skills = tuple(replace(s, examples=SHOWN if s.id == "A" else ()) for s in DOMAIN.skills)
    monkeypatch.setattr(DOMAIN, "skills", skills)


def test_the_skills_examples_stand_before_the_question_and_the_item_says_so(shown):
    teacher, kept = Writer(answer=right), Kept()

    items = taught(teacher, kept=kept, settings=BY_DOMAIN)

    assert len(teacher.asked) == len(items) == 8
    for item in items:
        assert Operation.ONE_FORMAT in item.operations
        words = kept[item.call].prompt
        assert words.index(SHOWN[0].solution) < words.index(item.question)
        assert words.endswith(f"Question: {item.question}\nSolution:")


def test_no_examples_no_one_format(shown):
    teacher = Writer(answer=right)

    items = taught(teacher, Order("B", 4), settings=BY_DOMAIN)

    assert not any(Operation.ONE_FORMAT in i.operations for i in items)
    assert not any(SHOWN[0].question in p.text for p in teacher.asked)


@pytest.mark.parametrize("left", [Operation.DECOMPOSE, Operation.ONE_FORMAT])
def test_examples_are_shown_where_steps_in_one_format_are_wanted(shown, left):
    wanted = [each for each in BY_DOMAIN.operations if each is not left]
    teacher = Writer(answer=right)

    taught(teacher, settings=BY_DOMAIN.model_copy(update={"operations": wanted}))

    assert teacher.asked
    assert not any(SHOWN[0].question in p.text for p in teacher.asked)


def test_a_teacher_that_cannot_follow_the_examples_is_asked_without(shown):
    def answer(prompt):
        return "It says\nAnswer: 123456" if SHOWN[0].question in prompt.text else right(prompt)

    teacher = Writer(answer=answer)

    items = taught(teacher, settings=BY_DOMAIN)

    assert not any(i.is_flagged for i in items)
    assert not any(Operation.ONE_FORMAT in i.operations for i in items)
    assert [SHOWN[0].question in p.text for p in teacher.asked] == [*[True] * 32, *[False] * 8]


def test_one_with_fewer_steps_than_the_examples_is_asked_for_again(shown):
    def answer(prompt):
        return right(prompt) if prompt.sampling.temperature else f"It is {prompt.reference}"

    items = taught(Writer(answer=answer), settings=BY_DOMAIN)

    assert all(i.solution == f"It is given. It is {i.answer}. Answer: {i.answer}" for i in items)
    assert all(Operation.ONE_FORMAT in i.operations for i in items)


def test_what_is_right_in_fewer_steps_alone_is_better_than_none(shown):
    """What no example is like would else be left out, and never learnt."""

    def answer(prompt):
        is_hard = int(prompt.reference) % 3 == 0
        return f"It is {prompt.reference}" if is_hard else right(prompt)

    teacher = Writer(answer=answer)
    items = taught(teacher, settings=BY_DOMAIN)

    by_form = Counter(Operation.ONE_FORMAT in i.operations for i in items)
    assert len(items) == 8
    assert not any(i.is_flagged for i in items)
    assert by_form[True] > by_form[False] > 0
    assert all(SHOWN[0].question in p.text for p in teacher.asked)
    for item in items:
        if Operation.ONE_FORMAT not in item.operations:
            assert item.solution == f"It is {item.answer}. Answer: {item.answer}"


def test_what_is_said_at_once_of_most_is_asked_for_in_own_words(shown):
    def answer(prompt):
        is_shown = SHOWN[0].question in prompt.text
        return f"It is {prompt.reference}" if is_shown else right(prompt)

    items = taught(Writer(answer=answer), settings=BY_DOMAIN)

    assert all(i.solution == f"It is given. It is {i.answer}. Answer: {i.answer}" for i in items)
    assert not any(Operation.ONE_FORMAT in i.operations for i in items)


def test_what_a_teacher_goes_on_to_ask_itself_is_no_part_of_its_answer(shown):
    more = "\nQuestion: What is 1 and 1?\nSolution:\nIt is given\nIt is 2\nAnswer: 2"

    items = taught(Writer(answer=lambda p: right(p) + more), settings=BY_DOMAIN)

    assert {i.solution for i in items} == {
        f"It is given. It is {i.answer}. Answer: {i.answer}" for i in items
    }


def test_one_that_mostly_can_is_not(shown):
    teacher = Writer(answer=lambda p: right(p) if int(p.reference) % 3 else "It says\nAnswer: -1")

    taught(teacher, settings=BY_DOMAIN)

    assert all(SHOWN[0].question in p.text for p in teacher.asked)


def test_without_steps_only_the_answer_is_said():
    settings = Writing(questions_of_domain=True, operations=())

    items = taught(Writer(answer=right), settings=settings)

    assert {i.solution for i in items} == {f"Answer: {i.answer}" for i in items}
    assert {i.operations for i in items} == {()}


def test_where_the_domain_has_no_questions_the_teacher_writes_them(monkeypatch):
    inner = DOMAIN.problems

    def none_of_b(self, skill, n, **more):
        return [] if skill == "B" else inner(skill, n, **more)

    monkeypatch.setattr(type(DOMAIN), "problems", none_of_b)
    teacher = Writer(answer=right)

    items = taught(teacher, Order("A", 4, 0.6), Order("B", 4, 0.6), settings=BY_DOMAIN)

    assert Counter(i.skill for i in items) == {"A": 4, "B": 4}
    assert {p.skill for p in teacher.requests} == {"B"}


def test_a_domain_that_has_too_few_gives_what_it_has(monkeypatch):
    few = DOMAIN.problems("A", 3, seed=0)

    def three(self, skill, n, *, exclude=frozenset(), **more):
        return [p for p in few if p.key not in exclude][:n]

    monkeypatch.setattr(type(DOMAIN), "problems", three)

    items = taught(Writer(answer=right), settings=BY_DOMAIN)

    assert {i.question for i in items} == {p.question for p in few}


def test_a_label_before_the_steps_is_not_taken_for_a_step_more():
    """Else an answer that says the question again would be taken before one that does not."""

    def answer(prompt):
        steps = f"It is given\nIt is {prompt.reference}\nAnswer: {prompt.reference}"
        asked = prompt.text.partition("\n")[0]
        return steps if prompt.sampling.temperature else f"Question: {asked}\nSolution: {steps}"

    items = taught(Writer(answer=answer), settings=BY_DOMAIN)

    assert len(items) == 8
    assert not any(i.is_flagged for i in items)
    assert {i.solution for i in items} == {
        f"It is given. It is {i.answer}. Answer: {i.answer}" for i in items
    }
