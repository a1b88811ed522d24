"""Krippendorff's alpha: as published, and as its definition says."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.agreement import agreement, krippendorff_alpha
from distill.records import Interval


def units(*judges):
    """From a row a judge, as the paper prints it; a dot where one did not judge."""
    columns = zip(*(row.split() for row in judges), strict=True)
    return [[value for value in column if value != "."] for column in columns]


FOUR_OBSERVERS = units(
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)


@pytest.mark.parametrize(
    ("judged", "alpha"),
    [
        # Krippendorff 2011, sections A (binary), B (nominal), C (missing values)
        (units("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
        (units("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
        (FOUR_OBSERVERS, 0.743),
    ],
)
def test_alpha_is_what_krippendorff_printed(judged, alpha):
    assert krippendorff_alpha(judged) == pytest.approx(alpha, abs=0.0005)


def by_definition(judged):
    """1 - D_o / D_e over all ordered pairs of values, counted one by one."""
    judged = [unit for unit in judged if len(unit) > 1]
    values = [value for unit in judged for value in unit]
    n = len(values)
    seen = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in judged)
    chance = sum(a != b for a, b in permutations(values, 2)) / (n - 1) if n > 1 else 0
    return 1 - seen / chance if chance else None


verdicts = st.lists(st.lists(st.sampled_from("arx"), max_size=4), max_size=8)


@given(verdicts)
def test_alpha_is_its_definition_and_undefined_where_that_divides_by_nothing(judged):
    expected = by_definition(judged)

    alpha = krippendorff_alpha(judged)

    assert alpha == (None if expected is None else pytest.approx(expected))


@given(verdicts, st.randoms(use_true_random=False))
def test_neither_the_order_of_units_and_judges_nor_the_names_of_values_matter(judged, random):
    shuffled = [random.sample(unit, len(unit)) for unit in random.sample(judged, len(judged))]
    renamed = [["xra"["arx".index(value)] for value in unit] for unit in shuffled]

    assert krippendorff_alpha(renamed) == pytest.approx(krippendorff_alpha(judged))


@given(st.lists(st.tuples(st.sampled_from("ar"), st.integers(2, 4)), min_size=2))
def test_alpha_is_one_exactly_where_all_agree_on_things_that_differ(said):
    judged = [[value] * n for value, n in said]
    differ = len({value for value, _ in said}) > 1

    assert krippendorff_alpha(judged) == (1.0 if differ else None)


def test_a_unit_that_one_judge_saw_changes_nothing():
    assert krippendorff_alpha([*FOUR_OBSERVERS, ["9"], []]) == krippendorff_alpha(FOUR_OBSERVERS)


def test_the_interval_holds_alpha_says_its_n_and_comes_again_with_its_seed():
    one, again = (agreement(FOUR_OBSERVERS, seed=3) for _ in range(2))

    assert one == again
    assert (one.units, one.values) == (11, 40)
    assert one.interval.low < one.alpha < one.interval.high <= 1.0
    assert agreement(FOUR_OBSERVERS, seed=4).interval != one.interval


def test_more_units_of_the_same_kind_make_the_interval_narrower():
    few, many = agreement(FOUR_OBSERVERS, seed=1), agreement(FOUR_OBSERVERS * 9, seed=1)

    width = few.interval.high - few.interval.low
    assert many.interval.high - many.interval.low < width / 2


@pytest.mark.parametrize(
    ("judged", "why"),
    [([], "two people"), ([["a"], ["r"]], "two people"), ([["a", "a"]] * 5, "same verdict")],
)
def test_where_alpha_is_undefined_it_says_why(judged, why):
    found = agreement(judged, seed=0)

    assert (found.alpha, found.interval) == (None, None)
    assert why in found.why


def test_one_unit_has_an_alpha_and_no_interval():
    found = agreement([["a", "r"]], seed=0)

    assert (found.alpha, found.interval, found.units) == (0.0, None, 1)


def test_draws_without_a_difference_are_left_out_of_the_interval():
    found = agreement([["r", "r"], ["a", "a"]], seed=0)

    assert found.interval == Interval(1.0, 1.0)
