"""Examples that are not in use yet, tried on a teacher: followed, in fewer steps, of no use."""

from __future__ import annotations

import pytest

from distill.adapter.checks import NotLeak
from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.trying_examples import Outcome, try_examples
from distill.errors import BudgetSpent
from distill.records import Example
from distill.settings import Writing
from tests.distill.test_teaching import DOMAIN, Kept
from tests.distill.writers import Writer

EXAMPLE = Example("What is 1 + 1?", "It is one\nand one more\nAnswer: 2")
SHOWN = "Here is how it is done"


def tried(teacher, *examples, kept=None, n=6, budget=None, **more):
    kept = Kept() if kept is None else kept
    return try_examples(
        DOMAIN,
        "A",
        examples,
        TeacherClient(teacher, kept=kept, keep=kept.keep, budget=budget),
        settings=Writing(questions_of_domain=True),
        checks=Checks(DOMAIN, leak=NotLeak(set())),
        key="try7",
        n=n,
        seed=0,
        **more,
    )


def in_steps(prompt, *, shown):
    """Two steps if examples stand before the question, or if they do not; else one."""
    is_shown = SHOWN in prompt.text
    steps = "It is given\n" if is_shown is shown else ""
    return f"{steps}It is {prompt.reference}\nAnswer: {prompt.reference}"


def test_each_question_is_put_with_the_examples_and_without():
    teacher, kept = Writer(answer=lambda p: in_steps(p, shown=True)), Kept()

    found = tried(teacher, EXAMPLE, kept=kept)

    assert [each.shown for each in found] == [True] * 6 + [False] * 6
    assert [each.question for each in found[:6]] == [each.question for each in found[6:]]
    assert {each.outcome for each in found[:6]} == {Outcome.ALIKE}
    assert {each.outcome for each in found[6:]} == {Outcome.USABLE}
    assert all(each.call == kept[each.call.key] for each in found)
    assert all(SHOWN in each.call.prompt for each in found[:6])
    assert {each.call.purpose for each in found} == {"try"}
    assert {p.sampling.temperature for p in teacher.asked} == {0.0}


def test_what_has_fewer_steps_than_the_examples_is_right_and_not_alike():
    found = tried(Writer(answer=lambda p: in_steps(p, shown=False)), EXAMPLE)

    assert {each.outcome for each in found[:6]} == {Outcome.USABLE}


@pytest.mark.parametrize(
    ("reply", "fault"),
    [("It says\nAnswer: 123456", "The answer is "), ("", "No solution in steps could be read.")],
)
def test_what_is_of_no_use_says_why(reply, fault):
    for each in tried(Writer(answer=lambda p: reply), EXAMPLE):
        assert each.outcome == Outcome.UNUSABLE
        assert each.fault.startswith(fault)


def test_without_examples_there_is_one_way_to_ask():
    teacher = Writer(answer=lambda p: in_steps(p, shown=False))

    assert [each.shown for each in tried(teacher)] == [False] * 6


def test_a_question_that_is_an_example_itself_is_not_put():
    questions = [each.question for each in tried(Writer())]

    found = tried(Writer(), Example(questions[0], EXAMPLE.solution))

    assert questions[0] not in {each.question for each in found}
    assert len(found) == 12


def test_what_is_kept_is_not_asked_again_and_what_is_spent_ends_it():
    kept, beats = Kept(), []
    first = tried(Writer(), EXAMPLE, kept=kept, beat=lambda *done: beats.append(done))
    teacher = Writer()

    assert tried(teacher, EXAMPLE, kept=kept) == first
    assert teacher.asked == []
    assert (beats[0], beats[-1]) == ((0, 12), (12, 12))
    with pytest.raises(BudgetSpent):
        tried(teacher, EXAMPLE, budget=0)
