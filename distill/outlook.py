"""What one more round would cost and gain, guessed from the rounds so far: for people who decide.

Nothing here is measured of the round to come. Each guess says on how many cases it stands, and
there is none where there are too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CASES_NEEDED = 2  # one case has no spread


@dataclass(frozen=True, slots=True)
class Case:
    """A skill that did not sit, before and after a round. Ratios are P_S/P_T, `before` < 1."""

    skill: str
    before: float
    after: float
    n_new: int  # new items of the skill in that round, > 0
    is_remedy: bool  # before: the gate of the round before it; else: the diagnosis

    @property
    def closed(self) -> float:
        """The share of what was missing that the round closed; negative where it lost."""
        return (self.after - self.before) / (1.0 - self.before)


@dataclass(frozen=True, slots=True)
class Guess:
    """`low` and `high` are those of the worst and the best case, not an interval of confidence."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Took:
    """What one round took: items written and trained on, tokens, and seconds of each job."""

    n_written: int
    n_trained: int
    train_tokens: int
    write_seconds: float
    train_seconds: float
    assess_seconds: float


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: Guess
    train_tokens: int
    n_rounds: int  # that it stands on


def basis(cases: Sequence[Case]) -> list[Case]:
    """The cases a guess may stand on: remedies where there are enough of them, else all.

    A first round gains more than one that mends what is left. Empty where there are too few.
    """
    remedies = [case for case in cases if case.is_remedy]
    chosen = remedies if len(remedies) >= CASES_NEEDED else list(cases)
    return chosen if len(chosen) >= CASES_NEEDED else []


def expect(cases: Sequence[Case], ratio: float, n_new: int) -> Guess | None:
    """The ratio of a skill after `n_new` new items, if they do what earlier ones did.

    Every item is taken to close the same share of what is missing, so that what is nearly there
    gains little: the mean over the cases, weighted by their items, and the worst and the best
    case. Never above 1 (or `ratio`, where that is more), never below 0. None without cases. Pure.
    """
    if not cases:
        return None
    rates = [case.closed / case.n_new for case in cases]
    pooled = sum(case.closed for case in cases) / sum(case.n_new for case in cases)

    def end(rate: float) -> float:
        return max(0.0, ratio + max(0.0, 1.0 - ratio) * min(1.0, rate * n_new))

    return Guess(end(pooled), end(min(rates)), end(max(rates)))


def cost(rounds: Sequence[Took], *, n_new: int, n_items: int) -> Cost | None:
    """What a round with `n_new` new items, `n_items` with rehearsal, takes by each earlier round.

    Writing goes by new items, training by all of them, assessing takes what it took. None
    without rounds that have both written and trained. Pure.
    """
    whole = [took for took in rounds if took.n_written and took.n_trained]
    if not whole:
        return None
    seconds = [
        took.write_seconds / took.n_written * n_new
        + took.train_seconds / took.n_trained * n_items
        + took.assess_seconds
        for took in whole
    ]
    tokens = sum(took.train_tokens for took in whole) / sum(took.n_trained for took in whole)
    return Cost(
        Guess(sum(seconds) / len(seconds), min(seconds), max(seconds)),
        round(tokens * n_items),
        len(whole),
    )
