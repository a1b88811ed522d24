"""What a data set's card tells of its rows, counted while they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from curriculum.exports.items import Pair, Row


class Tally:
    """Counts what passes by."""

    def __init__(self) -> None:
        self.n = self.edited = 0
        self.skills: Counter[str] = Counter()
        self.origins: Counter[str] = Counter()
        self.checks: Counter[tuple[str, int, bool]] = Counter()

    def counting(self, rows: Iterable[Row | Pair]) -> Iterator[Row | Pair]:
        for row in rows:
            self.n += 1
            self.skills[row.skill] += 1
            if isinstance(row, Row):
                self.edited += row.version > 1
                self.origins[row.origin] += 1
                for check in row.checks:
                    at = (str(check["id"]), int(check["version"]), bool(check["passed"]))
                    self.checks[at] += 1
            yield row
