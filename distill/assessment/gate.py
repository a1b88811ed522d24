"""The gate's evidence: as few fresh probes as the case needs, for the stage and for what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from distill.assessment.mastery import judge
from distill.assessment.retention import judge_retention
from distill.backends.base import Backend, Beat, no_beat
from distill.domains.base import Domain
from distill.identifier.probing import Sink, ask, no_sink
from distill.records import Answer, GateEvidence, Probe, RetentionVerdict, SkillVerdict, Split
from distill.settings import Settings


@dataclass(frozen=True, slots=True)
class Was:
    """What a mastered skill scored on gate probes when it was mastered; mean in 0..1."""

    mean: float
    n: int


Grades = dict[str, dict[str, float]]
"""skill -> probe id -> grade: everything one checkpoint has answered on the gate split."""


@dataclass(slots=True)
class GateExam:
    """One checkpoint before the gate: which probes it has still to answer, and the verdicts.

    Resumable: hand in the grades already there and only the missing probes are asked. Probes
    that earlier checkpoints have seen are asked only when a skill has no fresh ones left.

    Source: He et al. 2026, Eq. 9, and METHOD.md 2 for retention and the third answer.
    """

    domain: Domain
    settings: Settings
    seed: int
    stage: Sequence[str]
    mastered: Mapping[str, Was]
    p_teacher: Mapping[str, float]  # P_T of each skill of the stage, measured once
    seen: Mapping[str, Set[str]]  # skill -> gate probe ids asked of earlier checkpoints
    grades: Grades

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
        fresh = self.domain.probes(
            skill, Split.GATE, n, seed=self.seed, exclude=self.seen.get(skill, frozenset())
        )
        if len(fresh) >= n:
            return fresh
        ids = {p.id for p in fresh}
        return fresh + self.domain.probes(
            skill, Split.GATE, n - len(fresh), seed=self.seed, exclude=ids
        )

    def evidence(self) -> GateEvidence:
        """The verdicts on the grades that are there."""
        return GateEvidence(
            stage=tuple(self._judge(k) for k in self.stage),
            retention=tuple(self._retention(k) for k in sorted(self.mastered)),
        )

    def _next_look(self) -> list[Probe]:
        """Probes that are wanted and not answered: the first look, then more where unclear."""
        probing = self.settings.probing
        evidence = self.evidence()
        wanted: list[Probe] = []
        for skill in (*self.stage, *sorted(self.mastered)):
            have = len(self.grades.get(skill, {}))
            if have >= probing.gate_probes and skill not in evidence.unclear:
                continue
            looks = have // probing.gate_probes + 1
            n = min(looks * probing.gate_probes, probing.gate_probes_cap)
            answered = self.grades.get(skill, {})
            wanted += [p for p in self.probes(skill, n) if p.id not in answered]
        return wanted

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

    def _retention(self, skill: str) -> RetentionVerdict:
        was = self.mastered[skill]
        return judge_retention(
            skill,
            list(self.grades.get(skill, {}).values()),
            was.mean,
            was.n,
            self.settings.thresholds,
            is_exhaustive=self._is_exhaustive(skill) and was.n >= (self._size(skill) or 0),
        )

    def _size(self, skill: str) -> int | None:
        return self.domain.size(skill, Split.GATE)

    def _is_exhaustive(self, skill: str) -> bool:
        size = self._size(skill)
        return size is not None and len(self.grades.get(skill, {})) >= size

    def _is_last_look(self, skill: str) -> bool:
        return len(self.grades.get(skill, {})) >= self.settings.probing.gate_probes_cap
