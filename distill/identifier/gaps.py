"""Eq. 2: what the student lacks of what the teacher can do."""

from __future__ import annotations

from collections.abc import Mapping

from distill.identifier.probing import score
from distill.records import Gap
from distill.settings import Thresholds
from distill.statistics import is_over, ratio_interval


def find_gap(
    skill: str,
    teacher: Mapping[str, float],
    student: Mapping[str, float],
    thresholds: Thresholds,
    *,
    size: int | None = None,
) -> Gap:
    """The gap Δ = (P_T − P_S)/P_T of one skill, with a 95 % interval, and whether it is deficient.

    Args:
        teacher, student: probe id -> grade in 0..1. Only probes that both answered count, so
            that the interval is a paired one.
        size: number of questions that there are in the split; None: practically unlimited.

    Returns:
        A `Gap`. Deficient iff Δ > τ_gap. Where P_T is below `thresholds.teachable` the teacher
        cannot teach the skill: gap and interval are None and it is never deficient.

    Raises ValueError when no probe was answered by both. Pure.

    Source: He et al. 2026, Eq. 2. Ours: the interval, and the floor under P_T, by which Δ never
    divides by zero and a skill nobody can do is not taken for mastered.
    """
    shared = sorted(teacher.keys() & student.keys())
    if not shared:
        raise ValueError(f"{skill}: no probe was answered by both teacher and student")
    teacher_grades = [teacher[p] for p in shared]
    student_grades = [student[p] for p in shared]
    p_teacher = score(skill, teacher_grades, size)
    p_student = score(skill, student_grades, size)
    if p_teacher.mean < thresholds.teachable:
        return Gap(skill, p_teacher, p_student, None, None, None, False, False)
    gap = 1.0 - p_student.mean / p_teacher.mean
    low, high = gap, gap
    if not p_student.is_exhaustive:
        ratio = ratio_interval(student_grades, teacher_grades)
        low, high = 1.0 - ratio.high, 1.0 - ratio.low
    is_deficient = is_over(gap, thresholds.gap)
    return Gap(skill, p_teacher, p_student, gap, low, high, is_deficient, True)
