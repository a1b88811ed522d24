"""Intervals and tests on grades. scipy where it has them; what it lacks, with its source.

scipy.stats takes a second to import, which every command would wait for: where it alone has what
is asked for, the function that needs it imports it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

from distill.records import Interval


def normal_quantile(share: float) -> float:
    """z below which this share (0..1, ends excluded) of the standard normal lies. Pure."""
    return NormalDist().inv_cdf(share)


def is_over(value: float, bound: float) -> bool:
    """value > bound, whatever the last bits of floating point say: 1 − 0.7 is not over 0.3."""
    return value > bound + 1e-9


def in_proportion(weights: Mapping[str, float], n: int) -> dict[str, int]:
    """Largest remainders: integers in proportion to `weights` that sum to n; ties by name. Pure."""
    total = sum(weights.values())
    exact = {k: n * w / total for k, w in weights.items()}
    dealt = {k: int(v) for k, v in exact.items()}
    rest = n - sum(dealt.values())
    for k in sorted(exact, key=lambda k: (dealt[k] - exact[k], k))[:rest]:
        dealt[k] += 1
    return dict(sorted(dealt.items()))


def mean_interval(grades: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean of N grades in 0..1 and its two-sided interval, clipped to 0..1: (mean, low, high).

    Right-or-wrong grades: Wilson's score interval. Shares: Student's t, but no narrower than what
    N questions leave open: a share `_unseen` of all questions may be graded unlike any of these,
    with anything in 0..1. Where all grades are 1, or 0, that is Wilson's interval. N = 0 gives
    (0, 0, 1): nothing is known. Pure.

    Source: Wilson, "Probable Inference", JASA 1927. Ours: the least width. Grades that happen to
    be alike have a t interval of none, which would call them exact after two questions.
    """
    n = len(grades)
    if n == 0:
        return 0.0, 0.0, 1.0
    mean = sum(grades) / n
    if _is_binary(grades):
        return mean, *_wilson(round(sum(grades)), n, normal_quantile(0.5 + confidence / 2))
    if n == 1:
        return mean, 0.0, 1.0
    from scipy.stats import t

    unseen = _unseen(n, confidence)
    deviation = math.sqrt(sum((g - mean) ** 2 for g in grades) / (n - 1))
    half = float(t.ppf(0.5 + confidence / 2, n - 1)) * deviation / math.sqrt(n)
    below, above = max(half, mean * unseen), max(half, (1 - mean) * unseen)
    return mean, max(0.0, mean - below), min(1.0, mean + above)


def ratio_interval(
    student: Sequence[float], teacher: Sequence[float], confidence: float = 0.95
) -> Interval:
    """Two-sided interval of mean(student)/mean(teacher) on the same N probes, in 0..inf.

    student, teacher (N,): grades in 0..1, paired by position. Where the teacher was right on
    every probe the ratio is the student's mean and Wilson's interval is used. Right-or-wrong
    grades otherwise: Bonett and Price's hybrid interval for paired proportions. Shares: delta
    method on the logarithm, but no narrower than if in a share `_unseen` of all questions one of
    the two got nothing. Pure. Raises ValueError when the lengths differ or N = 0.

    Source: Bonett, Price, "Confidence intervals for a ratio of binomial proportions based on
    paired data", Statistics in Medicine 2006, Eq. 6. Ours: the least width, as in `mean_interval`.
    """
    if len(student) != len(teacher) or not student:
        raise ValueError("student and teacher need the same, positive number of grades")
    if all(g == 1.0 for g in teacher):
        _, low, high = mean_interval(student, confidence)
        return Interval(low, high)
    if _is_binary(student) and _is_binary(teacher):
        return _bonett_price(student, teacher, confidence)
    return _delta(student, teacher, confidence)


def interval_of_mean(estimates: Sequence[tuple[float, Interval]]) -> Interval:
    """Two-sided interval of the plain mean of independent estimates, each with its own interval.

    Of the same confidence as theirs, and as lopsided where they are; a little too narrow where
    all are near an end: 0.95 is 0.90 for four shares of 0.99 on 64 probes each. No estimate gives
    (0, inf). Pure.

    Source: Zou, Donner, "Construction of confidence limits about effect measures: a general
    approach", Statistics in Medicine 2008 (MOVER).
    """
    n = len(estimates)
    if n == 0:
        return Interval(0.0, math.inf)
    mean = sum(value for value, _ in estimates) / n
    below = math.hypot(*(max(0.0, value - interval.low) for value, interval in estimates)) / n
    above = math.hypot(*(max(0.0, interval.high - value) for value, interval in estimates)) / n
    return Interval(max(0.0, mean - below), mean + above)


def difference_interval(first: float, one: Interval, second: float, other: Interval) -> Interval:
    """Two-sided interval of first − second, two independent estimates with their intervals.

    Of the same confidence as theirs, in −1..1 for shares. Of the same questions asked of both it
    is too wide, never too narrow, where those that are hard for one are hard for the other. Pure.

    Source: Newcombe, "Interval estimation for the difference between independent proportions",
    Statistics in Medicine 1998, method 10; for other estimates Zou and Donner, as above.
    """
    low = math.hypot(first - one.low, other.high - second)
    high = math.hypot(one.high - first, second - other.low)
    return Interval(first - second - low, first - second + high)


def _unseen(n: int, confidence: float) -> float:
    """The most that may be of a kind which N draws had none of: Wilson's upper end for 0 of N."""
    zz = normal_quantile(0.5 + confidence / 2) ** 2
    return zz / (n + zz)


def _is_binary(grades: Sequence[float]) -> bool:
    return all(g in (0.0, 1.0) for g in grades)


def _bonett_price(
    student: Sequence[float], teacher: Sequence[float], confidence: float
) -> Interval:
    pairs = list(zip(student, teacher, strict=True))
    both = sum(1 for s, q in pairs if s == q == 1.0)
    only_student = sum(1 for s, q in pairs if s == 1.0 and q == 0.0)
    only_teacher = sum(1 for s, q in pairs if s == 0.0 and q == 1.0)
    seen = both + only_student + only_teacher  # pairs that both failed say nothing on the ratio
    right_s, right_t = both + only_student, both + only_teacher
    z = normal_quantile(0.5 + confidence / 2)
    p_s, p_t = (right_s + 1) / (seen + 2), (right_t + 1) / (seen + 2)
    spread = math.sqrt((only_student + only_teacher + 2) / ((right_s + 1) * (right_t + 1)))
    apart = math.sqrt((1 - p_s) / (right_s + 1)) + math.sqrt((1 - p_t) / (right_t + 1))
    z *= spread / apart
    low_s, high_s = _wilson(right_s, seen, z)
    low_t, high_t = _wilson(right_t, seen, z)
    return Interval(low_s / high_t if high_t else 0.0, high_s / low_t if low_t else math.inf)


def _wilson(right: int, n: int, z: float) -> tuple[float, float]:
    if n == 0:
        return 0.0, 1.0
    p, zz = right / n, z * z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    # the ends are exact, whatever the last bits of the sums above say
    return (middle - half if right else 0.0), (middle + half if right < n else 1.0)


def _delta(student: Sequence[float], teacher: Sequence[float], confidence: float) -> Interval:
    n = len(student)
    mean_s, mean_t = sum(student) / n, sum(teacher) / n
    if mean_s == 0 or mean_t == 0 or n == 1:
        return Interval(0.0, math.inf if mean_t == 0 or n == 1 else 1.0 / mean_t)
    relative = [s / mean_s - q / mean_t for s, q in zip(student, teacher, strict=True)]
    variance = sum(r * r for r in relative) / (n - 1) / n  # `relative` has mean 0
    least = -math.log1p(-_unseen(n, confidence))
    half = max(normal_quantile(0.5 + confidence / 2) * math.sqrt(variance), least)
    ratio = mean_s / mean_t
    return Interval(ratio * math.exp(-half), ratio * math.exp(half))
