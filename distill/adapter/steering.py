"""Which problems the next items are about: those on which the student's errors would show.

A problem *tells* a kind of error when the slip gives an answer there that is not the right one:
52 - 37 tells a missed borrow, 57 - 32 does not. Only slips that can be worked out from the
question are looked for (`distill.identifier.slips`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from distill.domains.base import Problem
from distill.grading.number import last_number
from distill.identifier import slips
from distill.identifier.error_types import ErrorType
from distill.statistics import in_proportion

SHARE = 0.5  # of a skill's items that are chosen for the errors; the rest come as they are drawn
DRAWN = 3  # problems drawn for each that is wanted, to choose from
FEWEST = 3  # wrong answers of a kind; below, it may be a coincidence

_SLIPS: dict[ErrorType, Callable[[Iterable[slips.Sum]], slips.Values]] = {
    ErrorType.NO_CARRY: slips.without_carry,
    ErrorType.BORROW_MISSED: slips.without_borrow,
    ErrorType.NEEDLESS_CARRY: slips.with_needless_carry,
}


def told_by(question: str, answer: str) -> frozenset[ErrorType]:
    """The kinds of error that would show on this question. Pure; never raises.

    >>> sorted(told_by("What is 52 - 37?", "15")), sorted(told_by("What is 57 - 32?", "25"))
    ([<ErrorType.BORROW_MISSED: 'borrow_missed'>], [<ErrorType.NEEDLESS_CARRY: 'needless_carry'>])
    """
    right = last_number(answer)
    if right is None:
        return frozenset()
    # the operation that leads to the answer: of a story both are read, of a chain each step
    sums = [s for s in slips.expressions(question) if s.value == right]
    return frozenset(kind for kind, slip in _SLIPS.items() if slip(sums) - {right})


def leaves_a_choice(candidates: Sequence[Problem]) -> bool:
    """Whether some of these tell a kind of error that others do not: else there is no choice."""
    told = [told_by(c.question, c.answer) for c in candidates]
    return any(0 < sum(kind in each for each in told) < len(told) for kind in _SLIPS)


def can_aim(errors: Mapping[str, int]) -> bool:
    """Whether the most frequent kind of error is one that can be worked out from a question."""
    top = max(errors.values(), default=0)
    return any(n == top >= FEWEST and kind in _SLIPS for kind, n in errors.items())


def kinds(errors: Mapping[str, int], candidates: Sequence[Problem]) -> dict[str, int]:
    """The kinds of error that a choice among these candidates can aim at, with their counts.

    Those that were counted `FEWEST` times, and that some of the candidates tell and others do not:
    what all of them tell needs no choice, and none is claimed. Empty where the most frequent kind
    is none that can be worked out: then what is known of the rest would lead astray. Pure.
    """
    if not can_aim(errors):
        return {}
    told = [told_by(c.question, c.answer) for c in candidates]
    found = {}
    for kind in (kind for kind in _SLIPS if errors.get(kind, 0) >= FEWEST):
        n = sum(kind in each for each in told)
        if 0 < n < len(told):
            found[str(kind)] = errors[kind]
    return found


def shares(aimed: Mapping[str, int], n: int) -> dict[str, int]:
    """How many of `n` items are for each of these kinds: `SHARE` of them, by their counts."""
    return in_proportion(aimed, round(n * SHARE)) if aimed else {}


def steer(
    candidates: Sequence[Problem], errors: Mapping[str, int], n: int
) -> list[tuple[Problem, tuple[str, ...]]]:
    """Choose `n` of the candidates: half of them for the errors, the rest as they were drawn.

    errors: kind (`ErrorType`) -> how many wrong answers of the student it explains. Returns each
    problem with the kinds it was chosen for, in the order of the candidates; fewer than `n` where
    there are not as many. Pure, and the same in every process.

    Source: He et al. 2026, 3.3: the prompt carries the student's state. Ours: how.
    """
    wanted = shares(kinds(errors, candidates), n)
    chosen: dict[int, tuple[str, ...]] = {}
    for kind in sorted(wanted, key=lambda kind: (-wanted[kind], kind)):
        telling = (
            i
            for i, c in enumerate(candidates)
            if i not in chosen and kind in told_by(c.question, c.answer)
        )
        chosen |= {i: (kind,) for i, _ in zip(telling, range(wanted[kind]), strict=False)}
    others = (i for i in range(len(candidates)) if i not in chosen)
    chosen |= {i: () for i, _ in zip(others, range(n - len(chosen)), strict=False)}
    return [(candidates[i], chosen[i]) for i in sorted(chosen)]
