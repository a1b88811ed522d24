"""What a run came to: the same figures for the browser, the command line and the demo."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from distill.assessment.gate import Was
from distill.assessment.retention import judge_retention
from distill.disk import write_beside
from distill.records import Retention, Score
from distill.settings import Thresholds


def build(
    skills: Sequence[str],
    taught: Sequence[str],
    *,
    before: Mapping[str, Score],
    after: Mapping[str, Score],
    teacher: Mapping[str, Score],
    mastered: Mapping[str, Was],
    after_grades: Mapping[str, Sequence[float]],
    thresholds: Thresholds,
) -> dict[str, Any]:
    """Figures by skill and over all taught skills; shares in 0..1.

    Args:
        skills: every skill that was measured, in order; `taught` those that were trained.
        before, after, teacher: scores on `final` probes of the student as it came, as it is now,
            and of the teacher.
        mastered: skills that passed their gate, or were known from the start, with what they
            scored then.
        after_grades: skill -> the final student's grades, for the test of retention.

    Returns:
        `retained` (mean of after/teacher over taught skills), `retained_before`, `skills`,
        `forgotten` (of `mastered`, those that fail `judge_retention` now). Pure.
    """
    forgotten = [
        k
        for k, was in mastered.items()
        if judge_retention(k, after_grades[k], was.mean, was.n, thresholds).answer
        is Retention.FORGOTTEN
    ]
    return {
        "skills": [
            {
                "id": k,
                "before": before[k].mean,
                "after": after[k].mean,
                "teacher": teacher[k].mean,
                "mastered": k in mastered and k not in forgotten,
                "taught": k in taught,
                "n": after[k].n,
                "before_interval": [before[k].low, before[k].high],
                "after_interval": [after[k].low, after[k].high],
            }
            for k in skills
        ],
        "retained_before": _retained(taught, before, teacher),
        "retained": _retained(taught, after, teacher),
        "forgotten": sorted(forgotten),
    }


def stage(
    skills: Sequence[str], gates: Sequence[tuple[str, Mapping[str, Any]]], **more: Any
) -> dict[str, Any]:
    """A stage in a report: its skills, how many rounds it had, and what was decided on what.

    gates: (decision, evidence as plain JSON) of each round, first to last.
    """
    return {
        "skills": list(skills),
        **more,
        "rounds": len(gates),
        "decisions": [decision for decision, _ in gates],
        "gates": [_gate(decision, evidence) for decision, evidence in gates],
    }


def _gate(decision: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    verdicts = [*evidence["stage"], *evidence["retention"]]
    by_answer: dict[str, list[str]] = {}
    for verdict in verdicts:
        by_answer.setdefault(str(verdict["answer"]), []).append(verdict["skill"])
    return {
        "decision": decision,
        "probes": sum(verdict["n"] for verdict in verdicts),
        "ratios": {v["skill"]: round(v["ratio"], 4) for v in evidence["stage"]},
        "void": dict(evidence.get("void", ())),  # skill -> answers that do not count
        **by_answer,  # mastered, not_yet, unclear of the stage; kept, forgotten, unclear of others
    }


def table(figures: dict[str, Any]) -> Table:
    """A report as people read it: skill, before, after, teacher, mastered."""
    shown = Table(title="What the student can do", title_justify="left")
    for name in ("skill", "before", "after", "95 %", "teacher", "n"):
        shown.add_column(name, justify="left" if name == "skill" else "right")
    shown.add_column("mastered")
    for row in figures["skills"]:
        low, high = row["after_interval"]
        shown.add_row(
            row["id"],
            f"{row['before']:.0%}",
            f"{row['after']:.0%}",
            f"{low:.0%}–{high:.0%}",
            f"{row['teacher']:.0%}",
            str(row["n"]),
            "yes" if row["mastered"] else ("no" if row["taught"] else "not taught"),
        )
    if figures["retained"] is not None:
        shown.caption = (
            f"Retained share of the teacher over taught skills: {figures['retained_before']:.0%} "
            f"before, {figures['retained']:.0%} after. Forgotten: "
            f"{', '.join(figures['forgotten']) or 'nothing'}."
        )
        shown.caption_justify = "left"
    return shown


def _retained(
    taught: Sequence[str], student: Mapping[str, Score], teacher: Mapping[str, Score]
) -> float | None:
    """Mean of P_S/P_T over taught skills; None when nothing was taught."""
    ratios = [student[k].mean / teacher[k].mean for k in taught if teacher[k].mean > 0]
    return sum(ratios) / len(ratios) if ratios else None


def write(path: Path, figures: Mapping[str, Any]) -> None:
    """Write a report as JSON, beside first and renamed then. Raises `OutOfSpace`."""
    write_beside(path, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
