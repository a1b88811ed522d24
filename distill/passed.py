"""What the stages behind have left: what sits, what was waived, and what that lacks by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from distill.assessment.gate import Was
from distill.organizer import mixture
from distill.organizer.stages import lacking
from distill.records import Gap, Score
from distill.verdicts import GateAnswer, GateEvidence


def left_lacking(
    lacks: Mapping[str, float], evidence: GateEvidence, gaps: Mapping[str, Gap]
) -> dict[str, float]:
    """What skills that were let pass without sitting lack by a later gate, in 0..1.

    lacks: skill -> what it lacked before. By the gate's answers: a waived skill lacks 1 − r, and
    nothing where it sits by now; one that was found forgotten lacks the share that is lost, and
    nothing where that is not so any more. gaps: the diagnosis, for the teacher's scores; what
    has none stays as it was. Pure.
    """
    found = dict(lacks)
    forgotten, (_, lost) = set(evidence.forgotten), mixture.still_needed(evidence)
    for v in evidence.retention:
        if v.skill in found:
            found[v.skill] = lost[v.skill] if v.skill in forgotten else 0.0
    for w in evidence.waived:
        if w.skill in gaps:
            sits = w.answer is GateAnswer.MASTERED
            found[w.skill] = 0.0 if sits else lacking(gaps[w.skill], w.now)
    return found


@dataclass(slots=True)
class Passed:
    """The skills that a run has behind it. Scores are mean grades, 0..1, with their probes."""

    mastered: dict[str, Was] = field(default_factory=dict)
    waived: dict[str, Was] = field(default_factory=dict)  # what each scored when it was
    skills: set[str] = field(default_factory=set)  # of stages that are over, however they ended
    _lacks: dict[str, float] = field(default_factory=dict)

    @property
    def known(self) -> set[str]:
        """What is rehearsed."""
        return {*self.mastered, *self.skills}

    def beside(self, stage: Iterable[str]) -> dict[str, float]:
        """What a round of another stage teaches beside: skill -> what it lacks, in 0..1."""
        own = set(stage)
        return {k: v for k, v in self._lacks.items() if k not in own}

    def settle(
        self, evidence: GateEvidence, scores: Mapping[str, Score], *, is_waived: bool
    ) -> None:
        """The stage is over, by the evidence on the student that is gone on from."""
        for verdict in evidence.stage:
            sits = verdict.answer is GateAnswer.MASTERED
            got, behind = scores[verdict.skill], self.mastered if sits else self.waived
            behind[verdict.skill] = Was(got.mean, got.n, got.is_exhaustive)
        if is_waived:  # with it, what was found forgotten
            self._lacks |= mixture.still_needed(evidence)[0]

    def look_back(self, evidence: GateEvidence, gaps: Mapping[str, Gap]) -> None:
        """See `left_lacking`."""
        self._lacks = left_lacking(self._lacks, evidence, gaps)
