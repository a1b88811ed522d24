"""Plotly figures as plain JSON. `static/figures.js` draws them, and puts in the colours of the
page's scheme for names such as "--teacher": one template for all. Each stands beside a table with
the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

Figure = dict[str, Any]


class Measured(Protocol):
    mean: float
    low: float
    high: float
    n: int


LONG = 15  # rows from which on the scale stands above them as well
LETTERS = 18  # of a key beside a row: on a phone there is no room for 40


def gaps(rows: Sequence[Any], threshold: float) -> Figure:
    """Teacher and student, skill by skill, and the mark below which a skill is deficient."""
    is_long = len(rows) >= LONG
    names = [row.skill.key for row in rows]
    marks = {
        "type": "scatter",
        "mode": "markers",
        "name": f"deficient below: {1 - threshold:.0%} of the teacher",
        "x": [row.teacher.mean * (1 - threshold) for row in rows],
        "y": names,
        "marker": {
            "color": "--ink",
            "symbol": "line-ns-open",
            "size": 12,
            "line": {"color": "--ink", "width": 1.5},
        },
        "hovertemplate": "%{y}: %{x:.0%}<extra>deficient below</extra>",
    }
    teachers = _dots("teacher", "--teacher", names, [row.teacher for row in rows], "diamond")
    axes = {
        "xaxis": _shares("mean grade on diagnosis probes"),
        # half a row of room at each end, however many there are: Plotly leaves a share of them
        "yaxis": {
            "type": "category",
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": names,
            "ticktext": [n if len(n) <= LETTERS else f"{n[: LETTERS - 1]}…" for n in names],
            "automargin": True,
        },
    }
    if is_long:
        teachers["xaxis"] = "x2"  # an axis is drawn where something is on it
        axes["xaxis2"] = {**axes["xaxis"], "title": None, "side": "top", "overlaying": "x"}
    return {
        "data": [
            marks,
            _dots("student before", "--before", names, [row.student for row in rows], "square"),
            teachers,
        ],
        "layout": {"height": (124 if is_long else 104) + 24 * len(rows), **axes},
    }


def report(rows: Sequence[Any]) -> Figure:
    """Before, after and teacher, skill by skill."""
    names = [row.skill.key for row in rows]

    def bars(name: str, colour: str, scores: Sequence[Measured | None]) -> dict[str, Any]:
        return {
            "type": "bar",
            "name": name,
            "x": names,
            "y": [s.mean if s else None for s in scores],
            "error_y": _error(scores),
            "marker": {"color": colour},
            "hovertemplate": "%{x}: %{y:.0%}<extra>" + name + "</extra>",
        }

    return {
        "data": [
            bars("student before", "--before", [row.before for row in rows]),
            bars("student now", "--now", [row.after for row in rows]),
            bars("teacher", "--teacher", [row.teacher for row in rows]),
        ],
        "layout": {
            "height": 340,
            "barmode": "group",
            "bargap": 0.3,
            "xaxis": {"type": "category", "automargin": True},
            "yaxis": _shares("mean grade on final probes"),
        },
    }


MARKS = ("circle", "square", "diamond", "triangle-up", "x", "star")  # of runs, with --run-1 …


def compared(rows: Sequence[Any], names: Sequence[str]) -> Figure:
    """The students of several runs, skill by skill: a mark and a colour a run."""
    skills = [row.key for row in rows]

    def marks(n: int, name: str) -> dict[str, Any]:
        scores = [row.cells[n].now for row in rows]
        return {
            "type": "scatter",
            "mode": "markers",
            "name": escape(name, quote=False),  # Plotly takes tags in names for markup
            "x": skills,
            "y": [s.mean if s else None for s in scores],
            "error_y": _error(scores),
            "marker": {"color": f"--run-{n + 1}", "symbol": MARKS[n], "size": 10},
            "hovertemplate": "%{x}: %{y:.0%}",
        }

    return {
        "data": [marks(n, name) for n, name in enumerate(names)],
        "layout": {
            "height": 360,
            "scattermode": "group",
            "xaxis": {"type": "category", "automargin": True, "showgrid": False},
            "yaxis": _shares("mean grade on final probes"),
        },
    }


def people(rows: Sequence[Any]) -> Figure:
    """What each person decided and has left, each in a place of their own, whatever the name."""
    places = list(range(len(rows)))
    names = [escape(row.label, quote=False) for row in rows]  # as in `compared`

    def bars(name: str, colour: str, counts: list[int]) -> dict[str, Any]:
        return {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": places,
            "x": counts,
            "customdata": names,
            "marker": {"color": colour},
            "hovertemplate": "%{customdata}: %{x}<extra>" + name + "</extra>",
        }

    return {
        "data": [
            bars("approved", "--mastered", [row.approved for row in rows]),
            bars("rejected", "--forgotten", [row.rejected for row in rows]),
            bars("left", "--before", [row.left for row in rows]),
        ],
        "layout": {
            "height": 120 + 32 * len(rows),
            "barmode": "stack",
            "legend": {"traceorder": "normal"},
            "bargap": 0.35,
            "xaxis": {"title": {"text": "items"}, "rangemode": "tozero"},
            "yaxis": {
                "type": "category",
                "autorange": "reversed",
                "tickvals": places,
                "ticktext": names,
                "automargin": True,
            },
        },
    }


def loss(steps: Sequence[Any]) -> Figure:
    """Loss of one training over its steps, with the learning rate behind it."""
    x = [step.step for step in steps]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines",
                "name": "learning rate",
                "x": x,
                "y": [step.learning_rate for step in steps],
                "yaxis": "y2",
                "line": {"color": "--before", "width": 1, "dash": "dot"},
                "hovertemplate": "%{y:.2e}<extra>learning rate</extra>",
            },
            {
                "type": "scatter",
                "mode": "lines+markers" if len(x) < 40 else "lines",
                "name": "loss",
                "x": x,
                "y": [step.loss for step in steps],
                "line": {"color": "--now", "width": 2},
                "marker": {"size": 4},
                "hovertemplate": "%{y:.3f}<extra>loss</extra>",
            },
        ],
        "layout": {
            "height": 320,
            "hovermode": "x unified",
            "xaxis": {"title": {"text": "step"}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": "loss, nats a token"}, "rangemode": "tozero"},
            "yaxis2": {
                "overlaying": "y",
                "side": "right",
                "showgrid": False,
                "rangemode": "tozero",
                "tickformat": ".0e",
                "title": {"text": "learning rate"},
            },
        },
    }


def items(rows: Sequence[Any]) -> Figure:
    """What became of the items that were asked for, skill by skill."""
    rows = [row for row in rows if row.asked or row.shown]
    names = [row.key for row in rows]
    parts = [
        ("approved", "approved", "--mastered", ""),
        ("waiting for a verdict", "waiting", "--before", ""),
        ("rejected", "rejected", "--forgotten", ""),
        ("failed a check, and replaced", "thrown_away", "--forgotten", "/"),
        ("nobody could read", "unread", "--before", "/"),
        ("more than were wanted", "spare", "--before", "."),
    ]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": names,
                "x": [getattr(row, field) for row in rows],
                "marker": {"color": colour, "pattern": {"shape": shape}},
                "hovertemplate": "%{y}: %{x}<extra>" + name + "</extra>",
            }
            for name, field, colour, shape in parts
            if any(getattr(row, field) for row in rows)
        ],
        "layout": {
            "height": 130 + 28 * len(rows),
            "barmode": "stack",
            "legend": {"traceorder": "normal"},
            "xaxis": {"title": {"text": "items"}, "rangemode": "tozero"},
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True},
        },
    }


def _dots(
    name: str, colour: str, names: Sequence[str], scores: Sequence[Measured], symbol: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [score.mean for score in scores],
        "y": list(names),
        "error_x": _error(scores),
        "marker": {"color": colour, "size": 9, "symbol": symbol},
        "hovertemplate": "%{y}: %{x:.0%}<extra>" + name + "</extra>",
    }


def _error(scores: Sequence[Measured | None]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, s.high - s.mean) if s else 0 for s in scores],
        "arrayminus": [max(0.0, s.mean - s.low) if s else 0 for s in scores],
        "color": "--ink",
        "thickness": 1,
        "width": 3,
    }


def _shares(title: str) -> dict[str, Any]:
    return {"title": {"text": title}, "range": [-0.02, 1.05], "tickformat": ".0%", "dtick": 0.2}
