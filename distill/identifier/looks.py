"""Probing look by look: the same questions for teacher and student, until a gap is known well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from distill.domains.base import Domain
from distill.identifier.gaps import find_gap
from distill.records import Gap, Probe, Split
from distill.settings import Thresholds

CAP = 256  # probes a skill, where nobody says another

Grades = Mapping[str, Mapping[str, float]]
Ask = Callable[[Sequence[Probe]], Grades]
"""Has somebody answer the probes that they have not answered yet. Returns everything they have
answered, skill -> probe id -> grade; more than was asked for does no harm."""


@dataclass(frozen=True, slots=True)
class Measured:
    gaps: dict[str, Gap]
    probes: dict[str, list[Probe]]  # what each gap rests on, in the order they were asked


def measure(
    domain: Domain,
    skills: Sequence[str],
    *,
    teacher: Ask,
    student: Ask,
    thresholds: Thresholds,
    seed: int,
    n: int,
    until: float | None = None,
    cap: int = CAP,
    first: Mapping[str, int] | None = None,
) -> Measured:
    """Eq. 2 for each skill on `n` diagnose probes; where asked to, on more until it is narrow.

    first: skill -> probes of its first look, where an earlier call has got further than `n`.
    until: width (0..2) from which a skill's 95 % interval is narrow enough: that of Δ, or of P_T
    where the teacher cannot teach the skill. While it is wider, `n` more probes are asked, up to
    `cap` (raised to `n`) or until the skill has no others. None: one look.

    What was asked at earlier looks is part of later ones. Stopping by the width hardly changes how
    often an interval covers the truth: docs/method.md has the figures. Deterministic; raises what
    the askers raise.
    """
    probes: dict[str, list[Probe]] = {}
    gaps: dict[str, Gap] = {}
    wanted = {k: max(n, (first or {}).get(k, n)) for k in skills}
    while wanted:
        drawn = {k: domain.probes(k, Split.DIAGNOSE, m, seed=seed) for k, m in wanted.items()}
        # the same number again: there are no more, and another look would show the same
        new = {k: found for k, found in drawn.items() if len(found) > len(probes.get(k, []))}
        probes |= new
        asked = [p for found in new.values() for p in found]
        if not asked:
            break
        p_teacher, p_student = teacher(asked), student(asked)
        for k, found in new.items():
            ids = [p.id for p in found]
            gaps[k] = find_gap(
                k,
                {p: p_teacher[k][p] for p in ids},
                {p: p_student[k][p] for p in ids},
                thresholds,
                size=domain.size(k, Split.DIAGNOSE),
            )
        wanted = {
            k: min(len(found) + n, cap)
            for k, found in new.items()
            if until is not None and len(found) < cap and width(gaps[k]) > until
        }
    return Measured(gaps, probes)


def width(gap: Gap) -> float:
    """How wide the 95 % interval of Δ is; of P_T where there is no Δ."""
    if gap.low is None or gap.high is None:
        return gap.teacher.high - gap.teacher.low
    return gap.high - gap.low
