"""The curriculum of a headless run: planned once, and what is left planned again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from distill.assessment.gate import Was
from distill.examiner import Examiner
from distill.identifier.severity import severities
from distill.journal import Journal
from distill.organizer.replanning import RULE, replan
from distill.organizer.stages import lacking, plan
from distill.records import Curriculum, Edge, Gap, Skill
from distill.settings import Settings


class Planner:
    """Plans for one run; what it planned, and on what evidence, is on record in the journal."""

    def __init__(
        self,
        skills: Sequence[Skill],
        edges: Sequence[Edge],
        settings: Settings,
        journal: Journal,
        examiner: Examiner,
    ) -> None:
        self._skills = skills
        self._edges = edges
        self._settings = settings
        self._journal = journal
        self._examiner = examiner
        self._measured: Mapping[str, float] = {}  # the student's mean grades, as last measured

    def lacking(self, skills: Sequence[str], gaps: Mapping[str, Gap]) -> dict[str, float]:
        """1 − r of skills that wait, as last measured."""
        return {k: lacking(gaps[k], self._measured.get(k)) for k in skills}

    def organise(self, gaps: Mapping[str, Gap]) -> Curriculum:
        """Target skills in stages (Eq. 4-8)."""
        bounds = self._settings.thresholds
        severity = severities(gaps, self._edges, alpha=bounds.severity_alpha)
        curriculum = plan(self._skills, self._edges, gaps, severity, bounds)
        self._journal.keep_curriculum(dataclasses.asdict(curriculum))
        return curriculum

    def rest(
        self,
        curriculum: Curriculum,
        n_settled: int,
        gaps: Mapping[str, Gap],
        adapter: Path | None,
    ) -> tuple[Curriculum, dict[str, Was]]:
        """Measure what is still to be taught, and plan it again; what was taught stays. Returns
        the curriculum, and the skills that left it because they sit by now.

        Nothing is looked at when no stage is left, when no items are left to teach one with, or
        when the next has begun: a folder of a version without this step goes on as it was.
        """
        found = self._journal.rest(n_settled)
        if found is None:
            ahead = [k for stage in curriculum.stages[n_settled:] for k in stage.skills]
            spent = self._journal.total("items") >= self._settings.budget.items
            if not ahead or spent or not adapter or self._journal.has_begun(n_settled + 1):
                return curriculum, {}
            now, sits = self._examiner.by_now(ahead, gaps, adapter)
            bounds, known = self._settings.thresholds, set(sits)
            planned = replan(
                curriculum, n_settled, self._skills, self._edges, gaps, bounds, now=now, sits=known
            )
            left = {k: dataclasses.asdict(was) for k, was in sits.items()}
            self._journal.keep_rest(
                n_settled, planned, decided_as="policy", rule=RULE, measured=now, left=left
            )
            found = planned, {"left": left, "measured": now}
        planned, evidence = found
        self._measured = evidence["measured"]
        return planned, {k: Was(**values) for k, values in evidence["left"].items()}
