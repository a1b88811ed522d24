"""One comparison out of two that were run apart: other seeds, arms or budgets of the same thing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from distill.comparison.arms import IOA
from distill.comparison.budgets import Row, compared, items_to_mastery
from distill.errors import DistillError
from distill.roster import PROCEDURAL
from distill.settings import Settings, as_kept

SAME = ("student", "teacher", "domain", "composite", "versions")


def settings_of(told: Mapping[str, Any]) -> Settings:
    """The settings of a comparison, in which what makes no difference to it is as by default: a
    program is a perfect teacher, so that no gate asks more of its student. Pure.
    """
    settings = as_kept(told["settings"])
    if told["teacher"] == PROCEDURAL:
        usual = {"gate_probes_stretch": Settings().probing.gate_probes_stretch}
        settings = settings.model_copy(
            update={"probing": settings.probing.model_copy(update=usual)}
        )
    return settings


def joined(told: Mapping[str, Any], more: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The figures of both, as if they had been run together; see `results.figures`. Pure.

    name: of the part `more`, for errors. A budget that only one of them has is taken as it stands;
    one that both have is counted again from its runs. A seed's arms are paired with each other
    wherever they ran, so an arm that ran on another machine than the rest of its seed has that
    machine's chance in its difference: `hardware` has all of them. Raises `DistillError` where
    `more` is of something else, has a run that is there already, or comes with seeds that leave one
    out.
    """
    for key in SAME:
        if told[key] != more[key]:
            raise DistillError(
                f"{name} is of something else: its {key} is {more[key]}, not {told[key]}."
            )
    if settings_of(told) != settings_of(more) or _tuned(told) != _tuned(more):
        raise DistillError(f"{name} was run with other settings.")
    rows: list[Row] = [*told["runs"], *more["runs"]]
    if twice := {_which(r) for r in told["runs"]} & {_which(r) for r in more["runs"]}:
        arm, budget, seed = min(twice)
        raise DistillError(f"{arm} with {budget:,} items and seed {seed} is there already: {name}.")
    names = list(dict.fromkeys([*told["says"], *more["says"]]))
    first = IOA if IOA in names else told["against"]
    budgets = {
        items: _budget(items, (told, more), names, first, rows)
        for items in sorted({*told["budgets"], *more["budgets"]}, key=int)
    }
    seeds = sorted({r["seed"] for r in rows})
    taught = list(next(iter(told["items_to_mastery"].values())))
    largest = max(budgets, key=int)
    return {
        **told,
        "command": command(told["command"], names, list(budgets), seeds),
        "seeds": seeds,
        "items": int(largest),
        "tokens": max(told["tokens"], more["tokens"]),
        "against": first,
        **budgets[largest],
        "items_to_mastery": items_to_mastery(
            budgets, taught, told["settings"]["thresholds"]["mastery"]
        ),
        "budgets": budgets,
        "says": {**told["says"], **more["says"]},
        "runs": rows,
        "learning_rates": {
            n: sorted({r["learning_rate"] for r in rows if r["arm"] == n}) for n in names
        },
        "hardware": sorted({*told["hardware"], *more["hardware"]}),
    }


def command(words: str, arms: Sequence[str], budgets: Sequence[str], seeds: Sequence[int]) -> str:
    """The command that runs all of it at once. Pure. Raises `DistillError` where none does."""
    if list(seeds) != list(range(seeds[0], seeds[0] + len(seeds))):
        raise DistillError(
            f"The seeds {', '.join(map(str, seeds))} leave one out; join the one between first."
        )
    said = {
        "--arms": ",".join(arms),
        "--items": ",".join(budgets),
        "--first-seed": str(seeds[0]),
        "--seeds": str(len(seeds)),
    }
    found, left = [], iter(shlex.split(words))
    for word in left:
        if word in said:
            next(left, None)
            value = said.pop(word)
            found += [] if word == "--first-seed" and not seeds[0] else [word, value]
        else:
            found.append(word)
    if not seeds[0]:
        said.pop("--first-seed", None)
    return shlex.join([*found, *(word for pair in said.items() for word in pair)])


def _budget(
    items: str,
    parts: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    first: str,
    rows: Sequence[Row],
) -> dict[str, Any]:
    at = [r for r in rows if str(r["budget"]) == items]
    if all("skills" in r for r in at):
        return compared(names, first, at)
    holders = [each for each in parts if items in each["budgets"]]
    if len(holders) > 1:
        raise DistillError(
            f"Of runs with {items} items only means are kept, so that none can be added to them."
        )
    (holder,) = holders
    skills = holder["skills"] if str(holder["items"]) == items else {}
    return {"skills": skills, **holder["budgets"][items]}


def _which(row: Row) -> tuple[str, int, int]:
    return row["arm"], row["budget"], row["seed"]


def _tuned(told: Mapping[str, Any]) -> Mapping[str, Any]:
    chosen: Mapping[str, Any] = told.get("tuning", {}).get("chosen", {})
    return chosen
