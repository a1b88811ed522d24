"""Two comparisons as one: arms that were run apart, beside each other."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from distill.comparison.arms import IOA
from distill.comparison.results import compared
from distill.errors import DistillError

SAME = ("student", "domain", "teacher", "tokens", "composite", "versions")
OF_THE_LOOP = (
    *("fair_shares", "least_gain", "rehearsal_weight", "rehearsal_share", "preview_weight"),
    *("items_per_skill", "rounds_cap"),
)
"""Settings of the budget that no arm reads but `ioa` and what is less a part of it."""


def joined(told: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """`told`, and beside its arms those of `other` that it lacks; see `results.figures`.

    Raises `DistillError` where the two are not of one student, taught the same at the same budget
    under the same settings, so that their arms cannot be compared. Pure.
    """
    for name in SAME:
        _check_same(name, told[name], other[name])
    _check_same("budgets", list(told["budgets"]), list(other["budgets"]))
    _check_same("settings", _shared(told["settings"]), _shared(other["settings"]))
    ours = {r["arm"] for r in told["runs"]}  # arms without a run yet are named as well
    runs = [r for r in other["runs"] if r["arm"] not in ours] + list(told["runs"])
    names = list(dict.fromkeys([*other["arms"], *told["arms"]]))
    first = IOA if IOA in names else told["against"]
    budgets = {
        n: compared(names, first, [r for r in runs if str(r["budget"]) == n])
        for n in told["budgets"]
    }
    seeds = sorted({r["seed"] for r in runs})
    by_arm = {
        key: {k: (told if k in ours or k not in other[key] else other)[key][k] for k in names}
        for key in ("skills", "items_to_mastery", "says", "learning_rates")
    }
    return {
        **told,
        "command": _command(told["command"], names, len(seeds)),
        "seeds": seeds,
        "against": first,
        **budgets[str(told["items"])],
        **by_arm,
        "budgets": budgets,
        "runs": runs,
    }


def _check_same(name: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise DistillError(
            f"These comparisons cannot be one: their {name} are not the same, {ours} and {theirs}."
        )


def _shared(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What every arm was run under."""
    budget = {k: v for k, v in settings["budget"].items() if k not in OF_THE_LOOP}
    return {**settings, "budget": budget}


def _command(command: str, names: list[str], seeds: int) -> str:
    """The command that makes all of it at once."""
    words = shlex.split(command)
    for option, value in (("--arms", ",".join(names)), ("--seeds", str(seeds))):
        if option in words:
            words[words.index(option) + 1] = value
        else:
            words += [option, value]
    return shlex.join(words)
