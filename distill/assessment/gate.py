"""The gate's evidence: as few fresh probes as the case needs, for the stage and for what was."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from distill.assessment.mastery import judge, most_probes
from distill.assessment.retention import judge_retention
from distill.backends.base import Backend, Beat, no_beat
from distill.domains.base import Domain
from distill.identifier.probing import Sink, ask, no_sink
from distill.records import Answer, Gap, Probe, Split
from distill.settings import Settings, Thresholds
from distill.verdicts import GateAnswer, GateEvidence, RetentionVerdict, SkillVerdict, WaivedVerdict


@dataclass(frozen=True, slots=True)
class Was:
    """What a mastered skill scored when it was mastered: at its gate, or in the diagnosis."""

    mean: float  # 0..1
    n: int
    is_exhaustive: bool = False  # on all the gate probes there are


Grades = dict[str, dict[str, float]]
"""skill -> probe id -> grade: everything one checkpoint has answered on the gate split."""


def known_at_start(
    gaps: Mapping[str, Gap], answered: Mapping[str, Mapping[str, float]], thresholds: Thresholds
) -> dict[str, Was]:
    """Skills that sit already by the student's answers to the diagnosis: skill -> its score.

    They are not taught, and every gate asks whether they are kept, like those that were. Pure.
    """
    known = {}
    for skill, gap in gaps.items():
        if gap.is_teachable and not gap.is_deficient:
            grades = list(answered[skill].values())
            verdict = judge(skill, grades, gap.teacher.mean, thresholds)
            if verdict.answer is GateAnswer.MASTERED:
                known[skill] = Was(gap.student.mean, len(grades))
    return known


def known_by_now(
    gaps: Mapping[str, Gap], answered: Mapping[str, Mapping[str, float]], thresholds: Thresholds
) -> dict[str, Was]:
    """Skills that sit by the student's later answers to diagnostic probes: skill -> its score.

    answered: skill -> probe id -> grade, of one student; gaps: the diagnosis, for P_T. The test is
    the gate's (Eq. 9, `judge`): what it leaves unclear does not sit. Pure.
    """
    known = {}
    for skill, given in answered.items():
        grades, gap = list(given.values()), gaps[skill]
        if gap.is_teachable and grades:
            verdict = judge(skill, grades, gap.teacher.mean, thresholds)
            if verdict.answer is GateAnswer.MASTERED:
                known[skill] = Was(sum(grades) / len(grades), len(grades))
    return known


@dataclass(slots=True)
class GateExam:
    """One checkpoint before the gate: which probes it has still to answer, and the verdicts.

    Resumable: hand in the grades already there and only the missing probes are asked. Probes
    that earlier checkpoints have seen are asked only when a skill has no fresh ones left. A
    question that the student was trained on is never asked, and an answer to one that is there
    all the same is void: it is taken out of `grades`, counted, and told with the evidence.

    Source: He et al. 2026, Eq. 9. Ours: retention, the third answer, and what was waived.
    """

    domain: Domain
    settings: Settings
    seed: int
    stage: Sequence[str]
    mastered: Mapping[str, Was]  # what sits, and is to be kept
    p_teacher: Mapping[str, float]  # P_T of the stage's skills and of `waived`, from the diagnosis
    seen: Mapping[str, Set[str]]  # skill -> gate probe ids asked of earlier checkpoints
    grades: Grades
    trained: Set[str] = frozenset()  # question keys of all that the student was trained on
    waived: Mapping[str, Was] = field(default_factory=dict)  # let pass without sitting; one look
    void: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for skill, grades in self.grades.items():
            if found := grades.keys() & self.trained:
                self.void[skill] = len(found)
        self.grades = {
            skill: {probe: grade for probe, grade in grades.items() if probe not in self.trained}
            for skill, grades in self.grades.items()
        }

    def run(self, backend: Backend, *, beat: Beat = no_beat, sink: Sink = no_sink) -> GateEvidence:
        """Ask look by look until every answer is clear or the cap is reached.

        Raises what `backend`, `beat` and `sink` raise; what was sunk by then is kept.
        """
        answered = sum(len(g) for g in self.grades.values())
        while wanted := self._next_look():
            before, total = answered, answered + len(wanted)

            def keep(answered: Sequence[tuple[Probe, Answer]]) -> None:
                sink(answered)
                for probe, answer in answered:
                    self.grades.setdefault(probe.skill, {})[probe.id] = answer.grade

            def tell(done: int, _: int, before: int = before, total: int = total) -> None:
                beat(before + done, total)

            ask(
                backend,
                wanted,
                batch_size=self.settings.probing.batch_size,
                max_tokens=self.settings.probing.max_answer_tokens,
                beat=tell,
                sink=keep,
            )
            answered = total
        return self.evidence()

    def probes(self, skill: str, n: int) -> list[Probe]:
        """The first `n` gate probes for this checkpoint: fresh ones first, the same every time."""
        known = self.seen.get(skill, frozenset()) | self.trained
        fresh = self.domain.probes(skill, Split.GATE, n, seed=self.seed, exclude=known)
        if len(fresh) >= n:
            return fresh
        ids = {p.id for p in fresh} | self.trained
        return fresh + self.domain.probes(
            skill, Split.GATE, n - len(fresh), seed=self.seed, exclude=ids
        )

    def evidence(self) -> GateEvidence:
        """The verdicts on the grades that are there."""
        return GateEvidence(
            stage=tuple(self._judge(k) for k in self.stage),
            retention=tuple(self._retention(k, was) for k, was in sorted(self.mastered.items())),
            waived=tuple(self._waived(k, was) for k, was in sorted(self.waived.items())),
            void=tuple(sorted(self.void.items())),
        )

    def _next_look(self) -> list[Probe]:
        """Probes that are wanted and not answered: the first look, then more where unclear.

        Every skill's look before any skill's next, also where an interruption left some ahead of
        others: a model that answers in batches answers a little otherwise in other batches, and a
        run that goes on is to end as it would have. For the same reason what was waived is asked
        last and by itself: whether it is asked changes no verdict.
        """
        probing = self.settings.probing
        evidence = self.evidence()
        wanted: dict[str, int] = {}  # skill -> the look it has to finish
        for skill in (*self.stage, *sorted(self.mastered)):
            answered = self.grades.get(skill, {})
            # a look that was begun is finished, so that an interruption changes no verdict
            looks = max(1, math.ceil(len(answered) / probing.gate_probes))
            is_whole = len(answered) == looks * probing.gate_probes
            if is_whole and skill in evidence.unclear:
                looks += 1
            if self._missing(skill, looks):
                wanted[skill] = looks
        if not wanted:
            wanted = {k: 1 for k in sorted(self.waived) if self._missing(k, 1)}
        first = min(wanted.values(), default=0)
        return [p for k, look in wanted.items() if look == first for p in self._missing(k, look)]

    def _missing(self, skill: str, looks: int) -> list[Probe]:
        """The probes of so many looks that are not answered yet."""
        n = min(looks * self.settings.probing.gate_probes, self._most(skill))
        answered = self.grades.get(skill, {})
        return [p for p in self.probes(skill, n) if p.id not in answered]

    def _judge(self, skill: str) -> SkillVerdict:
        grades = list(self.grades.get(skill, {}).values())
        return judge(
            skill,
            grades,
            self.p_teacher[skill],
            self.settings.thresholds,
            is_last_look=self._is_last_look(skill),
            is_exhaustive=self._is_exhaustive(skill),
        )

    def _retention(self, skill: str, was: Was) -> RetentionVerdict:
        return judge_retention(
            skill,
            list(self.grades.get(skill, {}).values()),
            was.mean,
            was.n,
            self.settings.thresholds,
            is_exhaustive=self._is_exhaustive(skill),
            was_exhaustive=was.is_exhaustive,
        )

    def _waived(self, skill: str, was: Was) -> WaivedVerdict:
        sits, kept = self._judge(skill), self._retention(skill, was)
        return WaivedVerdict(
            skill, sits.answer, kept.answer, kept.was, kept.now, kept.low, kept.high, kept.n
        )

    def _is_exhaustive(self, skill: str) -> bool:
        size = self.domain.size(skill, Split.GATE)
        return size is not None and len(self.grades.get(skill, {})) >= size

    def _is_last_look(self, skill: str) -> bool:
        return len(self.grades.get(skill, {})) >= self._most(skill)

    def _most(self, skill: str) -> int:
        probing = self.settings.probing
        if skill in self.mastered:  # compared with what it was, not with the teacher
            return probing.gate_probes_cap
        return most_probes(self.p_teacher[skill], probing, self.settings.thresholds)
