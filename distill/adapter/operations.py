"""The adapter's five operations: how an item is put so that this student can take it in."""

from __future__ import annotations

from enum import StrEnum


class Operation(StrEnum):
    """Source: He et al. 2026, section 3.3. Which of them an item got stands on the item."""

    CONCRETISE = "concretise"  # an everyday case before the notation
    DECOMPOSE = "decompose"  # one step a line: extract, relate, set up, solve, verify
    LIMIT_LOAD = "limit_load"  # smallest instances first, sizes bounded by the student's mastery
    ONE_FORMAT = "one_format"  # one solution template per skill
    PLAIN_LANGUAGE = "plain_language"  # short sentences, plain words


PROCEDURAL_OPERATIONS = frozenset({Operation.DECOMPOSE, Operation.LIMIT_LOAD, Operation.ONE_FORMAT})
"""What a generator can do by itself: its worked solutions are decomposed and of one format."""


def levels(n: int, mastery: float, *, starts_small: bool) -> list[int]:
    """Sizes (1 smallest, 3 full) of `n` items of one skill, in teaching order: *limit load*.

    mastery: r(k) in 0..1, the student as it is now. A skill at or above 0.5 needs no small
    instances. Below, a fifth of the items are small, and two fifths, whatever the mastery, on a
    bridge (`starts_small`). Pure.

    Ours: the paper bounds the load by prompt; a generator can bound it by size.
    """
    if mastery >= 0.5 and not starts_small:
        return [3] * n
    share = 0.4 if starts_small else 0.2
    small = round(n * share)
    first = -(-small // 2)
    return [1] * first + [2] * (small - first) + [3] * (n - small)
