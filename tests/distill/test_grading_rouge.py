from __future__ import annotations

import time

import pytest

from distill import grading
from distill.records import Probe, Split


def graded(reference, text):
    return grading.grade(Probe("k", "s", Split.FINAL, "q", reference, "rouge"), text)


def test_the_same_words_are_worth_one_and_others_nothing():
    assert graded("The cat sat.", "the CAT sat") == (1.0, "")
    assert graded("The cat sat.", "Answer: The cat sat.") == (1.0, "")
    assert graded("The cat sat.", "Dogs ran away") == (0.0, "")
    assert graded("The cat sat.", "") == (0.0, "")


def test_it_is_the_f_measure_of_the_longest_common_subsequence():
    value, error = graded("one two three four", "one three five")

    assert error == ""
    assert value == pytest.approx(2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3))


def test_words_are_stemmed():
    assert graded("running jumps", "run jumping")[0] == 1.0


@pytest.mark.slow
def test_long_texts_cost_little():
    long = "a b c d " * 25_000
    graded("a", "a")
    started = time.process_time()

    assert graded(long, long) == (1.0, "")
    assert time.process_time() - started < 10


def test_a_reference_without_words_is_an_error():
    assert "the reference has no words" in graded("…", "x")[1]
