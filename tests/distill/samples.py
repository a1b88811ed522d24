"""The smallest records, a domain of numbered questions, and a student made of a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from distill.backends.base import Prompt, Reply
from distill.domains.base import FULL_LEVEL, Problem, declared_edges, question_key
from distill.records import Edge, Gap, Item, Probe, Score, Skill, Split
from distill.verdicts import (
    GateAnswer,
    GateEvidence,
    Retention,
    RetentionVerdict,
    SkillVerdict,
    WaivedVerdict,
)

MEASURED = (Split.DIAGNOSE, Split.GATE, Split.FINAL)


def gap_of(skill: str, ratio: float, *, p_teacher: float = 1.0, threshold: float = 0.3) -> Gap:
    teacher = Score(skill, 64, p_teacher, p_teacher, p_teacher)
    student = Score(skill, 64, ratio * p_teacher, 0.0, 1.0)
    if p_teacher < 0.5:
        return Gap(skill, teacher, student, None, None, None, False, False)
    gap = 1.0 - ratio
    return Gap(skill, teacher, student, gap, gap, gap, gap > threshold, True)


def skill_of(id: str, *prerequisites: str, is_transfer: bool = False) -> Skill:
    return Skill(id, f"Skill {id}", "", prerequisites=prerequisites, is_transfer=is_transfer)


def item_of(skill: str, number: int = 0, *, level: int = 3, round_key: str = "s1r0") -> Item:
    return Item(
        key=f"{round_key}-{skill}-{number}",
        skill=skill,
        question=f"{skill}: what is {number} + 0?",
        solution=f"Answer: {number}",
        answer=str(number),
        level=level,
    )


def verdict(skill: str, answer: GateAnswer, ratio: float = 0.5) -> SkillVerdict:
    return SkillVerdict(skill, answer, ratio, ratio, ratio, 32)


def retention(skill: str, answer: Retention, *, was: float, now: float) -> RetentionVerdict:
    return RetentionVerdict(skill, answer, was, now, now, now, 32)


def waived(skill: str, answer: GateAnswer, *, now: float) -> WaivedVerdict:
    return WaivedVerdict(skill, answer, Retention.UNCLEAR, now, now, now, now, 32)


def evidence_of(*verdicts: SkillVerdict | RetentionVerdict | WaivedVerdict) -> GateEvidence:
    return GateEvidence(
        tuple(v for v in verdicts if isinstance(v, SkillVerdict)),
        tuple(v for v in verdicts if isinstance(v, RetentionVerdict)),
        tuple(v for v in verdicts if isinstance(v, WaivedVerdict)),
    )


@dataclass
class Numbered:
    """A domain of the questions 0, 1, 2 … of each skill, so many a split."""

    skills: tuple[Skill, ...]
    sizes: Mapping[Split, int] = field(default_factory=lambda: dict.fromkeys(Split, 5000))
    small: int = 5000  # how many train questions there are at levels 1 and 2, each

    id = "numbered"
    title = "Numbered"
    version = "1"

    def edges(self) -> tuple[Edge, ...]:
        return declared_edges(self.skills)

    def grader(self, skill: str) -> str:
        return "number"

    def asks(self, skill: str, question: str) -> bool | None:
        return None

    def dealt_to(self, question: str) -> Split | None:
        return None

    def size(self, skill: str, split: Split) -> int | None:
        return self.sizes[split] if self.sizes[split] < 2000 else None

    def probes(
        self, skill: str, split: Split, n: int, *, seed: int, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        found: list[Probe] = []
        for number in range(self.sizes[split]):
            if len(found) == n:
                break
            question = f"{skill} {split} {number}"
            if question_key(question) not in exclude:
                found.append(
                    Probe(question_key(question), skill, split, question, str(number), "number")
                )
        return found

    def problems(
        self,
        skill: str,
        n: int,
        *,
        seed: int,
        level: int = FULL_LEVEL,
        exclude: Set[str] = frozenset(),
    ) -> list[Problem]:
        found: list[Problem] = []
        for number in range(self.sizes[Split.TRAIN] if level == FULL_LEVEL else self.small):
            if len(found) == n:
                break
            question = f"{skill} train {level} {number}"
            key = question_key(question)
            if key not in exclude:
                terse = f"Answer: {number}"
                worked = f"It is {number}. {terse}"
                found.append(Problem(key, skill, question, str(number), worked, terse, level))
        return found


class RuleStudent:
    """Right where the rule says so; remembers every question it was asked."""

    name = "rule"

    def __init__(self, is_right: Callable[[Prompt], bool]) -> None:
        self._is_right = is_right
        self.asked: list[str] = []

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        self.asked += [p.text for p in prompts]
        return [
            Reply(f"Answer: {p.reference}" if self._is_right(p) else "no idea", 1, 1)
            for p in prompts
        ]

    def close(self) -> None:
        pass
