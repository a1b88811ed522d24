"""The built-in domain: skills with exact generators, small enough for a student of 135M."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import cache
from itertools import islice
from random import Random

from distill.domains.base import (
    FULL_LEVEL,
    UNLIMITED,
    Problem,
    declared_edges,
    question_key,
    split_of,
)
from distill.domains.foundations import algebra, arithmetic, lists, stories
from distill.domains.foundations.sheet import Draft, Generator
from distill.errors import DomainError
from distill.records import Edge, Probe, Skill, Split

GENERATORS: dict[str, Generator] = {
    generator.skill.id: generator
    for generator in (
        *arithmetic.GENERATORS,
        *algebra.GENERATORS,
        *stories.GENERATORS,
        *lists.GENERATORS,
        *stories.TRANSFER,
        *arithmetic.TRANSFER,
        *lists.TRANSFER,
    )
}

Keyed = tuple[str, Draft]


class Foundations:
    """Arithmetic, algebra, word problems, words and lists: 16 skills and 3 for transfer.

    The words of a question decide its split, so no probe is ever a training problem, whatever
    the seeds. Spaces of a few thousand questions are listed and dealt without replacement: the
    same seed gives the same order, and asking for more only makes the list longer.

    Source: METHOD.md 6. Ours: the edges are declared, to be tested.
    """

    id = "foundations"
    title = "Foundations: arithmetic, stories, words and lists"
    version = "1"

    def __init__(self) -> None:
        self.skills: tuple[Skill, ...] = tuple(g.skill for g in GENERATORS.values())

    def edges(self) -> tuple[Edge, ...]:
        return declared_edges(self.skills)

    def grader(self, skill: str) -> str:
        return _generator(skill).grader

    def size(self, skill: str, split: Split) -> int | None:
        if _generator(skill).every is None:
            return None
        n = len(_listed(skill, FULL_LEVEL, split))
        return n if n < UNLIMITED else None

    def probes(
        self, skill: str, split: Split, n: int, *, seed: int, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        if split is Split.TRAIN:
            raise ValueError("Probes are never drawn from the train split.")
        grader = self.grader(skill)
        found = islice(_questions(skill, split, n, FULL_LEVEL, seed, exclude), n)
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
        if _generator(skill).skill.is_transfer:
            return []
        found = islice(_questions(skill, Split.TRAIN, n, level, seed, exclude), n)
        return [
            Problem(key, skill, d.question, d.answer, d.worked, d.terse, level) for key, d in found
        ]


def _generator(skill: str) -> Generator:
    try:
        return GENERATORS[skill]
    except KeyError:
        known = ", ".join(GENERATORS)
        raise DomainError(f"Foundations has no skill “{skill}”. It has: {known}.") from None


@cache
def _listed(skill: str, level: int, split: Split) -> tuple[Keyed, ...]:
    """All distinct questions of a skill that is listed rather than drawn. Cached."""
    every = GENERATORS[skill].every
    assert every is not None, skill
    drafts = {question_key(draft.question): draft for draft in every(level)}
    return tuple((key, draft) for key, draft in drafts.items() if split_of(key) is split)


def _questions(
    skill: str, split: Split, n: int, level: int, seed: int, exclude: Set[str]
) -> Iterator[Keyed]:
    """Distinct questions in an order of the seed's; ends when there are no more."""
    random = Random(f"{skill}:{seed}:{split}:{level}")  # hashed: neighbouring seeds share nothing
    draw = GENERATORS[skill].draw
    if draw is None:
        listed = list(_listed(skill, level, split))
        random.shuffle(listed)
        yield from (found for found in listed if found[0] not in exclude)
        return
    seen = set(exclude)
    for _ in range(2000 + 100 * (n + len(exclude))):  # ends, even where small levels run dry
        draft = draw(random, level)
        key = question_key(draft.question)
        if key not in seen and split_of(key) is split:
            seen.add(key)
            yield key, draft
