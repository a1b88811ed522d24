"""Is what was mastered still there? Every gate asks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from distill.settings import Thresholds
from distill.statistics import is_over, mean_interval, normal_quantile
from distill.verdicts import Retention, RetentionVerdict


def judge_retention(
    skill: str,
    grades: Sequence[float],
    was: float,
    was_n: int,
    thresholds: Thresholds,
    *,
    is_exhaustive: bool = False,
    was_exhaustive: bool = False,
) -> RetentionVerdict:
    """Whether a mastered skill is kept, forgotten, or wants more probes.

    Args:
        grades: (N,) grades of the student now, in 0..1, on N different gate probes.
        was, was_n: mean grade when it was mastered, in 0..1, and on how many probes.
        is_exhaustive: `grades` are of all the questions there are: their mean is no estimate.
        was_exhaustive: so was what it was; where both are, the means decide alone.

    Returns:
        *Kept* when the mean now is at least `thresholds.retention` of what it was; *forgotten*
        when it is lower and chance is no excuse (one-sided 5 % test of the difference); else
        *unclear*: chance would explain it. Where no more probes are to be had it stays unclear,
        which people see and which does not block. Pure.

    Ours: the paper does not test it. The test is the usual one of
    now − retention·was with both means' sampling errors.
    """
    mean, low, high = mean_interval(grades)
    n = len(grades)
    if is_exhaustive and n:
        low = high = mean
    floor = thresholds.retention * was
    if n == 0:
        answer = Retention.UNCLEAR
    elif not is_over(floor, mean):
        answer = Retention.KEPT
    elif is_exhaustive and was_exhaustive:
        answer = Retention.FORGOTTEN
    else:
        # variances of shares; half a success is added so that 0 and 1 keep some doubt
        error = math.sqrt(_variance(mean, n) + thresholds.retention**2 * _variance(was, was_n))
        is_sure = floor - mean > normal_quantile(0.95) * error
        answer = Retention.FORGOTTEN if is_sure else Retention.UNCLEAR
    return RetentionVerdict(skill, answer, was, mean, low, high, n)


def _variance(mean: float, n: int) -> float:
    p = (mean * n + 0.5) / (n + 1)
    return p * (1 - p) / (n + 1)
