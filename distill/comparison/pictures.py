"""Figures of a comparison as traces of Plotly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distill.comparison.arms import ARMS

INK = ("#d98b1f", "#4457c7", "#2e8b57", "#8a8f98", "#c0392b", "#7d5ba6", "#3b8ea5", "#a0522d")


def ink_of(arm: str) -> str:
    """An arm's colour, the same in every picture, whatever stands beside it."""
    names = list(ARMS)
    return INK[names.index(arm) % len(INK)] if arm in names else INK[len(arm) % len(INK)]


def bars(
    name: str, x: Sequence[str], found: Sequence[Mapping[str, Any]], ink: str
) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": list(x),
        "y": [f["mean"] for f in found],
        "error_y": errors(found),
        "marker": {"color": ink},
    }


def apart(told: Mapping[str, Any], arms: Sequence[str]) -> dict[str, Any]:
    """“traces” and “layout” of what the arm compared with is better by, with intervals: what
    reaches over the line of 0 is not told apart. Nothing where one seed says nothing.
    """
    by_measure = {m: [told["differences"][name][m] for name in arms] for m in ("composite", "mean")}
    if all(f["interval"] is None for of in by_measure.values() for f in of):
        return {}
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": m,
            "x": list(arms),
            "y": [f["mean"] for f in found],
            "error_y": errors(found),
            "marker": {"color": INK[i], "size": 9},
        }
        for i, (m, found) in enumerate(by_measure.items())
    ]
    title = {"text": f"{told['against']} less the arm"}
    return {"traces": traces, "layout": {"yaxis": {"title": title}, "scattermode": "group"}}


def errors(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Plotly's bars of error, from intervals that need not lie evenly about the mean; none where
    there are no intervals, not bars without length.
    """
    if all(f["interval"] is None for f in found):
        return {"visible": False}
    above, below = [], []
    for f in found:
        low, high = f["interval"] or (None, None)
        above.append(None if high is None else high - f["mean"])
        below.append(None if low is None else f["mean"] - low)
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below}
