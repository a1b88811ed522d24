"""A bound on the tokens that a run trains on: methods are compared at the same of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distill.errors import BudgetSpent
from distill.records import Item
from distill.settings import Budget

Count = Callable[[str, str], int]
"""Tokens of a question and its solution, as a training counts them."""


def count_words(question: str, solution: str) -> int:
    """For students without a tokenizer: what the simulated trainer counts."""
    return len(f"{question} {solution}".split())


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many tokens a run may train on, prompts included, and what of some items fits.

    tokens: None: no bound. per_item: what an item is thought to take before any was trained on.
    """

    tokens: int | None = None
    per_item: float = 1.0
    count: Count = count_words

    def left(self, used: int) -> int | None:
        """Tokens that are left after `used`; None where there is no bound."""
        return None if self.tokens is None else self.tokens - used

    def is_spent(self, used: int) -> bool:
        """Whether less than an item or a hundredth is left: too little for another round."""
        if self.tokens is None:
            return False
        return self.tokens - used < max(self.per_item, self.tokens / 100)

    def share_of(self, budget: Budget, *, tokens: int, items: int) -> float:
        """What share of the run's budget so many tokens and items are: 0..1, or more when over it.

        By tokens where they are bound, else by items.
        """
        return items / budget.items if self.tokens is None else tokens / self.tokens

    def within(self, budget: Budget, *, tokens: int, items: int) -> Budget:
        """The budget, with no more items than what is left holds, after so many tokens and items.

        Raises `BudgetSpent` where nothing is left.
        """
        left = self.left(tokens)
        if left is None:
            return budget
        if self.is_spent(tokens):
            raise BudgetSpent(f"All {self.tokens} training tokens of this run are spent.")
        each = tokens / items if items else self.per_item
        n = max(1, round(left / each))
        bounds = {"items_per_round": n, "items": items + n}
        return budget.model_copy(
            update={name: min(getattr(budget, name), most) for name, most in bounds.items()}
        )

    def fitting(
        self, items: Sequence[Item], *, used: int, seed: str, room: int | None = None
    ) -> list[Item]:
        """Of `items`, a fair draw that fits what is left after `used`, in the order given.

        room: tokens at most, where that is less. Every item has the same chance, so that the draw
        has the mixture of the whole; what does not fit is passed over. What is flagged takes no
        room, as it is not trained on, and stays. Pure; the same in every process.
        """
        left = self.left(used)
        if left is None:
            return list(items)
        left = left if room is None else min(left, room)
        sizes = [0 if i.is_flagged else self.count(i.question, i.solution) for i in items]
        if sum(sizes) <= left:
            return list(items)
        drawn = list(range(len(items)))
        random.Random(seed).shuffle(drawn)
        kept = set()
        for at in drawn:
            if sizes[at] <= left:
                kept.add(at)
                left -= sizes[at]
        return [item for at, item in enumerate(items) if at in kept]
