"""What a model says to a question, read as steps."""

from __future__ import annotations

import pytest

from distill.domains.working import read_working

ASKED = "What is 12 - 8?"
STORY = "Ann has 5 bags.\nEach holds 3 eggs.\n\nHow many eggs are there?"


@pytest.mark.parametrize(
    "reply",
    [
        "12 - 8 = 4\nAnswer: 4",
        "Question: What is 12 - 8?\nSolution: 12 - 8 = 4\nAnswer: 4",
        "question : what is 12-8 ?\nSOLUTION:\n12 - 8 = 4\nAnswer: 4",
        "**Question:** What is 12 - 8?\n\n**Solution:** 12 - 8 = 4\n**Answer:** 4",
        "What is 12 - 8?\nSolution\n12 - 8 = 4\nAnswer: 4",
        "Question:\nWhat is 12 - 8?\nSolution:\n1. 12 - 8 = 4\nAnswer: 4",
    ],
)
def test_the_question_said_again_and_labels_are_no_steps(reply):
    working = read_working(ASKED, reply)

    assert working.steps == ("12 - 8 = 4",)
    assert working.worked == "12 - 8 = 4. Answer: 4"


@pytest.mark.parametrize("label", ["", "Question: ", "question:\n"])
def test_nor_is_a_question_of_several_lines(label):
    reply = f"{label}{STORY}\nSolution: 5 * 3 = 15\nAnswer: 15"

    assert read_working(STORY, reply).steps == ("5 * 3 = 15",)


@pytest.mark.parametrize(
    "reply",
    [
        "Question: What is 15 - 8?\nSolution: 15 - 8 = 7\nAnswer: 7",
        "Question: What is 12 - 8?\nSolution:\nAnswer: 4",
        "Solution: ?\nAnswer: 4",
    ],
)
def test_what_works_out_another_question_or_nothing_is_no_working(reply):
    assert read_working(ASKED, reply) is None


def test_a_step_that_speaks_of_the_question_or_the_solution_stays():
    reply = "The question is how many are left\nThe solution of 12 - 8 = 4\nAnswer: 4"

    assert read_working(ASKED, reply).steps == (
        "The question is how many are left",
        "The solution of 12 - 8 = 4",
    )
