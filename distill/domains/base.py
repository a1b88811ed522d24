"""What can be taught: one protocol for generators and for files of questions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from random import Random
from typing import Protocol

from distill.records import Edge, Probe, Skill, Split

FULL_LEVEL = 3
"""Levels are sizes of instances: 1 smallest, 2, 3 the full range. Probes are always full."""

UNLIMITED = 2000
"""A split with at least as many questions counts as practically unlimited."""

_SHARES = ((64, Split.TRAIN), (76, Split.DIAGNOSE), (88, Split.GATE), (100, Split.FINAL))
_AROUND_PUNCTUATION = re.compile(r"\s*([^\w\s])\s*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A question of the train split, with its answer and two ways to say it."""

    key: str  # question_key of the question
    skill: str
    question: str
    answer: str  # bare
    worked: str  # step by step, ending in "Answer: X"
    terse: str  # "Answer: X"
    level: int = FULL_LEVEL


class Domain(Protocol):
    """Skills, what they build on, and questions for each.

    Deterministic: the same arguments give the same questions in every process. The split of a
    question is a function of its words (`split_of`) or declared by its file, so a probe is never
    a training problem.
    """

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def skills(self) -> tuple[Skill, ...]: ...

    def edges(self) -> tuple[Edge, ...]:
        """Declared prerequisites, in the order of the skills."""
        ...

    def grader(self, skill: str) -> str:
        """Name of the grader that judges answers of this skill."""
        ...

    def asks(self, skill: str, question: str) -> bool | None:
        """Whether a question is one of this skill; None where that cannot be told from its words.

        For what others write: a skill's own questions are never called another's.
        """
        ...

    def dealt_to(self, question: str) -> Split | None:
        """The split of a question that the domain asks, in whatever words it is put here; None
        where that cannot be told from its words, or no skill asks it.

        For what others write: what is for measuring is no training item, asked yet or not.
        """
        ...

    def probes(
        self, skill: str, split: Split, n: int, *, seed: int, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        """Up to `n` distinct probes, none whose id is in `exclude`; fewer when the split is
        exhausted. Raises ValueError for the train split, which is for teaching.
        """
        ...

    def size(self, skill: str, split: Split) -> int | None:
        """Number of distinct questions in the split; None from `UNLIMITED` on."""
        ...

    def problems(
        self,
        skill: str,
        n: int,
        *,
        seed: int,
        level: int = FULL_LEVEL,
        exclude: Set[str] = frozenset(),
    ) -> list[Problem]:
        """Up to `n` distinct problems of the train split, none whose key is in `exclude`.
        Empty for skills that are never taught or have no generator.
        """
        ...


def question_key(question: str) -> str:
    """Return 32 hex digits that name a question: the same words, the same key.

    Case, kind of whitespace, and spaces around punctuation do not count.

    >>> question_key("What is 3 + 4?") == question_key("  what IS 3+4 ?")
    True
    """
    words = unicodedata.normalize("NFKC", question).casefold()
    words = _AROUND_PUNCTUATION.sub(r"\1", " ".join(words.split()))
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def split_of(key: str) -> Split:
    """Return the split a key belongs to: 64 % train, 12 % each of diagnose, gate and final.

    Raises ValueError for a key that is not `question_key`'s. Ours: the paper draws probes and
    training data from one pool; a hash keeps them apart whatever the seed.
    """
    percent = int(key[:8], 16) * 100 >> 32
    return next(split for below, split in _SHARES if percent < below)


def drawn_from(
    listed: Iterable[Probe], skill: str, split: Split, n: int, *, seed: int, exclude: Set[str]
) -> list[Probe]:
    """`Domain.probes` where the skill's questions are listed: up to `n` of them.

    Deterministic: the same skill, split and seed bring the same ones in the same order, whatever
    `n` is, and what is excluded is passed over. Raises ValueError for the train split.
    """
    if split is Split.TRAIN:
        raise ValueError("Probes are never drawn from the train split.")
    found = [p for p in listed if p.split is split]
    Random(f"{skill}:{seed}:{split}").shuffle(found)
    return [p for p in found if p.id not in exclude][:n]


def declared_edges(skills: Sequence[Skill]) -> tuple[Edge, ...]:
    """One edge for each prerequisite, in the order of the skills."""
    return tuple(Edge(source, skill.id) for skill in skills for source in skill.prerequisites)
