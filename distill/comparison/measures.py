"""What a run of an arm came to, in a few numbers; and over seeds, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from distill.statistics import is_over

DRAWS = 9999

MEASURES: dict[str, str] = {
    "mean": "mean mastery of the skills that may be taught",
    "worst": "mastery of the worst of them",
    "composite": "mean mastery of the skills that put others together",
    "transfer": "mean mastery of the skills that nobody trained",
    "mastered": "skills at or above the bound of mastery at the end",
    "items_per_mastered": "items trained on for each of those",
    "kept": "share of the skills found mastered on the way that still are at the end",
    "lost": "the largest loss of any skill against the student as it came",
    "items": "items trained on",
    "train_tokens": "tokens trained on",
    "teacher_tokens": "tokens of the items written, or those a model read and wrote for them",
    "probes": "questions asked, most of them of the student",
    "train_seconds": "seconds of training",
    "seconds": "seconds of all, without what was asked before any arm began",
}
"""Mastery is P_S/P_T on `final` probes: 1 is as good as the teacher."""


def of_run(
    figures: Mapping[str, Any], *, taught: Sequence[str], composite: Sequence[str]
) -> dict[str, float | None]:
    """The measures of one run, from its report. None where there is nothing to measure.

    taught: the skills that may be taught; the others measure transfer. Where a program is the
    teacher, an item costs as many teacher tokens as it has. What a model says to probes is no part
    of what an arm costs. Pure.
    """
    rows = {row["id"]: row for row in figures["skills"]}
    mastery = {k: _ratio(row["after"], row["teacher"]) for k, row in rows.items()}
    own = [mastery[k] for k in taught if k in mastery]
    tau = figures["settings"]["thresholds"]["mastery"]
    mastered = sum(not is_over(tau, m) for m in own)
    ever = sum(row["mastered"] for row in rows.values()) + len(figures["forgotten"])
    return {
        "mean": _mean(own),
        "worst": min(own) if own else None,
        "composite": _mean([mastery[k] for k in composite if k in mastery]),
        "transfer": _mean([m for k, m in mastery.items() if k not in taught]),
        "mastered": float(mastered),
        "items_per_mastered": figures["items"] / mastered if mastered else None,
        "kept": 1.0 - len(figures["forgotten"]) / ever if ever else None,
        "lost": max([0.0, *(row["before"] - row["after"] for row in rows.values())]),
        "items": float(figures["items"]),
        "train_tokens": float(figures["train_tokens"]),
        "teacher_tokens": float(figures.get("call_tokens") or figures["item_tokens"]),
        "probes": float(figures["probes"]),
        "train_seconds": float(figures["train_seconds"]),
        "seconds": float(figures["seconds"]),
    }


def over_seeds(values: Sequence[float | None]) -> dict[str, Any]:
    """{"mean", "interval", "n"} of one number a seed; seeds without it are left out.

    interval: 95 %, by the bootstrap over seeds; None for fewer than two. Few seeds make it too
    narrow: of normal values it holds the mean 85 times in 100 with five, and 75 with three.
    Deterministic.

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3 (percentile).
    """
    known = tuple(v for v in values if v is not None)
    if not known:
        return {"mean": None, "interval": None, "n": 0}
    interval = _interval(known)
    return {
        "mean": math.fsum(known) / len(known),
        "interval": None if interval is None else list(interval),
        "n": len(known),
    }


@lru_cache(maxsize=10_000)  # a report is written anew after every run, mostly of the same numbers
def _interval(values: tuple[float, ...]) -> tuple[float, float] | None:
    if len(values) < 2:
        return None
    if all(v == values[0] for v in values):
        return values[0], values[0]
    from scipy.stats import bootstrap

    found = bootstrap(
        (np.array(values),),
        np.mean,
        n_resamples=DRAWS,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def paired(ours: Mapping[int, float | None], theirs: Mapping[int, float | None]) -> dict[str, Any]:
    """`over_seeds` of the difference ours − theirs, over the seeds that both have.

    ours, theirs: seed -> value. Both were taught with the same seed and asked the same questions,
    so that what a seed makes easy or hard is not in the difference.
    """
    differences: list[float | None] = []
    for seed in sorted(ours.keys() & theirs.keys()):
        one, other = ours[seed], theirs[seed]
        differences.append(None if one is None or other is None else one - other)
    return over_seeds(differences)


def ratio_of_means(
    ours: Mapping[int, float | None], theirs: Mapping[int, float | None]
) -> dict[str, Any]:
    """{"mean", "interval", "n"}: the mean of ours over the mean of theirs, of the seeds that both
    have; None where theirs is 0. interval: as in `over_seeds`, where both means are drawn with the
    same seeds; None where theirs is 0 on any seed, as a draw could be. Deterministic.
    """
    pairs = [
        (one, other)
        for seed in sorted(ours.keys() & theirs.keys())
        if (one := ours[seed]) is not None and (other := theirs[seed]) is not None
    ]
    if not pairs or math.fsum(other for _, other in pairs) == 0:
        return {"mean": None, "interval": None, "n": len(pairs)}
    found = math.fsum(one for one, _ in pairs) / math.fsum(other for _, other in pairs)
    interval = None
    if len(pairs) > 1 and all(other > 0 for _, other in pairs):
        interval = list(_interval_of_ratio(tuple(pairs)))
    return {"mean": found, "interval": interval, "n": len(pairs)}


@lru_cache(maxsize=10_000)
def _interval_of_ratio(pairs: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    ours, theirs = np.array(pairs).T
    if np.allclose(ours * theirs[0], theirs * ours[0]):
        return (float(ours[0] / theirs[0]),) * 2
    from scipy.stats import bootstrap

    found = bootstrap(
        (ours, theirs),
        lambda one, other, axis: one.mean(axis=axis) / other.mean(axis=axis),
        n_resamples=DRAWS,
        method="percentile",
        paired=True,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return float(found.low), float(found.high)


def _ratio(student: float, teacher: float) -> float:
    return student / teacher if teacher > 0 else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
