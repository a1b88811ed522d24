"""`gym`: families of reasoning-gym as a domain. Needs the extra of that name."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Set
from functools import cache
from importlib import metadata
from random import Random
from typing import Any

from distill import grading
from distill.domains.drafts import Draft, Drafted, Keyed, distinct
from distill.domains.gym.families import FAMILIES, Family
from distill.errors import DomainError
from distill.records import Probe, Skill, Split

ASKED_FOR = 'End with "Answer: " and the answer.'
"""Said after each question; a change of it is a new version of the domain."""

_LIBRARY = "reasoning_gym"
_PLENTY = 2**62  # of items that a family says it has: it draws each from the seed plus its index
_CAP_CHARACTERS = 600  # of a question


class Gym(Drafted):
    """Fifteen of reasoning-gym's 106 families, whose answers can be worked out a second time.

    An item is used where our own solver, from the question's words, comes to an answer that
    accepts reasoning-gym's; what it calls right is never asked, for it gives credit for pieces of
    an answer. The words of a question decide its split. Its neighbouring seeds share nearly all
    items, so ours are hashed first. Families that draw from a set of letters (isomorphic_strings,
    ransom_note) ask other questions in each process and are left out: deterministic for one
    version of reasoning-gym.

    Source: Stojanovski et al., "Reasoning Gym", 2025 (Apache-2.0).
    """

    id = "gym"
    title = "Gym: families of reasoning-gym"

    def __init__(self) -> None:
        """Raises DomainError where reasoning-gym is not installed."""
        _library()
        self.version = f"1, reasoning-gym {metadata.version('reasoning-gym')}"
        self.skills: tuple[Skill, ...] = tuple(family.skill for family in FAMILIES.values())

    def grader(self, skill: str) -> str:
        return _family(skill).grader

    def size(self, skill: str, split: Split) -> int | None:
        """None: there are always enough. Raises DomainError for a skill that it does not have."""
        _family(skill)
        return None

    def _questions(
        self, skill: str, split: Split, n: int, level: int, seed: int, exclude: Set[str]
    ) -> Iterator[Keyed]:
        family = _family(skill)
        tries = 500 + 40 * (n + len(exclude))  # ends, even where small levels run dry
        yield from distinct(_drafts(family, split, level, seed, tries), split, exclude)


def checked(family: Family, question: str, answer: str) -> Draft | None:
    """Our answer to a question, with its steps; None where we have none, or not the same one."""
    asked = f"{question.strip()}\n{ASKED_FOR}"
    draft = family.solve(asked)
    if draft is None or len(asked) > _CAP_CHARACTERS:
        return None
    probe = Probe("", family.name, Split.TRAIN, asked, draft.answer, family.grader)
    return draft if grading.grade(probe, f"Answer: {answer}")[0] == 1.0 else None


def _family(skill: str) -> Family:
    try:
        return FAMILIES[skill]
    except KeyError:
        known = ", ".join(FAMILIES)
        raise DomainError(f"Gym has no skill “{skill}”. It has: {known}.") from None


def _library() -> Any:
    try:
        return importlib.import_module(_LIBRARY)
    except ImportError as exc:
        raise DomainError(
            "The domain “gym” needs reasoning-gym, which is not installed. Install it with: "
            ".venv/bin/pip install -e '.[gym]'"
        ) from exc


@cache
def _dataset(name: str, level: int) -> Any:
    options = FAMILIES[name].sizes[level - 1]
    return _library().create_dataset(name, seed=0, size=_PLENTY, **options)


def _drafts(family: Family, split: Split, level: int, seed: int, tries: int) -> Iterator[Draft]:
    # hashed, so that neighbouring seeds share nothing
    start = Random(f"{family.name}:{seed}:{split}:{level}").getrandbits(60)
    dataset = _dataset(family.name, level)
    for at in range(tries):
        item = dataset[start + at]
        if (draft := checked(family, item["question"], item["answer"])) is not None:
            yield draft
