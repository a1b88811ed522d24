"""A diagnosis with everything on record: who was asked what, and the figures that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from distill.assessment.gate import Grades
from distill.backends.base import Backend
from distill.domains.base import Domain
from distill.grading import version_of
from distill.identifier.edges import Observed
from distill.identifier.error_types import RIGHT, group_errors
from distill.identifier.evidence import Evidence, best_evidence, collect, weigh
from distill.identifier.looks import Measured, measure
from distill.identifier.probing import ask
from distill.identifier.severity import severities
from distill.journal import Journal
from distill.records import Answer, Gap, Probe, Skill
from distill.settings import Probing, Settings

BASE = "base"
TEACHER = "teacher"

Progress = Callable[[str, int, int], None]
"""`progress(what, done, total)`, e.g. ("s1r0: train", 12, 40)."""


def ask_missing(
    journal: Journal,
    who: str,
    backend: Backend,
    probes: Sequence[Probe],
    probing: Probing,
    progress: Progress,
) -> Grades:
    """Ask what is not on record yet, and keep it batch by batch.

    Returns skill -> probe id -> grade: all that `who` has answered of the probes' split.
    """
    split = probes[0].split
    ask(
        backend,
        [p for p in probes if not journal.has_answer(who, p)],
        batch_size=probing.batch_size,
        max_tokens=probing.limit(is_teacher=who == TEACHER),
        beat=lambda done, total: progress(f"{split}: {who}", done, total),
        sink=partial(journal.keep_answers, who),
    )
    return journal.grades(who, split)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a diagnosis asks: everything its figures depend on, besides the models."""

    skills: tuple[Skill, ...]
    seed: int
    probes: int
    until: float | None
    cap: int


def diagnose(
    domain: Domain,
    plan: Plan,
    *,
    teacher: Backend,
    student: Backend,
    settings: Settings,
    journal: Journal,
    observed: Mapping[tuple[str, str], Observed],
    progress: Progress,
) -> dict[str, Any]:
    """Probe, and return the figures as plain JSON; nothing on record is asked again.

    Without times, so that the same plan and models give the same figures to the byte, as far as
    the models answer the same. Raises what the backends raise; the answers by then are kept.
    """
    cap = max(plan.cap, plan.probes)
    asker = partial(ask_missing, journal, probing=settings.probing, progress=progress)
    found = measure(
        domain,
        [s.id for s in plan.skills],
        teacher=lambda probes: asker(TEACHER, teacher, probes),
        student=lambda probes: asker(BASE, student, probes),
        thresholds=settings.thresholds,
        seed=plan.seed,
        n=plan.probes,
        until=plan.until,
        cap=cap,
    )
    known = {s.id for s in plan.skills}
    rows = collect([e for e in domain.edges() if {e.source, e.target} <= known], observed)
    tau = settings.thresholds.dependency
    edges = [e for pair, known in rows.items() if (e := weigh(*pair, known, tau)) is not None]
    severity = severities(found.gaps, edges, alpha=settings.thresholds.severity_alpha)
    return {
        "domain": f"{domain.id} {domain.version}",
        "teacher": teacher.name,
        "student": student.name,
        "seed": plan.seed,
        "probes": plan.probes,
        "until": plan.until,
        "cap": cap if plan.until is not None else None,
        "skills": [
            _skill(s, domain, found, severity.get(s.id), _answered(journal, found.probes[s.id]))
            for s in plan.skills
        ],
        "edges": [
            {
                "source": source,
                "target": target,
                **_best(best_evidence(evidence, tau)),
                "evidence": [asdict(e) for e in evidence],
            }
            for (source, target), evidence in rows.items()
        ],
    }


def _best(evidence: Evidence | None) -> dict[str, Any]:
    if evidence is None:
        return {"holds": False, "kind": None, "strength": None}
    return {"holds": True, "kind": evidence.kind, "strength": evidence.strength}


def _skill(
    skill: Skill,
    domain: Domain,
    found: Measured,
    severity: float | None,
    answered: Sequence[tuple[Probe, Answer]],
) -> dict[str, Any]:
    gap: Gap = found.gaps[skill.id]
    groups = group_errors(answered)
    return {
        "id": skill.id,
        "title": skill.title,
        "p_teacher": gap.teacher.mean,
        "p_student": gap.student.mean,
        "gap": gap.gap,
        "interval": None if gap.low is None else [gap.low, gap.high],
        "n": gap.student.n,
        "deficient": gap.is_deficient,
        "teachable": gap.is_teachable,
        "severity": severity,
        "grader": version_of(domain.grader(skill.id)),
        "cut_off": sum(answer.is_cut and answer.grade < RIGHT for _, answer in answered),
        "errors": [
            {
                "type": g.type,
                "says": g.sentence,
                "n": g.n,
                "examples": [asdict(e) for e in g.examples],
            }
            for g in groups
        ],
    }


def _answered(journal: Journal, probes: Sequence[Probe]) -> list[tuple[Probe, Answer]]:
    pairs = ((p, journal.answer(BASE, p)) for p in probes)
    return [(p, a) for p, a in pairs if a is not None]
