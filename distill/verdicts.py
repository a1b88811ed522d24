"""What a gate found: its word on each skill, and what follows from all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class GateAnswer(StrEnum):
    MASTERED = "mastered"
    NOT_YET = "not_yet"
    UNCLEAR = "unclear"  # probe more


class Retention(StrEnum):
    KEPT = "kept"
    UNCLEAR = "unclear"  # probe more
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class SkillVerdict:
    """The gate's word on one skill of the stage. Ratios are P_S/P_T."""

    skill: str
    answer: GateAnswer
    ratio: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class RetentionVerdict:
    """The gate's word on one skill mastered earlier. Scores are mean grades in 0..1."""

    skill: str
    answer: Retention
    was: float
    now: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class WaivedVerdict:
    """What became of a skill that was waived earlier. Scores are mean grades in 0..1."""

    skill: str
    answer: GateAnswer  # by the gate's own test, on one look: it may well be unclear
    since: Retention  # whether it is less than it was when it was waived
    was: float
    now: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """What a gate found of the stage's skills, and of those settled before. Decides nothing."""

    stage: tuple[SkillVerdict, ...]
    retention: tuple[RetentionVerdict, ...]
    waived: tuple[WaivedVerdict, ...] = ()  # told, and held against nothing
    void: tuple[tuple[str, int], ...] = ()  # skill, and how many of its answers do not count:
    # their questions were found in what the student was trained on

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> GateEvidence:
        """The evidence that `dataclasses.asdict` and JSON made plain. Raises where it is none."""
        return cls(
            tuple(
                SkillVerdict(**{**v, "answer": GateAnswer(v["answer"])}) for v in values["stage"]
            ),
            tuple(
                RetentionVerdict(**{**v, "answer": Retention(v["answer"])})
                for v in values["retention"]
            ),
            tuple(
                WaivedVerdict(
                    **{**v, "answer": GateAnswer(v["answer"]), "since": Retention(v["since"])}
                )
                for v in values.get("waived", ())  # evidence of earlier versions has none
            ),
            tuple((skill, n) for skill, n in values.get("void", ())),
        )

    @property
    def forgotten(self) -> tuple[str, ...]:
        return tuple(v.skill for v in self.retention if v.answer is Retention.FORGOTTEN)

    @property
    def unclear(self) -> tuple[str, ...]:
        """Skills for which more probes are wanted."""
        stage = [v.skill for v in self.stage if v.answer is GateAnswer.UNCLEAR]
        return (*stage, *(v.skill for v in self.retention if v.answer is Retention.UNCLEAR))

    @property
    def allows_advance(self) -> bool:
        """Whether everything that was measured of the stage is mastered, and nothing forgotten."""
        return self.allows_advance_of(v.skill for v in self.stage)

    def allows_advance_of(self, skills: Iterable[str]) -> bool:
        """The same of `skills`, one at least: what was not measured is not mastered."""
        mastered = {v.skill for v in self.stage if v.answer is GateAnswer.MASTERED}
        wanted = set(skills)
        return bool(wanted) and wanted <= mastered and not self.forgotten
