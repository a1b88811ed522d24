"""A good question with a bad solution gets another one of the same teacher."""

from __future__ import annotations

import re
from itertools import count, repeat

import pytest

from distill.adapter.mending import is_mendable
from distill.domains.base import question_key
from distill.settings import Writing
from tests.distill.test_answering import MEMORISED, leaking
from tests.distill.test_teaching import Kept, taught
from tests.distill.writers import Writer, number_item


def wrong(draw):
    question, _, answer = number_item(draw)
    return question, ["Add them"], str(int(answer) + 1)


def solved(prompt):
    a, b = map(int, re.findall(r"\d+", prompt.text)[:2])
    return f"{a} + {b} is asked for.\n\n**{a} + {b} = {a + b}**.\nAnswer: {a + b}\nI hope so."


def test_what_is_wrong_with_its_steps_is_right_when_it_is_only_asked():
    kept = Kept()

    items = taught(Writer(wrong, answer=solved), kept=kept)

    assert len(items) == 8
    assert not any(i.is_flagged for i in items)
    a, b = re.findall(r"\d+", items[0].question)
    total = int(a) + int(b)
    assert items[0].solution == f"{a} + {b} is asked for. {a} + {b} = {total}. Answer: {total}"
    assert items[0].answer == str(total)
    (answer,) = (c for c in items[0].checks if c.id == "answer")
    key = answer.detail.removeprefix("The solution is the teacher's answer ").rstrip(".")
    assert items[0].question in kept[key].prompt
    assert items[0].question in kept[items[0].call].reply


def test_with_the_calls_that_are_kept_nothing_is_asked_again():
    kept = Kept()
    first = taught(Writer(wrong, answer=solved), kept=kept)
    again = Writer(wrong, answer=solved)

    assert taught(again, kept=kept) == first
    assert again.asked == []


def test_a_solution_that_leaks_takes_the_place_of_none():
    def answer(prompt):
        a, b = map(int, re.findall(r"\d+", prompt.text)[:2])
        return f"{MEMORISED}\n{a} + {b} = {a + b}\nAnswer: {a + b}"

    items = taught(Writer(wrong, answer=answer), checks=leaking())

    assert items
    assert all(i.is_flagged and MEMORISED[:20] not in i.solution for i in items)


def test_of_stories_most_of_the_answers_decide_and_the_shortest_is_taken():
    number, turn = count(), count()

    def story(draw):
        return f"Ann has {next(number)} apples and gets some. How many?", ["She gets 4"], "7"

    def answer(prompt):
        if "step by step" not in prompt.text:
            return "Answer: 8"
        words = ("She has a few, and gets a few more", "She gets more", "Nothing to say")
        said = ("8", "8", "3")
        nth = next(turn) % 3
        return f"{words[nth]}\nAnswer: {said[nth]}"

    items = taught(Writer(story, answer=answer))

    assert {(i.solution, i.answer) for i in items} == {("She gets more. Answer: 8", "8")}
    assert not any(i.is_flagged for i in items)


@pytest.mark.parametrize(("says", "is_mended"), [(count(1000), False), (repeat(8), True)])
def test_one_answer_is_no_majority_for_itself(says, is_mended):
    number = count()

    def story(draw):
        return f"Ann has {next(number)} apples and gets some. How many?", ["She gets 4"], "7"

    def answer(prompt):
        return f"She gets a few more\nAnswer: {next(says)}"

    items = taught(Writer(story, answer=answer), settings=Writing(agreement=1, requests_cap=1.0))

    assert len(items) == 8
    assert all(i.is_flagged is not is_mended for i in items)


def test_a_sum_that_a_program_works_out_is_asked_again_no_oftener_than_was_set():
    teacher = Writer(wrong, answer=solved)

    items = taught(teacher, settings=Writing(agreement=1))

    assert not any(i.is_flagged for i in items)
    assert len(teacher.asked) - len(teacher.requests) == len(items)


def test_two_steps_are_better_than_one_and_an_answer_is_bare():
    turn = count()

    def answer(prompt):
        a, b = map(int, re.findall(r"\d+", prompt.text)[:2])
        total = f"{a} + {b} = {a + b}"
        steps = (total, f"- add {b} to {a}\n{total}", f"It is clear that\n{total}, as it has to be")
        return f"{steps[next(turn) % 3]}\nAnswer: {total}."

    [item, *_] = taught(Writer(wrong, answer=answer))

    a, b = map(int, re.findall(r"\d+", item.question))
    assert item.answer == str(a + b)
    assert item.solution == f"add {b} to {a}. {a} + {b} = {a + b}. Answer: {a + b}"


@pytest.mark.parametrize(
    "reply",
    [
        "Answer: 1",
        "It is clear.\nAnswer: 999999",
        "2 + 2 = 5\nAnswer: {right}",
        "Answer: {right}",
        "no idea",
        "",
        "and so on\n" * 13 + "Answer: {right}",
        "12\n- 654\n= 333\nAnswer: {right}",
    ],
    ids=[
        *("wrong", "wrong too", "a false step", "no step", "no answer", "nothing", "endless"),
        "a column",
    ],
)
def test_an_answer_that_fails_a_check_mends_nothing(reply):
    def answer(prompt):
        right = sum(map(int, re.findall(r"\d+", prompt.text)[:2]))
        return reply.replace("{right}", str(right))

    items = taught(Writer(wrong, answer=answer), settings=Writing(requests_cap=1.0))

    assert len(items) == 8
    assert all(i.is_flagged for i in items)


def test_a_question_that_is_no_good_is_not_asked_for_another_solution():
    teacher = Writer(wrong, answer=solved)
    probes = {question_key(item.question) for item in taught(Writer(wrong, answer=solved))}
    [item, *_] = taught(teacher, probes=probes, settings=Writing(requests_cap=1.0))

    assert not is_mendable(item)
    assert not any(item.question in prompt.text for prompt in teacher.asked)


def test_it_can_be_switched_off():
    teacher = Writer(wrong, answer=solved)

    items = taught(teacher, settings=Writing(mends=False))

    assert all(i.is_flagged for i in items)
    assert teacher.asked == teacher.requests
