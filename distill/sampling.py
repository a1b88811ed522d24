"""What a random sample without replacement shows of what was not looked at."""

from __future__ import annotations

import numpy as np

from distill.statistics import is_over

TINY = 1e-12  # for a chance that is 1 - confidence but for its last bits
CHUNK = 256  # sample sizes that are tried in one go


def most_bad(bad: int, n: int, population: int, confidence: float = 0.95) -> int:
    """Upper bound on how many of the things that were not drawn are bad.

    Of `population` things n were drawn at random without replacement, and `bad` of those n were
    found bad. Returns the largest number of bad ones among the other population - n that the
    sample does not refute at level 1 - confidence: exact, one-sided, from the hypergeometric
    distribution. Whatever the truth, the bound is too small in at most 1 - confidence of all
    samples. It holds for ONE sample, planned before it was looked at: whoever draws again until
    a sample pleases has no bound. Pure. Raises ValueError for numbers that cannot be.

    Source: Clopper, Pearson, Biometrika 1934, for the construction; Wright, "Exact Confidence
    Bounds when Sampling from Small Finite Universes", 1991, for the hypergeometric case.
    """
    if not 0 <= bad <= n <= population or n < 1:
        raise ValueError("0 <= bad <= n <= population, and n has to be positive")
    if not 0 < confidence < 1:
        raise ValueError("confidence has to lie between 0 and 1")
    rest = population - n
    low, high = 0, rest  # `low` is not refuted: with no further bad one, P(at most bad) = 1
    while low < high:
        middle = (low + high + 1) // 2
        if _is_refuted(bad, n, population, bad + middle, confidence):
            high = middle - 1
        else:
            low = middle
    return low


def needed(population: int, tolerance: float, confidence: float = 0.95, bad: int = 0) -> int | None:
    """How many to draw so that `bad` bad ones in the sample still show a share of at most
    `tolerance` (0..1) among the others; None where no sample that leaves others could.

    The smallest such n below `population`; a larger one may fail by the one thing that a share
    of fewer others allows less, so ask `most_bad` for the n that is drawn. Pure. Raises ValueError
    for a tolerance out of 0..1. Source: as `most_bad`.
    """
    if not 0 <= tolerance <= 1:
        raise ValueError("the tolerance is a share, 0 to 1")
    from scipy.stats import hypergeom

    for first in range(max(1, bad), population, CHUNK):
        n = np.arange(first, min(first + CHUNK, population))
        left = population - n
        allowed = np.floor(tolerance * left + 1e-9)
        # One more than is allowed has to be refuted; where all others may be bad, nothing has to.
        total = np.minimum(bad + allowed + 1, population)
        chance = hypergeom.cdf(bad, population, total, n)
        fits = (allowed >= left) | (chance <= 1 - confidence + TINY)
        if fits.any():
            return int(n[fits][0])
    return None


def share_at_most(bad: int, others: int) -> float:
    """`bad` of `others` as a share in 0..1; nothing of nothing is 0. Pure."""
    return min(1.0, bad / others) if others else 0.0


def is_shown(bound: float, tolerance: float) -> bool:
    """Whether a bound on a share is within the tolerance, whatever the last bits say. Pure."""
    return not is_over(bound, tolerance)


def _is_refuted(bad: int, n: int, population: int, total: int, confidence: float) -> bool:
    """Whether so few bad ones would be drawn too rarely, were `total` of the population bad."""
    from scipy.stats import hypergeom

    return float(hypergeom.cdf(bad, population, total, n)) <= 1 - confidence + TINY
