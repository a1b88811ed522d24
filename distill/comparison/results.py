"""The results of a comparison as people and programs read them: JSON, Parquet, a table."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from distill.comparison import arms
from distill.comparison.measures import MEASURES, of_run, over_seeds, paired, ratio_of_means
from distill.comparison.plan import Plan, composite
from distill.disk import full_disk_told, write_beside
from distill.domains.base import Domain

FIGURES = "comparison.json"
PACKAGES = ("ioa", "torch", "transformers", "trl", "peft", "numpy", "scipy")
SHOWN = ("composite", "mean", "worst", "transfer", "mastered", "lost")


def figures(
    plan: Plan, domain: Domain, results: Sequence[dict[str, Any]], *, command: str
) -> dict[str, Any]:
    """Everything about a comparison as plain JSON.

    `seeds`, `arms` (name -> measure -> {mean, interval, n}, at the largest budget), `differences`
    (arm -> measure -> the same of `against` − arm, paired by seed), `ratios` (arm -> the same of
    composite and mean mastery of `against` over that of the arm), `budgets` (items -> the same
    three), `skills` (arm -> skill -> the same of its mastery), and what it was made with.
    """
    taught = [s.id for s in domain.skills if not s.is_transfer]
    put_together = [k for k in composite(domain) if not plan.skills or k in plan.skills]
    rows = [
        {
            "arm": r["arm"],
            "budget": r["budget_items"],
            "seed": r["seed"],
            "learning_rate": r["learning_rate"],
            **of_run(r, taught=taught, composite=put_together),
        }
        for r in results
    ]
    first = arms.IOA if arms.IOA in plan.arms else plan.arms[0]
    budgets = {
        str(n): compared(plan.arms, first, [r for r in rows if r["budget"] == n])
        for n in plan.items
    }
    largest = budgets[str(max(plan.items))]
    return {
        "command": command,
        "domain": f"{domain.id} {domain.version}",
        "student": plan.student.rpartition("/")[2],
        "teacher": plan.teacher,
        "seeds": list(plan.seeds),
        "items": max(plan.items),
        "tokens": max((r["budget_tokens"] for r in results), default=0),
        "composite": put_together,
        "against": first,  # the product, if it is there
        **largest,
        "skills": _skills(plan, results, max(plan.items)),
        "items_to_mastery": _items_to_mastery(plan, results, taught),
        "budgets": budgets,
        "says": {name: arms.find(name).says for name in plan.arms},
        "measures": MEASURES,
        "runs": rows,
        "learning_rates": {
            name: sorted({r["learning_rate"] for r in rows if r["arm"] == name})
            for name in plan.arms
        },
        **({"tuning": dict(plan.tuning)} if plan.tuning else {}),
        "settings": plan.settings.model_dump(mode="json"),
        "versions": versions(),
        # of the runs, not of this call; those of earlier versions do not say
        "hardware": sorted({r["hardware"] for r in results if "hardware" in r}),
    }


def compared(names: Sequence[str], first: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`arms`, `differences` and `ratios` of one budget, see `figures`. Pure.

    rows: of the runs, each with "arm", "seed" and the measures.
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
    }


def _items_to_mastery(
    plan: Plan, results: Sequence[dict[str, Any]], taught: Sequence[str]
) -> dict[str, dict[str, int | None]]:
    """Arm -> skill -> the smallest budget, in items, at which its mean mastery is up to the bound;
    None where none is. Budgets that were not compared cannot be found.
    """
    found: dict[str, dict[str, int | None]] = {name: {} for name in plan.arms}
    for items in sorted(plan.items, reverse=True):
        for name, of in _skills(plan, results, items).items():
            for skill in (k for k in of if k in taught):
                mean = of[skill]["after"]["mean"]
                if mean is not None and mean >= plan.settings.thresholds.mastery:
                    found[name][skill] = items
                else:
                    found[name].setdefault(skill, None)
    return found


def _skills(plan: Plan, results: Sequence[dict[str, Any]], items: int) -> dict[str, dict[str, Any]]:
    """Arm -> skill -> "before" and "after" -> `over_seeds` of its mastery, at one budget."""
    found: dict[str, dict[str, Any]] = {}
    for name in plan.arms:
        of = [r for r in results if r["arm"] == name and r["budget_items"] == items]
        by_skill: dict[str, dict[str, list[float | None]]] = {}
        for row in (row for r in of for row in r["skills"]):
            kept = by_skill.setdefault(row["id"], {"before": [], "after": []})
            for when, values in kept.items():
                values.append(row[when] / row["teacher"] if row["teacher"] else None)
        found[name] = {
            k: {when: over_seeds(values) for when, values in kept.items()}
            for k, kept in by_skill.items()
        }
    return found


def made_with(told: Mapping[str, Any]) -> str:
    """The versions of `figures`, and what its runs ran on, in one line. Pure."""
    parts = [f"{name} {version}" for name, version in told["versions"].items()]
    return ", ".join(parts) + "".join(f"; on {each}" for each in told.get("hardware", ()))


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def write(out: Path, told: dict[str, Any], results: Sequence[dict[str, Any]]) -> None:
    """Write comparison.json, runs.parquet and skills.parquet. Raises `OutOfSpace`."""
    write_beside(out / FIGURES, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    _parquet(out / "runs.parquet", told["runs"])
    skills = [
        {"arm": r["arm"], "budget": r["budget_items"], "seed": r["seed"], **_plain(row)}
        for r in results
        for row in r["skills"]
    ]
    _parquet(out / "skills.parquet", skills)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("id", "before", "after", "teacher", "n", "taught", "mastered")
    return {("skill" if k == "id" else k): row[k] for k in keys}


def _parquet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    import pyarrow
    from pyarrow import parquet

    partial = path.with_name(path.name + ".partial")
    with full_disk_told(path):
        parquet.write_table(pyarrow.Table.from_pylist(list(rows)), partial)
        partial.rename(path)


def table(told: dict[str, Any]) -> Table:
    """The arms side by side, best composite first."""
    n = len(told["seeds"])
    seeds = "1 seed" if n == 1 else f"{n} seeds"
    shown = Table(
        title=escape(f"{told['student']} on {told['domain']}, {told['items']} items, {seeds}"),
        title_justify="left",
    )
    shown.add_column("arm", no_wrap=True)
    for measure in SHOWN:
        shown.add_column(measure, justify="right", no_wrap=True)
    for name, measured in told["arms"].items():
        cells = [in_words(measured[m], m, brief=m != "composite") for m in SHOWN]
        shown.add_row(escape(name), *cells)
    return shown


def in_words(found: dict[str, Any], measure: str, *, brief: bool = False) -> str:
    """A mean with its interval: “0.42 (0.38–0.47)”; “–” where there is none. brief: the mean."""
    if found["mean"] is None:
        return "–"
    digits = 2 if measure in ("mean", "worst", "composite", "transfer", "kept", "lost") else 0
    words = f"{found['mean']:,.{digits}f}"
    if digits and not brief and found["interval"] is not None:
        low, high = found["interval"]
        words += f" ({low:.2f}–{high:.2f})"
    return words
