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
from distill.comparison.budgets import compared, items_to_mastery
from distill.comparison.measures import MEASURES, of_run
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
    three, and `skills`: arm -> skill -> the same of its mastery before and after), `runs` (a row a
    run, see `budgets`), and what it was made with.
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
            "skills": _mastery(r),
            "hardware": r.get("hardware"),  # those of earlier versions do not say
        }
        for r in results
    ]
    first = arms.IOA if arms.IOA in plan.arms else plan.arms[0]
    budgets = {
        str(n): compared(plan.arms, first, [r for r in rows if r["budget"] == n])
        for n in plan.items
    }
    largest = budgets[str(max(plan.items))]
    bound = plan.settings.thresholds.mastery
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
        "items_to_mastery": items_to_mastery(budgets, taught, bound),
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
        "hardware": sorted({r["hardware"] for r in results if "hardware" in r}),  # of the runs
    }


def _mastery(result: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    return {
        row["id"]: {
            when: row[when] / row["teacher"] if row["teacher"] else None
            for when in ("before", "after")
        }
        for row in result["skills"]
    }


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
    runs = [{k: v for k, v in row.items() if k != "skills"} for row in told["runs"]]
    _parquet(out / "runs.parquet", runs)
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
    """The arms side by side, in the order in which they were named."""
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


def signed(found: Mapping[str, Any]) -> str:
    """A difference with its interval: “+0.02 (−0.04 to +0.07)”; “–” where there is none."""
    if found["mean"] is None:
        return "–"
    words = f"{found['mean']:+.2f}"
    if found["interval"] is not None:
        low, high = found["interval"]
        words += f" ({low:+.2f} to {high:+.2f})"
    return words.replace("-", "−")
