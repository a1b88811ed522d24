"""From the diagnosis in the rows to a curriculum."""

from __future__ import annotations

from collections.abc import Iterable

from curriculum.engine.describe import PlanRow, load_domain, settings_of
from curriculum.errors import BadDomain
from curriculum.models import Evidence as Row
from curriculum.models import Prerequisite, Run, Score, Skill
from curriculum.states import SkillStatus
from distill import records
from distill.domains import parts
from distill.identifier.evidence import Evidence, weigh
from distill.identifier.severity import severities
from distill.organizer import stages as organizer
from distill.records import Edge, EvidenceKind, Gap


def taught_skills(run: Run) -> list[Skill]:
    """Active skills that may be taught, in the domain's order."""
    return list(run.skills.filter(status=SkillStatus.ACTIVE, is_transfer=False))


def edges_of(run: Run) -> list[Edge]:
    """The edges that hold by all their evidence, each as strong as the one that decides."""
    threshold = settings_of(run).thresholds.dependency
    rows = (
        Prerequisite.objects.filter(run=run, is_active=True)
        .select_related("source", "target")
        .prefetch_related("evidence")  # in the order in which it came to be known
    )
    return [edge for row in rows if (edge := _weighed(row, threshold)) is not None]


def holding(run: Run) -> list[Prerequisite]:
    """The active edges, with both ends, but those that order nothing: see `outweighed`."""
    rows = Prerequisite.objects.filter(run=run, is_active=True).select_related("source", "target")
    edges = list(rows.prefetch_related("evidence"))
    nothing = outweighed(run, edges)
    return [edge for edge in edges if edge.pk not in nothing]


def outweighed(run: Run, edges: Iterable[Prerequisite]) -> set[int]:
    """Those of the active edges, by pk, that order nothing: what was measured speaks against them.

    Needs `edge.source`, `edge.target` and `edge.evidence`: asks the database for nothing else.
    """
    threshold = settings_of(run).thresholds.dependency
    return {e.pk for e in edges if e.evidence.all() and _weighed(e, threshold) is None}


def _weighed(row: Prerequisite, threshold: float) -> Edge | None:
    return weigh(row.source.key, row.target.key, map(_evidence, row.evidence.all()), threshold)


def _evidence(row: Row) -> Evidence:
    return Evidence(EvidenceKind(row.kind), row.strength, row.n, row.reason)


def gaps_of(run: Run) -> dict[str, Gap]:
    """The diagnosis as it stands in the rows; skills without one are left out."""
    skills = {s.pk: s for s in taught_skills(run)}
    found = Score.objects.filter(skill__in=skills, split="diagnose", skill__gap__isnull=False)
    found |= Score.objects.filter(skill__in=skills, split="diagnose", skill__is_teachable=False)
    by_skill: dict[int, dict[bool, records.Score]] = {}
    for row in found.select_related("skill", "checkpoint"):
        is_base = row.checkpoint is not None and row.checkpoint.parent_id is None
        if row.checkpoint is None or is_base:
            by_skill.setdefault(row.skill_id, {})[is_base] = records.Score(
                row.skill.key, row.n, row.mean, row.low, row.high, row.is_exhaustive
            )
    return {
        skills[pk].key: Gap(
            skill=skills[pk].key,
            teacher=scores[False],
            student=scores[True],
            gap=skills[pk].gap,
            low=skills[pk].gap_low,
            high=skills[pk].gap_high,
            is_deficient=bool(skills[pk].is_deficient),
            is_teachable=bool(skills[pk].is_teachable),
        )
        for pk, scores in by_skill.items()
        if len(scores) == 2
    }


def severities_of(run: Run) -> dict[str, float]:
    """Eq. 4 for each measured skill that can be taught, with the edges as they are known now."""
    alpha = settings_of(run).thresholds.severity_alpha
    return severities(gaps_of(run), edges_of(run), alpha=alpha)


def plan(run: Run) -> PlanRow:
    """The stages that the organizer proposes for the diagnosis in the rows."""
    settings = settings_of(run)
    gaps, edges = gaps_of(run), edges_of(run)
    severity = severities(gaps, edges, alpha=settings.thresholds.severity_alpha)
    skills = [
        records.Skill(s.key, s.title, s.statement, s.area, s.level) for s in taught_skills(run)
    ]
    curriculum = organizer.plan(skills, edges, gaps, severity, settings.thresholds)
    return PlanRow(
        [(s.title, s.is_bridge, s.difficulty, list(s.skills)) for s in curriculum.stages],
        [*_left_out(run, [k for s in curriculum.stages for k in s.skills]), *curriculum.notices],
        dict(curriculum.severity),
    )


def _left_out(run: Run, planned: Iterable[str]) -> list[str]:
    """A sentence, where the domain says that a skill planned builds on one that the run has not."""
    try:
        edges = load_domain(run.domain).edges()
    except BadDomain:  # gone since: whoever needs its questions says so
        return []
    missing = parts.lacking(edges, {skill.key for skill in taught_skills(run)})
    said = parts.told({key: missing[key] for key in dict.fromkeys(planned) if key in missing})
    return [said] if said else []


def difficulty(run: Run, stages: Iterable[Iterable[str]]) -> list[float | None]:
    """Of each stage, given as the keys of its skills: the mean of what is lacking of those that
    were diagnosed, in 0..1; None where none was.
    """
    gaps = gaps_of(run)
    measured = [[organizer.difficulty(gaps[k]) for k in stage if k in gaps] for stage in stages]
    return [sum(each) / len(each) if each else None for each in measured]


def zpd_notices(run: Run, stages: Iterable[Iterable[str]] | None = None) -> list[str]:
    """A sentence for each step between neighbouring stages that is over τ_ZPD: as they stand, or
    as they would with `stages`, the keys of the skills of each.
    """
    settings, gaps = settings_of(run), gaps_of(run)
    if stages is None:
        stages = [
            [row.skill.key for row in stage.stage_skills.all()]
            for stage in run.stages.prefetch_related("stage_skills__skill")
        ]
    measured = [[k for k in stage if k in gaps] for stage in stages]
    return organizer.steps_too_large(measured, gaps, settings.thresholds)
