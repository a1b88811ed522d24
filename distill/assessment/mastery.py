"""Eq. 9: does a skill sit? Three answers, with stated error rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from distill.settings import Thresholds
from distill.statistics import is_over, mean_interval
from distill.verdicts import GateAnswer, SkillVerdict


def judge(
    skill: str,
    grades: Sequence[float],
    p_teacher: float,
    thresholds: Thresholds,
    *,
    is_last_look: bool = False,
    is_exhaustive: bool = False,
) -> SkillVerdict:
    """The gate's answer for one skill, from all fresh grades of one checkpoint so far.

    Args:
        grades: (N,) grades of the student in 0..1, on N different gate probes.
        p_teacher: P_T, the teacher's mean grade, > 0; measured once, in the diagnosis.
        is_last_look: the probe cap is reached: what is still unclear counts as "not yet".
        is_exhaustive: the probes are all the questions there are, so that nothing is left to
            chance: mastered iff the ratio is at least τ_mastery.

    Returns:
        A verdict with the ratio r = P_S/P_T and its 95 % interval.

    Wald's sequential test on the student's grades between r₀ = τ − margin_low and r₁ = τ +
    margin_high: a student with r ≤ r₀ is called mastered with probability ≤ `gate_error` (about;
    Wald's bound is on the sum of both errors), one with r ≥ r₁ "not yet" likewise, however often
    one looks. Pure.

    Source: He et al. 2026, Eq. 9, which compares point estimates on about five probes; Wald,
    "Sequential Tests of Statistical Hypotheses", 1945. Ours: the third answer, and intervals.
    """
    n = len(grades)
    mean, low, high = mean_interval(grades)
    if is_exhaustive:
        low = high = mean
    ratio = mean / p_teacher
    answer = GateAnswer.UNCLEAR
    if is_exhaustive:
        is_below = is_over(thresholds.mastery, ratio)
        answer = GateAnswer.NOT_YET if is_below else GateAnswer.MASTERED
    elif n:
        evidence = log_likelihood_ratio(grades, p_teacher, thresholds)
        bound = math.log((1 - thresholds.gate_error) / thresholds.gate_error)
        if evidence >= bound:
            answer = GateAnswer.MASTERED
        elif evidence <= -bound:
            answer = GateAnswer.NOT_YET
    if answer is GateAnswer.UNCLEAR and is_last_look:
        answer = GateAnswer.NOT_YET
    return SkillVerdict(skill, answer, ratio, low / p_teacher, high / p_teacher, n)


def log_likelihood_ratio(
    grades: Sequence[float], p_teacher: float, thresholds: Thresholds
) -> float:
    """Wald's statistic: evidence for r₁ against r₀, in nats; each grade counts as a share right."""
    p0 = (thresholds.mastery - thresholds.mastery_margin_low) * p_teacher
    p1 = min((thresholds.mastery + thresholds.mastery_margin_high) * p_teacher, 1 - 1e-6)
    right = sum(grades)
    return right * math.log(p1 / p0) + (len(grades) - right) * math.log((1 - p1) / (1 - p0))
