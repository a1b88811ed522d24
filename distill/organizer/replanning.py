"""After a stage: the rest of the plan, from what is known by then."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set

from distill.identifier.severity import severities
from distill.organizer.graph import without_cycles
from distill.organizer.stages import arranged, bridge_notices, difficulty, lacking
from distill.records import Curriculum, Edge, Gap, PlannedStage, Skill
from distill.settings import Thresholds

RULE = "after a settled stage, plan the rest from what was measured since"


def replan(
    so_far: Curriculum,
    n_kept: int,
    skills: Sequence[Skill],
    edges: Iterable[Edge],
    gaps: Mapping[str, Gap],
    thresholds: Thresholds,
    *,
    now: Mapping[str, float],
    sits: Set[str] = frozenset(),
) -> Curriculum:
    """The same curriculum up to its stage `n_kept`, and the rest planned from what is known now.

    The first `n_kept` stages are settled or begun: they stay as they are, whatever was measured.
    The skills of the others are put in stages as `plan` does, with the difficulty that was
    measured since in place of the diagnosis's. One that sits by now leaves the plan, and a notice
    says so; none is added, for what was chosen from the diagnosis a person has signed.

    Args:
        gaps: the diagnosis.
        now: skill -> the student's mean grade on diagnostic probes since, in 0..1; what it has no
            entry for is as it was diagnosed.
        sits: skills that are mastered by those answers, see `assessment.gate.known_by_now`.

    Every prerequisite of a skill lies in an earlier stage, or is not taught. Where nothing of the
    rest was measured, or no stage would be another, `so_far` is returned. Pure; doing it twice
    changes nothing more.

    Ours: the paper plans once. docs/decisions/0010.
    """
    kept, old = so_far.stages[:n_kept], so_far.stages[n_kept:]
    rest = [k for stage in old for k in stage.skills if k in gaps]
    if not any(k in now for k in rest):
        return so_far
    edges = list(edges)
    active = {s.id for s in skills if not s.is_transfer and s.id in gaps}
    acyclic, _ = without_cycles(e for e in edges if {e.source, e.target} <= active)
    left = sorted(sits & set(rest) & now.keys())
    known = {k: with_score(gap, now[k]) if k in now else gap for k, gap in gaps.items()}
    zpd, after = thresholds.zpd, kept[-1].difficulty if kept else None
    new = arranged(
        {k: difficulty(known[k]) for k in sorted(set(rest) - set(left))},
        acyclic,
        titles={s.id: s.title for s in skills},
        zpd=zpd,
        after=after,
    )
    if is_same(old, new):
        return so_far
    outdated = set(bridge_notices(old, zpd=zpd, after=after))
    notices = [notice for notice in so_far.notices if notice not in outdated]
    notices += [_left(k, now[k]) for k in left]
    notices += bridge_notices(new, zpd=zpd, after=after)
    severity = severities(known, edges, alpha=thresholds.severity_alpha)
    return Curriculum((*kept, *new), severity, tuple(notices))


def is_same(one: Sequence[PlannedStage], other: Sequence[PlannedStage]) -> bool:
    """Whether two plans teach the same skills together, in one order, with the same bridges."""
    return [(set(s.skills), s.is_bridge) for s in one] == [
        (set(s.skills), s.is_bridge) for s in other
    ]


def with_score(gap: Gap, mean: float) -> Gap:
    """The gap of a student that scores `mean` (0..1) now. Its interval and the verdict are left
    out: they belong to the probes of the diagnosis.
    """
    if gap.gap is None:
        return gap
    return dataclasses.replace(gap, gap=lacking(gap, mean), low=None, high=None)


def _left(skill: str, mean: float) -> str:
    return (
        f"{skill} leaves the plan: the student gets {mean:.0%} of its probes right by now, before "
        "its stage began. Gates ask whether that stays so."
    )
