"""Eq. 4-6: which gaps matter most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from distill.records import Edge, Gap


def severities(
    gaps: Mapping[str, Gap], edges: Iterable[Edge], *, alpha: float = 0.7
) -> dict[str, float]:
    """Severity of each teachable skill: α·Δ(k) + (1−α)·mean over successors of Dep(k → k').

    `alpha` in 0..1. Negative gaps count as 0, so that severities lie in 0..1. A skill without
    successors blocks nothing: its second term is 0. Skills the teacher cannot teach are left out.

    Pure. O(S + E). Source: He et al. 2026, Eq. 4, N(k) = successors.
    """
    blocked: dict[str, list[float]] = {}
    for edge in edges:
        blocked.setdefault(edge.source, []).append(edge.strength)
    result: dict[str, float] = {}
    for skill, gap in gaps.items():
        if gap.gap is None:
            continue
        strengths = blocked.get(skill, [])
        blocks = sum(strengths) / len(strengths) if strengths else 0.0
        result[skill] = alpha * max(0.0, gap.gap) + (1 - alpha) * blocks
    return result


def targets(
    gaps: Mapping[str, Gap], severity: Mapping[str, float], *, share: float = 1.0
) -> list[str]:
    """The deficient skills to teach, most severe first: the top `share` (0..1) of them, ≥ 1 if any.

    Ties go by name, so that the order is the same in every process. Pure.

    Source: He et al. 2026, Eq. 5-6, where the share is 0.25. Ours: all of them by default.
    """
    deficient = sorted(
        (k for k, gap in gaps.items() if gap.is_deficient), key=lambda k: (-severity[k], k)
    )
    n = math.ceil(share * len(deficient) - 1e-9)  # 0.07 of 100 is 7, whatever the last bit says
    return deficient[: max(1, n)]
