"""Kinds of wrong answers: each slip gets its name, and nothing breaks the naming."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from distill import domains
from distill.grading import grade
from distill.identifier.error_types import SENTENCES, ErrorType, classify, group_errors
from distill.records import Answer, Probe, Split

TWO_DIGITS = st.integers(10, 99)
ONE_DIGIT = st.integers(2, 9)


@st.composite
def two_numbers(draw, *, borrows):
    """a > b of two digits whose ones do, or do not, have to borrow."""
    tens_b = draw(st.integers(1, 8))
    tens_a = draw(st.integers(tens_b + 1, 9))
    low, high = sorted(draw(st.lists(st.integers(0, 9), min_size=2, max_size=2, unique=True)))
    ones_a, ones_b = (low, high) if borrows else (high, low)
    return 10 * tens_a + ones_a, 10 * tens_b + ones_b


WORDS = st.lists(
    st.sampled_from(["ant", "bat", "cow", "dog", "eel", "fox"]), min_size=3, unique=True
)


def number(question, reference, answer):
    return classify(question, str(reference), answer, "number")


# --- columns -------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(TWO_DIGITS, TWO_DIGITS, st.sampled_from(["Answer: {}", "{}", "That makes {}."]))
def test_a_sum_without_its_carry_is_a_carry_left_out(a, b, form):
    assume(a % 10 + b % 10 > 9)
    dropped = (a // 10 + b // 10) * 10 + (a + b) % 10

    found = number(f"What is {a} + {b}?", a + b, form.format(dropped))

    assert found is ErrorType.NO_CARRY


@settings(max_examples=40, deadline=None)
@given(st.integers(100, 999), st.integers(100, 999))
def test_any_carry_that_is_left_out_of_a_longer_sum_is_found(a, b):
    assume(a % 10 + b % 10 > 9)
    ones = (a + b) % 10
    rest = a // 10 + b // 10

    assert number(f"What is {a} + {b}?", a + b, f"{rest}{ones}") is ErrorType.NO_CARRY


@settings(max_examples=40, deadline=None)
@given(TWO_DIGITS, ONE_DIGIT)
def test_a_product_without_its_carry_is_a_carry_left_out(a, b):
    assume(a % 10 * b > 9)
    dropped = a // 10 * b * 10 + a * b % 10

    assert number(f"What is {a} * {b}?", a * b, f"Answer: {dropped}") is ErrorType.NO_CARRY


@settings(max_examples=40, deadline=None)
@given(two_numbers(borrows=True))
def test_a_column_turned_around_is_a_borrow_missed(numbers):
    a, b = numbers
    turned = (a // 10 - b // 10) * 10 + (b % 10 - a % 10)

    assert number(f"What is {a} - {b}?", a - b, f"Answer: {turned}") is ErrorType.BORROW_MISSED


@settings(max_examples=40, deadline=None)
@given(two_numbers(borrows=True))
def test_a_borrow_that_is_not_paid_back_is_a_borrow_missed(numbers):
    a, b = numbers

    assert number(f"What is {a} - {b}?", a - b, str(a - b + 10)) is ErrorType.BORROW_MISSED


@settings(max_examples=40, deadline=None)
@given(two_numbers(borrows=False))
def test_a_borrow_where_there_is_none_is_needless(numbers):
    a, b = numbers
    assume(a - b >= 10 and a - b - 10 != b)

    assert number(f"What is {a} - {b}?", a - b, str(a - b - 10)) is ErrorType.NEEDLESS_CARRY


def test_a_carry_left_out_of_a_story_is_found_as_well():
    story = "Tom has 47 pens. Tom gets 38 more. How many pens does Tom have now?"

    assert number(story, 85, "Tom has 75 pens.") is ErrorType.NO_CARRY


# --- numbers -------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from([-1, 1]))
def test_one_too_many_or_too_few_is_off_by_one(a, b, off):
    assume(a + b + off >= 0)

    assert number(f"What is {a} + {b}?", a + b, f"Answer: {a + b + off}") is ErrorType.OFF_BY_ONE


@settings(max_examples=40, deadline=None)
@given(TWO_DIGITS, TWO_DIGITS)
def test_a_difference_for_a_sum_is_a_wrong_operation(a, b):
    assume(abs(a - b) not in (a, b))

    assert number(f"What is {a} + {b}?", a + b, str(abs(a - b))) is ErrorType.WRONG_OPERATION


@pytest.mark.parametrize(
    ("question", "reference", "answer", "expected"),
    [
        ("What is 2 + 3 * 4?", "14", "20", ErrorType.WRONG_OPERATION),
        ("If 4 * x + 3 = 35, what is x?", "8", "Answer: 32", ErrorType.STEP_MISSING),
        ("Ann has 6 bags with 7 pens each. Ann gets 5 more.", "47", "42", ErrorType.STEP_MISSING),
        ("What is 47 + 38?", "85", "Answer: 58", ErrorType.REVERSED),
        ("Which number is the largest: 12, 50, 31?", "50", "31", ErrorType.COPIED),
        ("What is 47 + 38?", "85", "Answer: 4000", ErrorType.FAR_OFF),
        ("What is 47 + 38?", "85", "Answer: 82", ErrorType.OTHER),
        ("What is 47 + 38?", "85", "  \n", ErrorType.EMPTY),
        ("What is 47 + 38?", "85", "I do not know.", ErrorType.NO_ANSWER),
        ("What is 47 + 38?", "85", "<think> 47 + 38 = 85", ErrorType.NO_ANSWER),
        ("What is 47 + 38?", "85", "47 + 38 = 85\nAnswer: see above", ErrorType.FORMAT),
        ("What is 47 + 38?", "85", "It is 85, as 47 + 38.", ErrorType.FORMAT),
        ("What is 47 + 38?", "85", "Answer: 85 (8 tens, 5 ones)", ErrorType.FORMAT),
        ("What is 1,000 - 1?", "999", "1,001", ErrorType.WRONG_OPERATION),
    ],
)
def test_a_wrong_number_gets_its_name(question, reference, answer, expected):
    assert number(question, reference, answer) is expected


# --- words and lists -----------------------------------------------------------------------


def joined(words):
    return ", ".join(words)


@settings(max_examples=40, deadline=None)
@given(WORDS, st.data())
def test_a_list_with_a_word_left_out_is_missing_it(words, data):
    kept = list(words[::-1])
    kept.pop(data.draw(st.integers(0, len(kept) - 1)))

    found = classify(
        f"Reverse this list: {joined(words)}.", joined(words[::-1]), joined(kept), "exact"
    )

    assert found is ErrorType.MISSING_ELEMENT


@settings(max_examples=40, deadline=None)
@given(WORDS)
def test_the_words_in_another_order_are_in_a_wrong_order_or_copied(words):
    turned = words[1:] + words[:1]
    question, reference = f"Reverse this list: {joined(words)}.", joined(words[::-1])

    assert classify(question, reference, joined(turned), "exact") is ErrorType.WRONG_ORDER
    assert classify(question, reference, joined(words), "exact") is ErrorType.COPIED


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Answer: 3, 8, 8, 40", ErrorType.EXTRA_ELEMENT),
        ("3 8 40", ErrorType.FORMAT),
        ("3, 8 and 40", ErrorType.FORMAT),
        ("Sorted: 3, 8, 40", ErrorType.FORMAT),
        ("3, 8, 41", ErrorType.WRONG_ELEMENT),
        ("1, 2, 5", ErrorType.FAR_OFF),
        ("...", ErrorType.NO_ANSWER),
    ],
)
def test_a_wrong_list_gets_its_name(answer, expected):
    assert classify("Sort: 40, 3, 8.", "3, 8, 40", answer, "exact") is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("frog", ErrorType.COPIED),
        ("gorf is it", ErrorType.FORMAT),
        ("gofr", ErrorType.WRONG_ORDER),
        ("gor", ErrorType.MISSING_ELEMENT),
        ("gorff", ErrorType.EXTRA_ELEMENT),
        ("gorb", ErrorType.WRONG_ELEMENT),
        ("hello there", ErrorType.FAR_OFF),
    ],
)
def test_a_word_is_compared_by_its_letters(answer, expected):
    assert classify('Spell the word "frog" backwards.', "gorf", answer, "exact") is expected


def test_other_graders_are_compared_as_numbers_where_both_are_and_are_else_other():
    assert classify("2 + 2?", "4", "5", "math") is ErrorType.OFF_BY_ONE
    assert classify("Which one?", "B", "C", "choice") is ErrorType.OTHER
    assert classify("Which one?", "B", "", "choice") is ErrorType.EMPTY


# --- all of them ---------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.text(max_size=80),
    st.text(max_size=20),
    st.text(max_size=80),
    st.sampled_from(["exact", "number", "math"]),
)
@example("What is 1 + 1?", "2", "9" * 100_000, "number")
@example("(" * 5000 + "1 + 1", "2", "3", "number")
@example("What is 9" + " + 9" * 3000 + "?", "2", "3", "number")
@example("Sort: 1, 2.", "1, 2", "1, " * 40_000, "exact")
def test_no_answer_breaks_the_naming(question, reference, answer, grader):
    assert classify(question, reference, answer, grader) in SENTENCES


def test_a_right_answer_of_another_probe_is_never_called_a_slip_that_it_is_not():
    domain = domains.load("foundations")
    for skill in ("A1", "A3", "B3", "M2", "W2"):
        for probe in domain.probes(skill, Split.DIAGNOSE, 20, seed=3):
            wrong = f"Answer: {int(probe.reference) + 1}"

            assert grade(probe, wrong)[0] == 0.0
            assert classify(probe.question, probe.reference, wrong, probe.grader) in (
                ErrorType.OFF_BY_ONE,
                ErrorType.FORMAT,
            )


def probe_of(reference="85"):
    return Probe("p", "A3", Split.DIAGNOSE, "What is 47 + 38?", reference, "number")


def test_groups_count_every_wrong_answer_and_keep_three_examples():
    texts = ["75"] * 5 + ["86", "84"] + ["85"]
    answered = [(probe_of(), Answer("p", t, float(t == "85"))) for t in texts]

    groups = group_errors(answered)

    assert [(g.type, g.n, len(g.examples)) for g in groups] == [
        (ErrorType.NO_CARRY, 5, 3),
        (ErrorType.OFF_BY_ONE, 2, 2),
    ]
    assert groups[0].sentence == "Leaves out a carry."


def test_an_answer_its_grader_failed_on_is_a_group_of_its_own():
    groups = group_errors([(probe_of(), Answer("p", "85", 0.0, error="It failed."))])

    assert [g.type for g in groups] == [ErrorType.GRADER_FAILED]


@pytest.mark.parametrize("said", ["1" * 60 + "^99", "9" * 5000, "1e999", "1" * 60])
def test_answers_of_more_digits_than_python_writes_are_grouped_too(said):
    [group] = group_errors([(probe_of(), Answer("p", f"Answer: {said}", 0.0))])

    assert group.n == 1


def test_examples_of_long_answers_are_cut():
    [group] = group_errors([(probe_of(), Answer("p", "no " * 40_000, 0.0))])

    assert len(group.examples[0].answer) == 300


def test_every_type_has_its_sentence():
    assert set(SENTENCES) == set(ErrorType)
