"""How a generator is written down: a skill, and either all its questions or a way to draw one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from distill.domains.drafts import Draft
from distill.records import Skill

Every = Callable[[int], Iterable[Draft]]
Draw = Callable[[Random, int], Draft]


@dataclass(frozen=True, slots=True)
class Generator:
    """Exactly one of `every` and `draw` is given.

    every: level -> all questions of that level, each once. For spaces of a few thousand.
    draw: (random source, level) -> one question. For spaces too large to list.
    sums: of drawn questions that are plain sums, as `arithmetic.plain_sum` spells them: which.
    """

    skill: Skill
    every: Every | None = None
    draw: Draw | None = None
    sums: re.Pattern[str] | None = None
    grader: str = "number"
