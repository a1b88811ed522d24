"""Probing teacher and student for the diagnosis: at first, and further where it is unclear."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from typing import Any

from curriculum import models
from curriculum.engine.describe import load_domain
from curriculum.engine.exam import Exam, Grades, Keep, score_row
from curriculum.engine.planning import edges_of, gaps_of, taught_skills
from curriculum.models import Checkpoint, Run
from distill.backends.base import Backend, Beat
from distill.domains import Domain
from distill.identifier.looks import CAP, measure
from distill.identifier.looks import width as width_of
from distill.identifier.severity import severities
from distill.records import Gap, Probe, Split


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Unsaved scores, and what to write on each skill: key -> field -> value."""

    scores: list[models.Score]
    skills: dict[str, dict[str, Any]]


def diagnose(run: Run, *, beat: Beat, keep: Keep) -> Diagnosis:
    """Probe teacher and student, as it came, on every active skill that may be taught.

    What an earlier diagnosis has asked, and people after it, is counted and not asked again.
    """
    return _measured(Exam(run, keep), [s.key for s in taught_skills(run)], beat)


def probe_more(
    run: Run, skills: Iterable[str], width: float, *, beat: Beat, keep: Keep
) -> Diagnosis:
    """Ask on until the interval of each gap is at most `width` wide (0..1), or there is no more
    to ask. Skills that were retired meanwhile are left out; severities are those of all skills.
    """
    wanted = set(skills)
    keys = [s.key for s in taught_skills(run) if s.key in wanted]
    return _measured(Exam(run, keep), keys, beat, until=width)


def unclear(run: Run, width: float, skills: Iterable[str] = ()) -> list[str]:
    """Skills, of those named if any are, of which more can be asked and has to be: never
    measured, or known less well than `width`.
    """
    domain, gaps, named = load_domain(run.domain), gaps_of(run), set(skills)
    return [
        s.key
        for s in taught_skills(run)
        if (not named or s.key in named)
        and _asked(gaps.get(s.key)) < _most(domain, s.key)
        and (s.key not in gaps or width_of(gaps[s.key]) > width)
    ]


def _measured(
    exam: Exam, skills: Sequence[str], beat: Beat, *, until: float | None = None
) -> Diagnosis:
    run, settings = exam.run, exam.settings
    base = run.checkpoints.get(parent=None)
    before = gaps_of(run)
    expected = 0 if until is None else 2 * sum(_expected(exam, k, before, until) for k in skills)
    asking = _Asking(exam, base, beat, expected)
    with ExitStack() as held:
        # each is loaded when first asked: what the teacher said is kept if the student cannot be
        teacher = cache(lambda: held.enter_context(exam.teacher()))
        student = cache(lambda: held.enter_context(exam.student(base)))
        found = measure(
            exam.domain,
            skills,
            teacher=lambda probes: asking.ask(teacher(), None, probes),
            student=lambda probes: asking.ask(student(), base, probes),
            thresholds=settings.thresholds,
            seed=run.seed,
            n=settings.probing.diagnose_probes,
            until=until,
            first={k: _asked(gap) for k, gap in before.items()},
        ).gaps
    beat(asking.done, asking.done)  # fewer than expected may have been enough
    gaps = before | found
    severity = severities(gaps, edges_of(run), alpha=settings.thresholds.severity_alpha)
    fields: dict[str, dict[str, Any]] = {k: {"severity": severity.get(k)} for k in gaps}
    rows = {s.key: s for s in run.skills.all()}
    scores = []
    for k, gap in found.items():
        fields[k] |= _gap_fields(gap)
        scores.append(score_row(rows[k], None, Split.DIAGNOSE, gap.teacher))
        scores.append(score_row(rows[k], base, Split.DIAGNOSE, gap.student))
    return Diagnosis(scores, fields)


class _Asking:
    """Look by look: what is missing is asked, and progress is told of what was really asked."""

    def __init__(self, exam: Exam, base: Checkpoint, beat: Beat, expected: int) -> None:
        self.done = 0
        self._exam, self._base, self._beat, self._expected = exam, base, beat, expected

    def ask(self, backend: Backend, who: Checkpoint | None, probes: Sequence[Probe]) -> Grades:
        self._exam.keep_probes(probes)
        mine = len(self._exam.missing(who, probes))
        there, done = len(probes) - mine, self.done
        # the teacher is asked first: what it is asked now, the student is asked after it
        ahead = mine if who else mine + len(self._exam.missing(self._base, probes))
        total = max(done + ahead, self._expected)
        grades = self._exam.ask(
            backend, who, probes, lambda d, _: self._beat(done + d - there, total)
        )
        self.done += mine
        return grades


def _expected(exam: Exam, skill: str, gaps: dict[str, Gap], until: float) -> int:
    """About how many more probes it takes: intervals narrow with the root of their number."""
    gap, look = gaps.get(skill), exam.settings.probing.diagnose_probes
    if gap is None:
        return look
    n = _asked(gap)
    needed = math.ceil(n * (width_of(gap) / until) ** 2)
    return max(0, min(needed, _most(exam.domain, skill)) - n)


def _asked(gap: Gap | None) -> int:
    return gap.student.n if gap else 0


def _most(domain: Domain, skill: str) -> int:
    size = domain.size(skill, Split.DIAGNOSE)
    return CAP if size is None else min(CAP, size)


def _gap_fields(gap: Gap) -> dict[str, Any]:
    return {
        "gap": gap.gap,
        "gap_low": gap.low,
        "gap_high": gap.high,
        "is_deficient": gap.is_deficient,
        "is_teachable": gap.is_teachable,
    }
