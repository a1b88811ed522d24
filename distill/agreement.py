"""How far people who judge the same things independently agree, beyond what chance would give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from distill.records import Interval


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha and what it was computed from.

    `alpha` is at most 1 (all agree); 0 is what chance gives, below 0 is worse than chance. None
    where it is undefined, and `why` says so. `interval` is None where `alpha` is, and of one unit.
    `units` were judged by two or more people, in `values` judgements.
    """

    alpha: float | None
    interval: Interval | None
    units: int
    values: int
    why: str = ""


def krippendorff_alpha(units: Sequence[Sequence[Hashable]]) -> float | None:
    """Krippendorff's alpha for nominal values, any number of judges, with values missing.

    units (U,): each the values that judges gave to one thing, in any order, those missing left
    out; at least two are needed for a unit to count. Returns alpha in (-1, 1], or None where it is
    undefined: no unit has two values, or all values are the same one, so that no disagreement
    could have been seen. (Some programs say 0 or 1 there; neither was measured.) Pure.

    Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011, section C.
    """
    coincidences = [_coincidences(unit) for unit in units if len(unit) > 1]
    return _alpha(np.array(_table(coincidences), dtype=float))


def agreement(
    units: Sequence[Sequence[Hashable]],
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Agreement:
    """Alpha with a bootstrap interval over the units, as Agreement says.

    units: as in `krippendorff_alpha`. The interval is the percentile one of `resamples` draws of
    U units with replacement; draws in which alpha is undefined are left out. Where all agree every
    draw does, so that [1, 1] says no more than that: read it with n. Deterministic for a seed, in
    the order of the units.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13. Units are drawn,
    where Hayes and Krippendorff (2007) draw pairs of values: pairs of one unit are not independent.
    """
    judged = [unit for unit in units if len(unit) > 1]
    values = sum(len(unit) for unit in judged)
    if not judged:
        return Agreement(None, None, 0, 0, "Nothing was judged by two people yet.")
    table = np.array(_table([_coincidences(unit) for unit in judged]), dtype=float)
    alpha = _alpha(table)
    if alpha is None:
        why = "All gave the same verdict on everything, so chance alone would agree as well."
        return Agreement(None, None, len(judged), values, why)
    return Agreement(alpha, _bootstrap(table, seed, confidence, resamples), len(judged), values)


def _bootstrap(
    table: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    seed: int,
    confidence: float,
    resamples: int,
) -> Interval | None:
    draw = np.random.default_rng(seed)
    n = len(table)
    if n < 2:
        return None
    drawn = (_alpha(table[draw.integers(0, n, n)]) for _ in range(resamples))
    found = [alpha for alpha in drawn if alpha is not None]
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _coincidences(unit: Sequence[Hashable]) -> tuple[Counter[Hashable], float]:
    """How often each value was given, and the unit's pairs that differ, over m - 1."""
    counts = Counter(unit)
    m = len(unit)
    differing = m * m - sum(n * n for n in counts.values())
    return counts, differing / (m - 1)


def _table(units: Sequence[tuple[Counter[Hashable], float]]) -> list[list[float]]:
    """A row a unit: the disagreement in it, then how often each value was given."""
    names = list(dict.fromkeys(value for counts, _ in units for value in counts))
    return [[differing, *(counts[name] for name in names)] for counts, differing in units]


def _alpha(table: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | None:
    """1 - observed / expected disagreement, of the rows of `_table`."""
    if not len(table):
        return None
    observed, *totals = table.sum(axis=0)
    n = sum(totals)
    expected = (n * n - sum(total * total for total in totals)) / (n - 1)
    return float(1 - observed / expected) if expected > 0 else None
