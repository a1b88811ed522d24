"""What runs came to, budget by budget: over seeds, in pairs, skill by skill. Pure.

A row is one run: "arm", "budget" in items, "seed", the measures of `measures.MEASURES`, and
"skills": skill -> "before" and "after" -> its mastery, or None where the teacher has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distill.comparison.measures import MEASURES, over_seeds, paired, ratio_of_means
from distill.statistics import is_over

Row = Mapping[str, Any]


def compared(names: Sequence[str], first: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Of the runs with one budget: `arms` (arm -> measure -> `over_seeds`), `differences` and
    `ratios` (arm -> measure -> `first` less the arm, or over it, paired by seed), and `skills`.
    """
    by_arm = {
        name: {m: {r["seed"]: r[m] for r in rows if r["arm"] == name} for m in MEASURES}
        for name in names
    }
    others = {name: of for name, of in by_arm.items() if name != first}
    ours = by_arm[first]
    return {
        "arms": {
            name: {m: over_seeds(list(of.values())) for m, of in measured.items()}
            for name, measured in by_arm.items()
        },
        "differences": {
            name: {m: paired(ours[m], of[m]) for m in MEASURES} for name, of in others.items()
        },
        "ratios": {
            name: {m: ratio_of_means(ours[m], of[m]) for m in ("composite", "mean")}
            for name, of in others.items()
        },
        "skills": {name: _skills([r for r in rows if r["arm"] == name]) for name in names},
    }


def items_to_mastery(
    budgets: Mapping[str, Any], taught: Sequence[str], bound: float
) -> dict[str, dict[str, int | None]]:
    """Arm -> skill -> the smallest budget, in items, at which its mean mastery is up to `bound`;
    None where none is. Budgets that were not compared cannot be found.

    budgets: items -> `compared`.
    """
    found: dict[str, dict[str, int | None]] = {}
    for items in sorted(budgets, key=int, reverse=True):
        for name, of in budgets[items]["skills"].items():
            reached = found.setdefault(name, {})
            for skill in (k for k in of if k in taught):
                mean = of[skill]["after"]["mean"]
                if mean is not None and not is_over(bound, mean):
                    reached[skill] = int(items)
                else:
                    reached.setdefault(skill, None)
    return found


def _skills(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Skill -> "before" and "after" -> `over_seeds` of its mastery."""
    values: dict[str, dict[str, list[float | None]]] = {}
    for row in rows:
        for skill, of in row["skills"].items():
            kept = values.setdefault(skill, {when: [] for when in of})
            for when, mastery in of.items():
                kept[when].append(mastery)
    return {
        skill: {when: over_seeds(each) for when, each in kept.items()}
        for skill, kept in values.items()
    }
