"""Intervals: the same as the books', and as often right as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from distill.statistics import mean_interval, ratio_interval


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
