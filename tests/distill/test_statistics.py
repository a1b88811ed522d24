"""Intervals: the same as the books', and as often right as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from distill.statistics import (
    Interval,
    difference_interval,
    interval_of_mean,
    mean_interval,
    ratio_interval,
)


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (13, 20), (57, 64)])
def test_the_interval_of_right_or_wrong_grades_is_wilsons(right, n):
    mean, low, high = mean_interval([1.0] * right + [0.0] * (n - right))

    expected = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert mean == right / n
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_nothing_is_known_of_no_grades():
    assert mean_interval([]) == (0.0, 0.0, 1.0)


def test_one_share_says_nothing_of_its_spread():
    assert mean_interval([0.4]) == (0.4, 0.0, 1.0)


def test_the_interval_of_shares_is_students_and_stays_within_0_and_1():
    mean, low, high = mean_interval([0.2, 0.4, 0.6])

    assert mean == pytest.approx(0.4)
    assert (low, high) == pytest.approx((0.0, 0.4 + 4.302653 * 0.2 / math.sqrt(3)))
    assert mean_interval([0.9, 1.0, 0.95, 1.0])[2] == 1.0


def test_shares_that_happen_to_be_alike_are_not_known_exactly():
    mean, low, high = mean_interval([0.5, 0.5])
    many = mean_interval([0.5] * 64)

    assert mean == 0.5
    assert (low, high) == pytest.approx((0.171, 0.829), abs=0.001)
    assert many == pytest.approx((0.5, 0.4717, 0.5283), abs=0.0001)
    assert mean_interval([0.5] * 63 + [0.5001])[1:] == pytest.approx(many[1:], abs=0.0001)


def test_the_least_width_of_shares_is_the_width_where_all_are_right_or_all_wrong():
    for end in (0.0, 1.0):
        almost = mean_interval([abs(end - 1e-9)] * 20)

        assert almost == pytest.approx(mean_interval([end] * 20), abs=1e-6)


def test_a_ratio_of_shares_that_go_together_is_not_known_exactly():
    two = ratio_interval([0.3, 0.6], [0.3, 0.6])
    many = ratio_interval([0.3, 0.6] * 32, [0.6, 1.0] * 32)

    assert (two.low, two.high) == pytest.approx((0.342, 2.921), abs=0.001)
    assert (many.low, many.high) == pytest.approx((0.5625 * 0.9434, 0.5625 / 0.9434), abs=0.002)
    assert ratio_interval([0.5] * 64, [1.0] * 64).low == mean_interval([0.5] * 64)[1]


def test_a_perfect_teacher_makes_the_ratio_the_students_mean():
    student = [1.0] * 50 + [0.0] * 14

    ratio = ratio_interval(student, [1.0] * 64)

    assert (ratio.low, ratio.high) == pytest.approx(mean_interval(student)[1:])


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        ([1.0] * 20, [1.0] * 20),
        ([0.0] * 20, [1.0] * 20),
        ([1.0] * 20, [0.0] * 20),
        ([0.0] * 20, [0.0] * 20),
        ([0.0] * 20, [1.0] * 10 + [0.0] * 10),
        ([1.0], [1.0]),
        ([0.0], [1.0]),
        ([1.0], [0.0]),
        ([0.0], [0.0]),
        ([0.5], [1.0]),
        ([0.5], [0.5]),
        ([0.0, 0.0], [0.5, 0.7]),
        ([0.5, 0.7], [0.0, 0.0]),
        ([0.2, 0.9, 0.4], [0.9, 0.8, 1.0]),
    ],
)
def test_an_interval_holds_the_ratio_it_is_for_even_at_the_edges(student, teacher):
    ratio = ratio_interval(student, teacher)

    assert 0.0 <= ratio.low <= ratio.high
    if sum(teacher):
        assert ratio.low - 1e-12 <= sum(student) / sum(teacher) <= ratio.high + 1e-12


def test_pairs_that_both_failed_change_nothing():
    student, teacher = [1.0] * 12 + [0.0] * 8, [1.0] * 16 + [0.0] * 4

    assert ratio_interval(student, teacher) == ratio_interval(
        [*student, *[0.0] * 30], [*teacher, *[0.0] * 30]
    )


@pytest.mark.parametrize(("student", "teacher"), [([], []), ([1.0], [1.0, 0.0])])
def test_grades_that_are_not_paired_are_refused(student, teacher):
    with pytest.raises(ValueError, match="same, positive number"):
        ratio_interval(student, teacher)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("p_teacher", "p_student", "n"),
    [(1.0, 0.5, 64), (1.0, 0.9, 192), (0.9, 0.6, 64), (0.8, 0.7, 96), (0.7, 0.2, 192)],
)
def test_the_interval_of_right_or_wrong_grades_covers_the_truth_as_often_as_it_says(
    p_teacher, p_student, n
):
    draw = np.random.default_rng(7)
    cache: dict[tuple[int, ...], bool] = {}
    covered = 0
    for _ in range(2000):
        teacher = (draw.random(n) < p_teacher).astype(float)
        # half of the student's luck is the teacher's: a hard question is hard for both
        shared = draw.random(n) < 0.3
        own = np.where(p_teacher < 1, p_student / p_teacher, p_student)
        student = np.where(
            shared & (p_teacher < 1), teacher * (draw.random(n) < own), draw.random(n) < p_student
        ).astype(float)
        counts = (int(student @ teacher), int(student.sum()), int(teacher.sum()))
        if counts not in cache:
            ratio = ratio_interval(student.tolist(), teacher.tolist())
            cache[counts] = ratio.low <= p_student / p_teacher <= ratio.high
        covered += cache[counts]
    assert 0.93 <= covered / 2000 <= 0.97


@pytest.mark.slow
def test_the_interval_of_shares_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(11)
    covered = 0
    for _ in range(2000):
        teacher = draw.beta(8, 2, 96)  # mean 0.8
        student = teacher * draw.beta(6, 4, 96)  # mean 0.48
        ratio = ratio_interval(student.tolist(), teacher.tolist())
        covered += ratio.low <= 0.6 <= ratio.high
    assert 0.93 <= covered / 2000 <= 0.97


def test_the_interval_of_a_mean_is_that_of_its_only_part_and_narrower_of_several():
    part = (0.8, Interval(0.6, 0.9))

    one, four = interval_of_mean([part]), interval_of_mean([part] * 4)

    assert (one.low, one.high) == pytest.approx((0.6, 0.9))
    assert (four.low, four.high) == pytest.approx((0.7, 0.85))  # as lopsided
    assert interval_of_mean([]) == Interval(0.0, math.inf)
    assert interval_of_mean([part, (1.0, Interval(1.0, math.inf))]).high == math.inf


@pytest.mark.parametrize(
    ("truth", "least"),
    [((0.5,) * 6, 0.93), ((0.98, 0.9, 0.7, 0.95, 0.6, 0.99), 0.93), ((0.99,) * 4, 0.89)],
)
def test_the_interval_of_a_mean_covers_the_truth_as_often_as_it_says(truth, least):
    n = 64
    by_right = []
    for right in range(n + 1):
        mean, low, high = mean_interval([1.0] * right + [0.0] * (n - right))
        by_right.append((mean, Interval(low, high)))
    drawn = np.random.default_rng(5).binomial(n, truth, size=(4000, len(truth)))

    intervals = [interval_of_mean([by_right[right] for right in row]) for row in drawn]
    covered = np.mean([each.low <= np.mean(truth) <= each.high for each in intervals])

    assert least <= covered <= 0.985


def _of(right, n):
    mean, low, high = mean_interval([1.0] * right + [0.0] * (n - right))
    return mean, Interval(low, high)


@pytest.mark.parametrize(
    ("one", "other", "expected"),  # Newcombe 1998, table II, method 10
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(one, other, expected):
    found = difference_interval(*_of(*one), *_of(*other))
    turned = difference_interval(*_of(*other), *_of(*one))

    assert (found.low, found.high) == pytest.approx(expected, abs=0.0001)
    assert (-turned.high, -turned.low) == pytest.approx((found.low, found.high))
