"""Asking on behalf of a run: teacher and student, at every point where the loop measures.

What was answered is on record in the journal and is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from distill import report
from distill.adapter.steering import leaves_a_choice
from distill.assessment.ahead import look_ahead
from distill.assessment.gate import GateExam, Grades, Was, known_by_now
from distill.backends.base import Backend
from distill.diagnosis import BASE, TEACHER, Progress, ask_missing
from distill.domains.base import Domain
from distill.identifier.error_types import count_errors
from distill.identifier.looks import measure
from distill.identifier.probing import score
from distill.journal import Journal
from distill.organizer.stages import difficulty, lacking
from distill.passed import Passed
from distill.records import Gap, Probe, Score, Split
from distill.roster import Lazy, Student
from distill.settings import Settings
from distill.verdicts import GateEvidence

SAMPLE = 60  # problems, to see whether kinds of errors leave a choice among them


class Examiner:
    """The questions of one run, and who answers them. The student is named by its adapter, None
    for the student as it came; it is loaded when something has to be asked, and let go after it.

    Raises what the backends and `progress` raise; the answers by then are kept.
    """

    def __init__(
        self,
        domain: Domain,
        student: Student,
        teacher: Backend,
        settings: Settings,
        *,
        seed: int,
        journal: Journal,
        progress: Progress,
    ) -> None:
        self._domain = domain
        self._student = student
        self._teacher = teacher
        self._settings = settings
        self._seed = seed
        self._journal = journal
        self._progress = progress

    def diagnose(self, skills: Sequence[str]) -> dict[str, Gap]:
        """Probe teacher and student, as it came, on every skill (Eq. 2)."""
        with closing(Lazy(self._student, None)) as student:
            return measure(
                self._domain,
                skills,
                teacher=partial(self._ask, TEACHER, self._teacher),
                student=partial(self._ask, BASE, student),
                thresholds=self._settings.thresholds,
                seed=self._seed,
                n=self._settings.probing.diagnose_probes,
            ).gaps

    def lacking(
        self, skills: Sequence[str], gaps: Mapping[str, Gap], adapter: Path | None
    ) -> dict[str, float]:
        """1 − r of each skill before its stage: measured again, where anything was taught since."""
        if adapter is None:
            return {k: difficulty(gaps[k]) for k in skills}
        means, _ = self.by_now(skills, gaps, adapter)
        return {k: lacking(gaps[k], means[k]) for k in skills}

    def by_now(
        self, skills: Sequence[str], gaps: Mapping[str, Gap], adapter: Path
    ) -> tuple[dict[str, float], dict[str, Was]]:
        """Mean grade of each skill, of the student as it is now; and those that sit by it."""
        with closing(Lazy(self._student, adapter)) as student:
            answered = look_ahead(
                skills,
                gaps,
                draw=lambda k, n: self._probes([k], Split.DIAGNOSE, n),
                ask=partial(self._ask, adapter.name, student),
                settings=self._settings,
            )
        means = {k: score(k, grades, None).mean for k, grades in answered.items()}
        return means, known_by_now(gaps, answered, self._settings.thresholds)

    def errors(self, skills: Iterable[str], adapter: Path | None) -> dict[str, dict[str, int]]:
        """Kinds of wrong answers to diagnostic probes, counted, of the student as it is now.

        Only of skills where they leave the writer a choice; those it was taught since are asked
        for, unless they have been. Never of gate probes: what they ask is not for the writer.
        """
        seed, n = self._seed, SAMPLE
        chosen = [k for k in skills if leaves_a_choice(self._domain.problems(k, n, seed=seed))]
        many = self._settings.probing
        n = many.gate_probes if adapter else many.diagnose_probes
        probes = self._probes(chosen, Split.DIAGNOSE, n)
        if adapter and probes:
            self._ask_student(adapter, probes)
        who, found = adapter.name if adapter else BASE, self._journal.answer
        said = [(p, a) for p in probes if (a := found(who, p)) is not None]
        return {k: count_errors((p, a) for p, a in said if p.skill == k) for k in chosen}

    def at_gate(
        self,
        key: str,
        skills: Sequence[str],
        gaps: Mapping[str, Gap],
        passed: Passed,
        adapter: Path | None,
    ) -> tuple[GateEvidence, dict[str, Score]]:
        """The evidence on the round `key`, and the scores of everything that was asked for it."""
        waived = {k: was for k, was in passed.waived.items() if k not in skills}
        if not self._settings.probing.ask_others:
            waived = {}
        exam = GateExam(
            domain=self._domain,
            settings=self._settings,
            seed=self._seed,
            stage=skills,
            mastered=passed.mastered,
            p_teacher={k: gaps[k].teacher.mean for k in (*skills, *waived)},
            seen=self._journal.seen_at_gates(before=key),
            grades=self._journal.grades(key, Split.GATE),
            trained=self._journal.trained(),
            waived=waived,
        )
        with closing(Lazy(self._student, adapter)) as student:
            evidence = exam.run(
                student,
                beat=lambda done, total: self._progress(f"{key}: assess", done, total),
                sink=partial(self._journal.keep_answers, key),
            )
        return evidence, self._scores(exam.grades, Split.GATE)

    def at_end(
        self,
        skills: Sequence[str],
        adapter: Path | None,
        *,
        taught: Sequence[str],
        mastered: Mapping[str, Was],
        stages: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Open the `final` probes, once, for teacher and student, as it came and as it is: the
        report of `report.build`, with what was spent, seed, settings and `stages` as given.
        """
        probes = self._probes(skills, Split.FINAL, self._settings.probing.final_probes)
        grades = {TEACHER: self._ask(TEACHER, self._teacher, probes)}
        for each in dict.fromkeys((None, adapter)):
            grades[each.name if each else BASE] = self._ask_student(each, probes)
        scores = {who: self._scores(given, Split.FINAL) for who, given in grades.items()}
        who = adapter.name if adapter else BASE
        figures = report.build(
            skills,
            taught,
            before=scores[BASE],
            after=scores[who],
            teacher=scores[TEACHER],
            mastered=mastered,
            after_grades=grades[who],
            teacher_grades=grades[TEACHER],
            thresholds=self._settings.thresholds,
        )
        figures |= self._journal.spent(TEACHER) | {"stages": list(stages), "seed": self._seed}
        figures["adapter"] = adapter.name if adapter else None  # of the student after all of it
        return figures | {"settings": self._settings.model_dump(mode="json")}

    def _probes(self, skills: Sequence[str], split: Split, n: int) -> list[Probe]:
        """None that was trained on: it would say nothing of what was learnt."""
        trained = self._journal.trained()
        return [
            p
            for k in skills
            for p in self._domain.probes(k, split, n, seed=self._seed, exclude=trained)
        ]

    def _scores(self, grades: Grades, split: Split) -> dict[str, Score]:
        return {k: score(k, given, self._domain.size(k, split)) for k, given in grades.items()}

    def _ask_student(self, adapter: Path | None, probes: Sequence[Probe]) -> Grades:
        with closing(Lazy(self._student, adapter)) as student:
            return self._ask(adapter.name if adapter else BASE, student, probes)

    def _ask(self, who: str, backend: Backend, probes: Sequence[Probe]) -> Grades:
        """Ask what is not on record yet; skill -> probe id -> grade."""
        return ask_missing(
            self._journal, who, backend, probes, self._settings.probing, self._progress
        )
