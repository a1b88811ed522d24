"""What domains with generators share: a question with its answer, dealt to splits by its words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import islice

from distill.domains.base import FULL_LEVEL, Problem, declared_edges, question_key, split_of
from distill.records import Edge, Probe, Skill, Split


@dataclass(frozen=True, slots=True)
class Draft:
    question: str
    answer: str
    steps: tuple[str, ...] = ()  # none: nothing to work out, the answer is known by heart

    @property
    def terse(self) -> str:
        return f"Answer: {self.answer}"

    @property
    def worked(self) -> str:
        return ". ".join((*self.steps, self.terse))


Keyed = tuple[str, Draft]  # question_key of its question, and the draft


def distinct(drafts: Iterable[Draft], split: Split, exclude: Set[str]) -> Iterator[Keyed]:
    """Those of a split, each question once, and none whose key is in `exclude`."""
    seen = set(exclude)
    for draft in drafts:
        key = question_key(draft.question)
        if key not in seen and split_of(key) is split:
            seen.add(key)
            yield key, draft


class Drafted(ABC):
    """A domain whose questions are drafted: it says which (`_questions`), this does the rest."""

    skills: tuple[Skill, ...]

    @abstractmethod
    def grader(self, skill: str) -> str: ...

    @abstractmethod
    def _questions(
        self, skill: str, split: Split, n: int, level: int, seed: int, exclude: Set[str]
    ) -> Iterator[Keyed]:
        """Distinct questions in an order of the seed's; ends when there are no more.

        n: how many will be taken at most. Raises DomainError for a skill that it does not have.
        """

    def asks(self, skill: str, question: str) -> bool | None:
        """None, unless the domain knows better: what was drawn from a vast space is not listed."""
        return None

    def dealt_to(self, question: str) -> Split | None:
        """None, unless the domain knows better."""
        return None

    def edges(self) -> tuple[Edge, ...]:
        return declared_edges(self.skills)

    def probes(
        self, skill: str, split: Split, n: int, *, seed: int, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        if split is Split.TRAIN:
            raise ValueError("Probes are never drawn from the train split.")
        grader = self.grader(skill)
        found = islice(self._questions(skill, split, n, FULL_LEVEL, seed, exclude), n)
        return [Probe(key, skill, split, d.question, d.answer, grader) for key, d in found]

    def problems(
        self,
        skill: str,
        n: int,
        *,
        seed: int,
        level: int = FULL_LEVEL,
        exclude: Set[str] = frozenset(),
    ) -> list[Problem]:
        """Up to `n` distinct problems; always empty for transfer skills, which nobody trains."""
        if not 1 <= level <= FULL_LEVEL:
            raise ValueError(f"A level is 1 to {FULL_LEVEL}, not {level}.")
        if any(s.id == skill and s.is_transfer for s in self.skills):
            return []
        found = islice(self._questions(skill, Split.TRAIN, n, level, seed, exclude), n)
        return [
            Problem(key, skill, d.question, d.answer, d.worked, d.terse, level) for key, d in found
        ]
