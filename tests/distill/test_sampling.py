"""The bound on what was not looked at: against counting every sample there is."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.sampling import is_shown, most_bad, needed, share_at_most


def chance_of_at_most(bad, n, population, total):
    """P(at most `bad` of n are bad), by whole numbers."""
    ways = sum(
        comb(total, k) * comb(population - total, n - k) for k in range(bad + 1) if k <= total
    )
    return ways / comb(population, n)


def by_counting(bad, n, population):
    rest = population - n
    return max(
        more
        for more in range(rest + 1)
        if more == 0 or chance_of_at_most(bad, n, population, bad + more) > 0.05 + 1e-12
    )


@pytest.mark.parametrize("population", [1, 2, 7, 20])
def test_the_bound_is_what_counting_gives(population):
    for n in range(1, population + 1):
        for bad in range(n + 1):
            assert most_bad(bad, n, population) == by_counting(bad, n, population)


@pytest.mark.parametrize("total", [0, 1, 2, 4, 8, 12])
def test_of_all_samples_there_are_one_in_twenty_at_most_has_a_bound_that_is_too_small(total):
    population, n = 12, 5
    is_bad = [i < total for i in range(population)]
    wrong = 0
    for drawn in combinations(range(population), n):
        bad = sum(is_bad[i] for i in drawn)
        wrong += most_bad(bad, n, population) < total - bad
    assert wrong / comb(population, n) <= 0.05


@given(st.integers(1, 400), st.data())
def test_more_bad_ones_mean_more_in_all_and_a_larger_sample_never_means_more(population, data):
    n = data.draw(st.integers(1, population))
    bad = data.draw(st.integers(0, n))

    bound = most_bad(bad, n, population)

    assert 0 <= bound <= population - n
    assert n == population or most_bad(bad, n + 1, population) <= bound
    assert bad == n or bad + bound <= bad + 1 + most_bad(bad + 1, n, population)


def test_the_sentence_of_the_manual_is_true():
    assert most_bad(0, 60, 1200) == 56  # 4.9 % of the 1,140 others
    assert needed(1200, 0.05) == 59
    assert needed(10**6, 0.05) == 59  # the rule of thumb, log(0.05) / log(0.95)


@pytest.mark.parametrize("population", [2, 9, 40, 110])
@pytest.mark.parametrize("tolerance", [0.0, 0.01, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_the_plan_is_the_smallest_sample_that_would_do(population, tolerance, bad):
    def would_do(n):
        return is_shown(share_at_most(most_bad(bad, n, population), population - n), tolerance)

    sizes = [n for n in range(max(1, bad), population) if would_do(n)]

    assert needed(population, tolerance, bad=bad) == (sizes[0] if sizes else None)


def test_the_plan_for_a_sample_larger_than_is_tried_in_one_go_is_right_too():
    n = needed(20_000, 0.002)

    assert n > 1000
    assert most_bad(0, n, 20_000) / (20_000 - n) <= 0.002
    assert most_bad(0, n - 40, 20_000) / (20_000 - n + 40) > 0.002


@pytest.mark.parametrize(("bad", "n", "population"), [(-1, 5, 9), (6, 5, 9), (0, 10, 9), (0, 0, 9)])
def test_numbers_that_cannot_be_are_refused(bad, n, population):
    with pytest.raises(ValueError, match="n has to be positive"):
        most_bad(bad, n, population)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_or_tolerance_that_is_no_share_is_refused(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        most_bad(0, 5, 9, confidence)
    with pytest.raises(ValueError, match="a share"):
        needed(9, 5.0)


def test_nothing_is_left_to_be_bad_when_all_were_drawn():
    assert most_bad(3, 9, 9) == 0
    assert needed(1, 0.05) is None
    assert share_at_most(0, 0) == 0.0


@pytest.mark.slow
def test_the_bound_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(5)
    population, n = 1200, 60
    for total in (12, 48, 60, 120):
        bad = draw.hypergeometric(total, population - total, n, size=3000)
        bound = {int(b): most_bad(int(b), n, population) for b in set(bad.tolist())}
        covered = sum(bound[int(b)] >= total - b for b in bad)
        assert covered / 3000 >= 0.94
