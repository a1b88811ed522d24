"""The rounds of a stage as drawings: a small one a skill, its ratio with its interval, round by
round, against the threshold.

Only places are computed here; the template draws them. The table below has the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LEFT, TOP, STEP, PLOT, FOOT = 40, 28, 48, 96, 22  # px; the skill's name is above TOP
RADIUS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """A ratio in one round: `low` and `high` are the ends of its interval, `y` its middle."""

    round: int
    answer: str
    says: str
    x: int
    y: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Panel:
    skill: str
    marks: list[Mark]
    path: str  # joins rounds that began where the one before ended
    threshold: int
    width: int
    top: int = TOP
    bottom: int = TOP + PLOT
    left: int = LEFT
    height: int = TOP + PLOT + FOOT
    radius: int = RADIUS

    @property
    def says(self) -> str:
        return f"{self.skill}: " + ", ".join(mark.says for mark in self.marks)


def panels(found: Iterable[Any], threshold: float) -> list[Panel]:
    """Of rounds with a `number` and a `gate`, in any order. A roll-back breaks the line."""
    gates = {each.number: each.gate for each in found}
    numbers = sorted(gates)
    by_skill: dict[str, list[Mark]] = {}
    for column, number in enumerate(numbers):
        for verdict in gates[number].evidence.get("stage", []):
            by_skill.setdefault(verdict["skill"], []).append(_mark(verdict, number, column))
    return [
        Panel(
            skill,
            marks,
            _path(marks, {n for n in numbers if gates[n].decision == "remedy"}),
            height(threshold),
            LEFT + STEP * len(numbers),
        )
        for skill, marks in by_skill.items()
    ]


def _mark(verdict: dict[str, Any], number: int, column: int) -> Mark:
    ratio, low, high = (float(verdict[key]) for key in ("ratio", "low", "high"))
    return Mark(
        number,
        str(verdict["answer"]),
        f"round {number} {ratio:.0%}, {str(verdict['answer']).replace('_', ' ')}",
        LEFT + STEP * column + STEP // 2,
        height(ratio),
        height(low),
        height(high),
    )


def _path(marks: list[Mark], went_on: set[int]) -> str:
    """went_on: rounds after which the next one trained the same student on."""
    drawn, last = "", None
    for mark in marks:
        joins = last == mark.round - 1 and last in went_on
        drawn += f"{'L' if joins else 'M'}{mark.x} {mark.y}"
        last = mark.round
    return drawn


def height(share: float, plot: int = PLOT) -> int:
    """The y of a share in a drawing that is `plot` high; one above 1 (better than the teacher) ends
    at the top.
    """
    return TOP + round(plot * (1 - min(max(share, 0.0), 1.0)))
