from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill import grading
from distill.errors import UnknownGrader
from distill.records import Probe, Split


def graded(grader, reference, text):
    return grading.grade(Probe("k", "s", Split.GATE, "q", reference, grader), text)


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("85", "85"),
        ("85", "85."),
        ("85", "Answer: 85"),
        ("85", "7 + 8 = 15, carry 1. 4 + 3 = 7, 7 + 1 = 8. Answer: 85"),
        ("85", "**Answer:** 85 apples"),
        ("85", "ANSWER : $85.00"),
        ("85", "Answer: 3. No! Answer: 85\nThank you 2"),
        ("85", "It is 47 + 38 = 85, I think"),
        ("85", "Answer:\n\n 85"),
        ("1234", "1,234"),
        ("1,234.5", "1234.50"),
        ("-5", "x = -5"),
        ("-5", "−5"),
        ("-12", "-$12"),
        ("-12", "$-12"),
        ("5", "that is 34 - 5"),
        ("-5", "Answer: –5"),
        ("5", "pages 3–5"),
        ("3.5", "Answer: 3 1/2"),
        ("-3.5", "-3 1/2"),
        ("0.5", "17/34, that is 34 1/2 at first, so 1/2"),
        ("3/4", "2/3 3/4"),
        ("5", "34-5"),
        ("5", "- 5"),
        ("0.75", "3/4"),
        ("3/4", "Answer: .75"),
        ("3", "1,2,3"),
        ("85", "<think>is it 3? Answer: 3</think>85"),
        ("85", "is it 3?</think> 85"),
        ("12", "12 cm^2"),
        ("12", "12 m2"),
        ("12", r"$12 \text{ m}^{2}$"),
        ("12", "Answer: USD12"),
        ("150", "1.5e2"),
        ("100", "10^2"),
        ("0.5", r"\frac{1}{2}"),
        ("3.5", r"3\frac{1}{2}"),
        ("4", "12 / 3"),
        ("2", "2 of H2O"),
        ("8", "答案是8"),
    ],
)
def test_the_same_number_is_right_however_it_is_written(reference, text):
    assert graded("number", reference, text) == (1.0, "")


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("85", ""),
        ("85", "eighty-five"),
        ("85", "850"),
        ("85", "8.5"),
        ("85", "185"),
        ("85", "-85"),
        ("85", "85 or 86"),
        ("85", "85. Answer: 86"),
        ("85", "85. Answer:"),
        ("85", "<think>85"),
        ("85", "Answer: 85 <think>wait"),
        ("3", "3/0"),
        ("0.5", "Answer: 3 1/2"),
        ("5", "Answer: –5"),
        ("11", "1"),
        ("1", "11"),
        ("6", "1e6"),
        ("2", "10^2"),
        ("2", "12 cm^2"),
        ("2", r"\frac{1}{2}"),
        ("1", "3 = x_1"),
    ],
)
def test_another_number_is_wrong(reference, text):
    assert graded("number", reference, text) == (0.0, "")


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("tac", "c-a-t reversed: t-a-c. Answer: tac"),
        ("tac", "TAC."),
        ("tac", 'Answer: "tac".'),
        ("tac", "Let me see.\nt-a-c\n tac \n"),
        ("sun, dog, cat", "Answer: sun,dog ,  cat"),
        ("sun, dog, cat", "[Sun, Dog, Cat]"),
        ("1, 19, 22", "Answer: 1, 19, 22."),
    ],
)
def test_the_same_words_are_right_whatever_case_and_spacing(reference, text):
    assert graded("exact", reference, text) == (1.0, "")


@pytest.mark.parametrize(
    ("reference", "text", "is_right"),
    [
        ("] > )", "Answer: ] > )", True),
        ("] > )", "]>)", True),
        ("] > )", "Answer: `] > )`", True),
        ("] > )", ">", False),
        ("}", "Answer: }", True),
        ("}", "Answer: )", False),
        ("}", "", False),
    ],
)
def test_where_punctuation_is_the_answer_it_counts(reference, text, is_right):
    assert graded("exact", reference, text) == (float(is_right), "")


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("tac", "cat"),
        ("tac", "ta"),
        ("tac", "tacs"),
        ("tac", ""),
        ("tac", "Answer: tac or cat"),
        ("sun, dog", "dog, sun"),
        ("sun, dog", "sun dog"),
        ("1, 19", "1, 1, 19"),
    ],
)
def test_other_words_are_wrong_and_a_part_earns_nothing(reference, text):
    assert graded("exact", reference, text) == (0.0, "")


@given(st.integers(-(10**12), 10**12))
def test_any_whole_number_is_found_with_and_without_separators(n):
    assert graded("number", str(n), f"So the sum is {n:,}.") == (1.0, "")
    assert graded("number", str(n), f"Answer: {n}\nGood.") == (1.0, "")
    assert graded("number", str(n), f"Answer: {n + 1}") == (0.0, "")


@pytest.mark.slow
@settings(deadline=None)  # `math` starts a process when it is first needed
@given(st.sampled_from(sorted(grading.GRADERS)), st.text(), st.text())
def test_grading_never_raises_and_stays_between_nought_and_one(grader, reference, text):
    value, error = graded(grader, reference, text)

    assert 0.0 <= value <= 1.0
    assert value == 0.0 or not error


@pytest.mark.slow
@pytest.mark.parametrize("grader", sorted(grading.GRADERS))
@pytest.mark.parametrize(
    "piece",
    ["9", "-", " ", "1,", "<think>", "</think>", "answer:", "answer ", "a\n", "(", "answer*_", "/"],
)
def test_a_reply_of_100_kb_is_graded_at_once(grader, piece):
    graded(grader, "85", "Answer: 8 + 5")  # what is loaded or started when first needed
    started = time.process_time()

    value, _ = graded(grader, "85", piece * (100_000 // len(piece)))

    assert value == 0.0
    assert time.process_time() - started < 0.5


def test_only_the_end_of_a_long_reply_is_read():
    assert graded("number", "85", "Answer: 3 " * 10_000 + "Answer: 85") == (1.0, "")
    assert graded("exact", "tac", "Answer: tac\n" + "and so on\n" * 10_000) == (0.0, "")


class Broken:
    id = "broken"
    version = 1

    def __init__(self, result):
        self.result = result

    def grade(self, reference, text):
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (KeyError("x"), "The grader “broken” failed: KeyError: 'x'."),
        (2.0, "The grader “broken” gave 2.0, which is not in 0..1."),
        (float("nan"), "The grader “broken” gave nan, which is not in 0..1."),
        ("much", "The grader “broken” failed: ValueError: "),
    ],
)
def test_a_grader_that_fails_grades_nought_and_says_why(result, sentence):
    probe = Probe("k", "s", Split.GATE, "q", "85", "broken")

    value, error = grading.grade(probe, "85", graders={"broken": Broken(result)})

    assert value == 0.0
    assert error.startswith(sentence)


def test_a_reference_without_a_number_is_counted_as_an_error():
    assert graded("number", "many", "85") == (
        0.0,
        "The grader “number” failed: ValueError: the reference “many” has no number.",
    )


def test_graders_have_versions_and_unknown_ones_are_refused():
    assert grading.version_of("number") == "number@3"
    assert grading.version_of("exact") == "exact@3"
    with pytest.raises(
        UnknownGrader, match="no grader “vibes”. Known graders: choice, code, exact"
    ):
        grading.version_of("vibes")
    assert graded("vibes", "1", "1")[0] == 0.0
    assert "no grader “vibes”" in graded("vibes", "1", "1")[1]


@pytest.mark.parametrize(
    ("reference", "text", "grade"),
    [
        ("[0, 1]", "(0, 1)", 0.0),
        ("[0, 1)", "Answer: [0,1).", 1.0),
        ("[0, 1)", "[0, 1]", 0.0),
        ("[0, 1]", "0, 1", 1.0),
        ("0, 1", "(0, 1)", 1.0),
        (".5", "5", 0.0),
        (".5", "Answer: .5.", 1.0),
        ("5", ".5", 0.0),
        ("5", "... 5.", 1.0),
        ("ann", "“Ann.”", 1.0),
        ("ann (the tall)", "Ann (the tall)", 1.0),
    ],
)
def test_brackets_that_mean_something_and_a_point_before_a_digit_count(reference, text, grade):
    assert graded("exact", reference, text) == (grade, "")
