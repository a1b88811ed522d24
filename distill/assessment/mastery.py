"""Eq. 9: does a skill sit? Three answers, with stated error rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from distill.settings import Probing, Thresholds
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
    one looks, as long as the cap leaves room for it (`most_probes`). Pure.

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


def most_probes(p_teacher: float, probing: Probing, thresholds: Thresholds) -> int:
    """How many probes a skill is asked at most: `gate_probes_cap` where the teacher is perfect, and
    else as many as tell as much, up to `gate_probes_stretch` times the cap.

    p_teacher: P_T > 0. What a probe tells is what the test expects of one at r₁, in nats: the
    nearer both chances are to a half, the less. With one cap for all, a student as good as a
    teacher of P_T = 0.6 would be *unclear* at the last look one time in four. Pure.
    """
    less = _expected(1.0, thresholds) / _expected(p_teacher, thresholds)
    return math.ceil(probing.gate_probes_cap * min(max(less, 1.0), probing.gate_probes_stretch))


def log_likelihood_ratio(
    grades: Sequence[float], p_teacher: float, thresholds: Thresholds
) -> float:
    """Wald's statistic: evidence for r₁ against r₀, in nats; each grade counts as a share right."""
    p0, p1 = _chances(p_teacher, thresholds)
    right = sum(grades)
    return right * math.log(p1 / p0) + (len(grades) - right) * math.log((1 - p1) / (1 - p0))


def _chances(p_teacher: float, thresholds: Thresholds) -> tuple[float, float]:
    """How often students at r₀ and at r₁ are right."""
    p0 = (thresholds.mastery - thresholds.mastery_margin_low) * p_teacher
    return p0, min((thresholds.mastery + thresholds.mastery_margin_high) * p_teacher, 1 - 1e-6)


def _expected(p_teacher: float, thresholds: Thresholds) -> float:
    """Evidence of one probe of a student at r₁, in nats: the divergence of p₁ from p₀."""
    p0, p1 = _chances(p_teacher, thresholds)
    return p1 * math.log(p1 / p0) + (1 - p1) * math.log((1 - p1) / (1 - p0))
