from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill import grading
from distill.grading.choice import claimed_letters
from distill.records import Probe, Split


def graded(reference, text):
    return grading.grade(Probe("k", "s", Split.FINAL, "q", reference, "choice"), text)


@pytest.mark.parametrize(
    "text",
    [
        "B",
        "B.",
        "(B)",
        "(b)",
        "B) 0.60c",
        "B: because it is lighter",
        "(B) 0.60c",
        "**B**",
        "Answer: B",
        "Answer: (B) 0.60c",
        "**Answer:** B",
        "The answer is B",
        "The answer is (B).",
        "The correct answer is **B**, since it is lighter.",
        "the correct option is B",
        "So the correct choice is option B.",
        "(A) is too slow and (C) too fast. Therefore the answer is (B).",
        "A is wrong. C is wrong too. The answer is B because nothing else is left.",
        "I think (B) is correct.",
        "(B) is the correct answer. (A) is not.",
        "We find \\boxed{B}.",
        "We find \\boxed{\\text{B}}",
        "Let us see.\nIt moves.\nB",
        "It is (B), no doubt.",
        "The answer is (B). The answer is (B).",
        "Option B",
        "The answer is not (A). The answer is (B).",
        "<think>The answer is A</think>B",
        "Answer: b",
        "Answer: b) 12",
        "Answer: **b)** 12",
        "Answer: b)",
        "Answer: \\text{B}",
        "We find \\boxed{\\mathrm{B}}",
        "Let me check if the answer is A. No.\nAnswer: B",
        "Vitamin A is the best source, so Answer: B",
    ],
)
def test_the_letter_is_found_in_the_usual_phrasings(text):
    assert graded("(B)", text) == (1.0, "")
    assert graded("B", text) == (1.0, "")
    assert graded("C", text) == (0.0, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The answer is (A) or (B).",
        "Answer: A or B",
        "Answer: B/A",
        "The answer is either A or B",
        "The answer is (A). No, the answer is (B).",
        "(A) is correct. (B) is correct.",
        "It is (A) or perhaps (B)",
        "A\nso it is\nB",
        "B" * 50,
        "Both are right",
        "Answer: Bees",
        "Answer: a) 12 or b) 13",
        "Answer: 12 (see b) 13)",
        "the answer is a banana",
        "Answer: nothing here. (B) might be",
    ],
)
def test_two_letters_or_none_are_no_answer(text):
    if text.startswith("Answer: nothing"):
        assert claimed_letters(text) == {"B"}  # the only one in brackets
        return
    assert graded("B", text) == (0.0, "")
    assert graded("A", text) == (0.0, "")


@pytest.mark.parametrize("letter", "ABIZ")
@pytest.mark.parametrize(
    "words",
    [
        "The answer is {} because it is larger.",
        "The correct answer is {} since nothing else fits",
        "Answer: {} as shown above",
        "Option {} is correct",
    ],
)
def test_every_letter_is_found_alike_where_a_word_follows(letter, words):
    assert claimed_letters(words.format(letter)) == {letter}


@pytest.mark.parametrize("text", ["A rod is shorter", "I think so", "The answer is I think so"])
def test_words_of_one_letter_are_no_answer(text):
    assert claimed_letters(text) == set()


def test_a_reference_that_is_no_letter_is_an_error():
    value, error = graded("yes", "B")

    assert value == 0.0
    assert "“yes” is not one letter from A to Z" in error


@given(st.sampled_from("ABCDEFGHIJKR"), st.sampled_from("ABCDEFGHIJKR"))
def test_any_letter_is_right_for_itself_only(reference, said):
    assert graded(reference, f"The answer is ({said}).") == (float(reference == said), "")
