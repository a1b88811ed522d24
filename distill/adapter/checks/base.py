"""What a check is, and one function that runs them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from distill.records import CheckResult, Item


class Check(Protocol):
    """One thing that must hold of an item. Ids and versions are kept with the results.

    A change that may change a result is a new version.
    """

    id: str
    version: int

    def problem(self, item: Item) -> str:
        """A sentence saying what is wrong; "" when the item passes."""
        ...


def check(item: Item, checks: Iterable[Check]) -> tuple[CheckResult, ...]:
    """Run every check on an item; nothing that an item says makes this raise."""
    results = []
    for each in checks:
        problem = each.problem(item)
        results.append(CheckResult(each.id, each.version, not problem, problem))
    return tuple(results)
