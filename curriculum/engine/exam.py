"""Asking probes on behalf of a run: rows on one side, distill's records on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from curriculum import models
from curriculum.engine.describe import (
    find_student,
    find_teacher,
    home,
    load_domain,
    settings_of,
)
from curriculum.models import Checkpoint, Run, Skill
from distill import grading, roster
from distill.backends.base import Backend, Beat
from distill.domains import Domain
from distill.identifier.probing import ask
from distill.records import Answer, Probe, Score, Split

Grades = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Keep:
    """How rows are saved, by natural key: saving one twice does no harm. From `services`."""

    probes: Callable[[Sequence[models.Probe]], object]
    answers: Callable[[Sequence[models.Answer]], object]
    items: Callable[[Sequence[models.Item]], object]
    calls: Callable[[Sequence[models.TeacherCall]], object]
    tallies: Callable[[Sequence[models.WritingTally]], object]
    step: Callable[[models.TrainingStep], object]


class Exam:
    """Probes, answers and grades of one run: rows on one side, distill's records on the other."""

    def __init__(self, run: Run, keep: Keep) -> None:
        self.run = run
        self.domain: Domain = load_domain(run.domain)
        self.settings = settings_of(run)
        self._keep = keep
        self._skills: dict[str, Skill] = {s.key: s for s in run.skills.all()}

    def draw(
        self, skills: Iterable[Skill], split: Split, n: int, *, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        """The probes of a split for each skill, made rows of where they are not yet."""
        probes = [
            p
            for s in skills
            for p in self.domain.probes(s.key, split, n, seed=self.run.seed, exclude=exclude)
        ]
        self.keep_probes(probes)
        return probes

    def keep_probes(self, probes: Iterable[Probe]) -> None:
        self._keep.probes(
            [
                models.Probe(
                    skill=self._skills[p.skill],
                    key=p.id,
                    split=p.split,
                    question=p.question,
                    reference=p.reference,
                    grader=p.grader,
                )
                for p in probes
            ]
        )

    def keep_answers(self, who: Checkpoint | None, pairs: Sequence[tuple[Probe, Answer]]) -> None:
        rows = self._rows(probe for probe, _ in pairs)
        self._keep.answers(
            [
                models.Answer(
                    probe=rows[probe.skill, probe.id],
                    checkpoint=who,
                    text=answer.text,
                    grade=answer.grade,
                    tokens=answer.tokens,
                    grader=grading.version_of(probe.grader),
                    error=answer.error,
                    is_cut=answer.is_cut,
                )
                for probe, answer in pairs
            ]
        )

    def ask(
        self, backend: Backend, who: Checkpoint | None, probes: Sequence[Probe], beat: Beat
    ) -> Grades:
        """Ask what `who` has not answered yet; skill -> probe id -> grade of all of `probes`."""
        if who is None:
            self._reuse(self.missing(who, probes))
        missing = self.missing(who, probes)
        before = len(probes) - len(missing)
        probing = self.settings.probing
        ask(
            backend,
            missing,
            batch_size=probing.batch_size,
            max_tokens=probing.limit(is_teacher=who is None),
            beat=lambda done, _: beat(before + done, len(probes)),
            sink=lambda pairs: self.keep_answers(who, pairs),
        )
        return self._answered(who, probes)

    def _reuse(self, probes: Sequence[Probe]) -> None:
        """Take over what the same teacher said to the same question in another run: answers are
        greedy, and would be paid for twice. They cost this run nothing.
        """
        if self.run.teacher == roster.PROCEDURAL:  # which answers for nothing
            return
        limit = self.settings.probing.limit(is_teacher=True)
        earlier = (
            models.Answer.objects.filter(
                checkpoint=None,
                error="",
                probe__key__in=[p.id for p in probes],
                probe__skill__run__teacher=self.run.teacher,
                probe__skill__run__origin=None,  # a file that was imported proves nothing here
            )
            .filter(_cut_off_at(limit))
            .exclude(probe__skill__run=self.run)
            .select_related("probe")
            .order_by("-pk")  # the oldest of several comes last, and stays
        )
        said = {(a.probe.question, a.probe.reference, a.grader): a for a in earlier}
        if not said:
            return
        rows = self._rows(probes)
        reused = [
            models.Answer(
                probe=rows[probe.skill, probe.id],
                text=was.text,
                grade=was.grade,
                grader=was.grader,
                is_cut=was.is_cut,
                reused_from=was,
            )
            for probe in probes
            if (
                was := said.get((probe.question, probe.reference, grading.version_of(probe.grader)))
            )
        ]
        self._keep.answers(reused)

    def _rows(self, probes: Iterable[Probe]) -> dict[tuple[str, str], models.Probe]:
        """The rows of probes that are kept, by skill and id."""
        keys = [p.id for p in probes]
        found = models.Probe.objects.filter(skill__run=self.run, key__in=keys)
        return {(p.skill.key, p.key): p for p in found.select_related("skill")}

    def missing(self, who: Checkpoint | None, probes: Sequence[Probe]) -> list[Probe]:
        answered = self._answered(who, probes)
        return [p for p in probes if p.id not in answered.get(p.skill, {})]

    def _answered(self, who: Checkpoint | None, probes: Sequence[Probe]) -> Grades:
        wanted = {(p.skill, p.id) for p in probes}
        found = models.Answer.objects.filter(probe__skill__run=self.run, checkpoint=who)
        chosen = {
            k: {p: g for p, g in by_probe.items() if (k, p) in wanted}
            for k, by_probe in grades_of(found).items()
        }
        return {k: grades for k, grades in chosen.items() if grades}

    @contextmanager
    def teacher(self) -> Iterator[Backend]:
        backend = find_teacher(self.run.teacher)
        try:
            yield backend
        finally:
            backend.close()

    @contextmanager
    def student(self, checkpoint: Checkpoint) -> Iterator[Backend]:
        student = find_student(self.run.student)
        backend = roster.Lazy(student, home() / checkpoint.folder if checkpoint.folder else None)
        try:
            yield backend
        finally:
            backend.close()


def grades_of(answers: Any) -> Grades:
    found: Grades = {}
    for skill, probe, grade in answers.values_list("probe__skill__key", "probe__key", "grade"):
        found.setdefault(skill, {})[probe] = grade
    return found


def score_row(skill: Skill, who: Checkpoint | None, split: Split, value: Score) -> models.Score:
    return models.Score(
        skill=skill,
        checkpoint=who,
        split=split,
        n=value.n,
        mean=value.mean,
        low=value.low,
        high=value.high,
        is_exhaustive=value.is_exhaustive,
    )


def _cut_off_at(limit: int) -> Q:
    """Answers of runs whose teacher may say as much, by their settings: `Probing.limit`."""
    of_teacher = "probe__skill__run__settings__probing__teacher_answer_tokens"
    of_student = "probe__skill__run__settings__probing__max_answer_tokens"
    has_none = Q(**{of_teacher: None}) | Q(**{f"{of_teacher}__isnull": True})  # earlier versions
    return Q(**{of_teacher: limit}) | (has_none & Q(**{of_student: limit}))
