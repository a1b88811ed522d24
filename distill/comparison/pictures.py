"""Figures of a comparison as traces of Plotly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

INK = ("#d98b1f", "#4457c7", "#2e8b57", "#8a8f98", "#c0392b", "#7d5ba6", "#3b8ea5", "#a0522d")


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


def errors(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Plotly's bars of error, from intervals that need not lie evenly about the mean."""
    above, below = [], []
    for f in found:
        low, high = f["interval"] or (f["mean"], f["mean"])
        above.append(None if f["mean"] is None else high - f["mean"])
        below.append(None if f["mean"] is None else f["mean"] - low)
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below}
