"""Eq. 7-8: stages in an order the student can follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from distill.identifier.severity import targets
from distill.organizer.graph import without_cycles
from distill.organizer.readiness import grouped, needed
from distill.records import Curriculum, Edge, Gap, PlannedStage, Skill
from distill.settings import Thresholds
from distill.statistics import is_over


def difficulty(gap: Gap) -> float:
    """d(k) = 1 − r(k), clipped to 0..1. 1 where the teacher cannot teach the skill."""
    return 1.0 if gap.gap is None else min(1.0, max(0.0, gap.gap))


def lacking(gap: Gap, now: float | None) -> float:
    """d(k) of a student that scores `now` (0..1), with the teacher's score of the diagnosis; as it
    was diagnosed, where nothing was measured since.
    """
    if now is None:
        return difficulty(gap)
    return 1.0 if not gap.teacher.mean else min(1.0, max(0.0, 1.0 - now / gap.teacher.mean))


def plan(
    skills: Sequence[Skill],
    edges: Iterable[Edge],
    gaps: Mapping[str, Gap],
    severity: Mapping[str, float],
    thresholds: Thresholds,
) -> Curriculum:
    """The stages to teach, with every promise that could not be kept among the notices.

    Cycles are broken at their weakest edge; weak prerequisites of targets are pulled in; a stage
    is what is ready and lies within τ_ZPD of the easiest that is (`grouped`). Where the step from
    one stage to the next is still larger than τ_ZPD, the harder stage begins with a bridge: its
    first items are smaller instances of its skills.

    Every skill's prerequisites lie in earlier stages (or are not taught). Pure; ties by name.

    Source: He et al. 2026, Eq. 5-8. Ours: d = 1 − r in place of P_S, by which the bound holds
    back from steps up in difficulty rather than from steps down (docs/paper_index.md).
    """
    active = {s.id for s in skills if not s.is_transfer and s.id in gaps}
    kept, removed = without_cycles(e for e in edges if {e.source, e.target} <= active)
    notices = [
        f"{e.source} → {e.target} was left out: it closes a cycle, and is its weakest edge."
        for e in removed
    ]
    notices += [
        f"{k} is left out: the teacher is right on only {gaps[k].teacher.mean:.0%} of its probes, "
        "too few to teach it."
        for k in sorted(active)
        if not gaps[k].is_teachable
    ]
    taught = {k: gaps[k] for k in sorted(active)}  # the share is one of what may be taught
    wanted = targets(taught, severity, share=thresholds.target_share)
    weak = {k for k in active if gaps[k].is_deficient}
    chosen, pulled = needed(wanted, weak, kept)
    notices += [f"{k} was pulled in: skills to be taught build on it." for k in pulled]

    titles = {s.id: s.title for s in skills}
    difficulties = {k: difficulty(gaps[k]) for k in chosen}
    stages = arranged(difficulties, kept, titles=titles, zpd=thresholds.zpd)
    notices += bridge_notices(stages, zpd=thresholds.zpd)
    return Curriculum(tuple(stages), dict(severity), tuple(notices))


def arranged(
    skills: Mapping[str, float],
    edges: Iterable[Edge],
    *,
    titles: Mapping[str, str],
    zpd: float,
    after: float | None = None,
) -> list[PlannedStage]:
    """The skills (name -> d(k), 0..1) as stages, see `grouped`, with those that are bridges marked.

    edges: without cycles. after: difficulty of the stage that comes before the first of these, if
    any. Pure.
    """
    stages: list[PlannedStage] = []
    for group in grouped(skills, edges, span=zpd):
        d = sum(skills[k] for k in group) / len(group)
        is_bridge = after is not None and is_over(d - after, zpd)
        stages.append(PlannedStage(tuple(group), ", ".join(titles[k] for k in group), is_bridge, d))
        after = d
    return stages


def bridge_notices(
    stages: Iterable[PlannedStage], *, zpd: float, after: float | None = None
) -> list[str]:
    """A sentence for each bridge that `arranged` marked; `after` as there."""
    notices = []
    for stage in stages:
        if after is not None and is_over(step := stage.difficulty - after, zpd):
            notices.append(_zpd_notice(stage.skills, step, zpd))
        after = stage.difficulty
    return notices


def steps_too_large(
    stages: Sequence[Sequence[str]], gaps: Mapping[str, Gap], thresholds: Thresholds
) -> list[str]:
    """A sentence for each step from one stage to the next that is over τ_ZPD (Eq. 8, ours)."""
    taught = [s for s in stages if s]
    notices = []
    for one, other in pairwise(taught):
        step = _mean_difficulty(other, gaps) - _mean_difficulty(one, gaps)
        if is_over(step, thresholds.zpd):
            notices.append(_zpd_notice(other, step, thresholds.zpd))
    return notices


def _mean_difficulty(skills: Sequence[str], gaps: Mapping[str, Gap]) -> float:
    return sum(difficulty(gaps[k]) for k in skills) / len(skills)


def _zpd_notice(skills: Sequence[str], step: float, zpd: float) -> str:
    return (
        f"{', '.join(skills)}: a step of {step:.2f} in difficulty, over the bound of {zpd:.2f}; "
        "it begins with smaller instances, as a bridge."
    )
