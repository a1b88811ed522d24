"""The built-in domain: skills with exact generators, small enough for a student of 135M."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from functools import cache
from random import Random

from distill.arithmetic import plain_sum, value_of
from distill.domains.base import FULL_LEVEL, UNLIMITED, question_key, split_of
from distill.domains.drafts import Drafted, Keyed, distinct
from distill.domains.foundations import algebra, arithmetic, lists, stories
from distill.domains.foundations.examples import EXAMPLES
from distill.domains.foundations.sheet import Generator
from distill.errors import DomainError
from distill.records import Skill, Split

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


class Foundations(Drafted):
    """Arithmetic, algebra, word problems, words and lists: 16 skills and 3 for transfer.

    The words of a question decide its split, so no probe is ever a training problem, whatever
    the seeds. Spaces of a few thousand questions are listed and dealt without replacement: the
    same seed gives the same order, and asking for more only makes the list longer.

    Ours. The edges are declared, to be tested.
    """

    id = "foundations"
    title = "Foundations: arithmetic, stories, words and lists"
    version = "2"  # 2: other worked solutions, see docs/decisions/0027

    def __init__(self) -> None:
        self.skills: tuple[Skill, ...] = tuple(
            replace(g.skill, examples=EXAMPLES.get(k, ())) for k, g in GENERATORS.items()
        )

    def grader(self, skill: str) -> str:
        return _generator(skill).grader

    def asks(self, skill: str, question: str) -> bool | None:
        """Of plain sums, however they are put: each is of one skill, or of none of these."""
        generator, asked = _generator(skill), plain_sum(question)
        if asked is None:
            return None
        if generator.sums is not None:
            value = value_of(asked)
            return generator.sums.fullmatch(asked) is not None and value is not None and value >= 0
        return asked in _sums(skill)

    def dealt_to(self, question: str) -> Split | None:
        """Of plain sums that a skill has, however they are put."""
        asked = plain_sum(question)
        if asked is None or not any(self.asks(k, question) for k in GENERATORS):
            return None
        return split_of(question_key(f"What is {asked}?"))

    def size(self, skill: str, split: Split) -> int | None:
        if _generator(skill).every is None:
            return None
        n = len(_listed(skill, FULL_LEVEL, split))
        return n if n < UNLIMITED else None

    def _questions(
        self, skill: str, split: Split, n: int, level: int, seed: int, exclude: Set[str]
    ) -> Iterator[Keyed]:
        draw = _generator(skill).draw
        # hashed, so that neighbouring seeds share nothing
        random = Random(f"{skill}:{seed}:{split}:{level}")
        if draw is None:
            listed = list(_listed(skill, level, split))
            random.shuffle(listed)
            yield from (found for found in listed if found[0] not in exclude)
            return
        tries = 2000 + 100 * (n + len(exclude))  # ends, even where small levels run dry
        yield from distinct((draw(random, level) for _ in range(tries)), split, exclude)


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


@cache
def _sums(skill: str) -> frozenset[str]:
    """The plain sums among the questions of a skill that is listed. Cached."""
    every = GENERATORS[skill].every
    listed = () if every is None else every(FULL_LEVEL)
    return frozenset(s for draft in listed if (s := plain_sum(draft.question)) is not None)
