"""What became of the items that a teacher was asked for, those that nobody saw included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from distill.records import Item


@dataclass(frozen=True, slots=True)
class Tally:
    """Items of one skill and size (level 1 smallest to 3) in one round, counted so far.

    An item that was read is kept, spare, or lost to the first check that it failed:
    read = kept + spare + the sum of `lost`. What was asked for and not read, nobody could read.
    """

    skill: str
    level: int
    asked: int
    read: int
    kept: int
    spare: int  # good, but more than were wanted
    lost: Mapping[str, int]  # id of a check -> items

    @property
    def unread(self) -> int:
        """At least so many: a teacher may also write more than it was asked for."""
        return max(0, self.asked - self.read)


TallySink = Callable[[Sequence[Tally]], object]
"""Takes all tallies of a round; later ones are in place of earlier ones."""


@dataclass(slots=True)
class Count:
    """Counts for one `Tally`."""

    asked: int = 0
    kept: int = 0
    spare: int = 0
    by_check: Counter[str] = field(default_factory=Counter)

    def lost(self, item: Item) -> None:
        self.by_check[next(c.id for c in item.checks if not c.passed)] += 1

    def tally(self, skill: str, level: int) -> Tally:
        read = self.kept + self.spare + self.by_check.total()
        return Tally(skill, level, self.asked, read, self.kept, self.spare, dict(self.by_check))
