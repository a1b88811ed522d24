"""What a run came to: the same figures for the browser, the command line and the demo."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from distill.assessment.gate import Was
from distill.assessment.retention import judge_retention
from distill.disk import write_beside
from distill.records import Interval, Score
from distill.settings import Thresholds
from distill.statistics import interval_of_mean, ratio_interval
from distill.verdicts import Retention


def build(
    skills: Sequence[str],
    taught: Sequence[str],
    *,
    before: Mapping[str, Score],
    after: Mapping[str, Score],
    teacher: Mapping[str, Score],
    mastered: Mapping[str, Was],
    after_grades: Mapping[str, Mapping[str, float]],
    teacher_grades: Mapping[str, Mapping[str, float]],
    thresholds: Thresholds,
) -> dict[str, Any]:
    """Figures by skill and over all taught skills; shares in 0..1.

    Args:
        skills: every skill that was measured, in order; `taught` those that were trained.
        before, after, teacher: scores on `final` probes of the student as it came, as it is now,
            and of the teacher.
        mastered: skills that passed their gate, or were known from the start, with what they
            scored then.
        after_grades, teacher_grades: skill -> probe -> grade of the final student and of the
            teacher, for the test of retention and the interval of what was retained.

    Returns:
        `retained` (mean of after/teacher over taught skills) with its 95 % interval, in which
        answers vary and trainings do not, `retained_before`, `skills`,
        `forgotten` (of `mastered`, those that fail `judge_retention` now). Pure.
    """
    forgotten = [
        k
        for k, was in mastered.items()
        if judge_retention(k, list(after_grades[k].values()), was.mean, was.n, thresholds).answer
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
        "retained_interval": _interval(
            taught,
            after_grades,
            teacher_grades,
            exact={k for k in taught if after[k].is_exhaustive and teacher[k].is_exhaustive},
        ),
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
    waived = evidence.get("waived", ())  # earlier versions asked nothing of those
    by_answer: dict[str, list[str]] = {}
    for verdict in verdicts:
        by_answer.setdefault(str(verdict["answer"]), []).append(verdict["skill"])
    return {
        "decision": decision,
        "probes": sum(verdict["n"] for verdict in (*verdicts, *waived)),
        "ratios": {v["skill"]: round(v["ratio"], 4) for v in evidence["stage"]},
        "waived": {v["skill"]: round(v["now"], 4) for v in waived},  # earlier; what it scores now
        "void": dict(evidence.get("void", ())),  # skill -> answers that do not count
        **by_answer,  # mastered, not_yet, unclear of the stage; kept, forgotten, unclear of others
    }


def table(figures: dict[str, Any]) -> Table:
    """A report as people read it: skill, before, after, teacher, mastered."""
    shown = Table(title="What the student can do", title_justify="left")
    for name in ("skill", "before", "after", "95%", "teacher", "n"):
        shown.add_column(name, justify="left" if name == "skill" else "right")
    shown.add_column("mastered")
    for row in figures["skills"]:
        low, high = row["after_interval"]
        shown.add_row(
            escape(row["id"]),
            f"{row['before']:.0%}",
            f"{row['after']:.0%}",
            f"{low:.0%}–{high:.0%}",
            f"{row['teacher']:.0%}",
            str(row["n"]),
            "yes" if row["mastered"] else ("no" if row["taught"] else "not taught"),
        )
    if figures["retained"] is not None:
        shown.caption = escape(
            f"Retained share of the teacher over taught skills: {figures['retained_before']:.0%} "
            f"before, {figures['retained']:.0%} after{_between(figures)}. Forgotten: "
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


def _interval(
    taught: Sequence[str],
    student: Mapping[str, Mapping[str, float]],
    teacher: Mapping[str, Mapping[str, float]],
    exact: Set[str],
) -> list[float] | None:
    """Of `_retained`, paired by probe; None where that is None, or nothing bounds it.

    exact: skills of which both were asked all the questions there are: nothing is left to chance.
    Where the teacher is always right and every skill has as many probes, it is that of one mean:
    no narrower than it should be, as skills differ, and right near 1, where `interval_of_mean` is
    too narrow.
    """
    estimates, sizes = [], set()
    students: list[float] = []
    teachers: list[float] = []
    for k in taught:
        shared = sorted(student[k].keys() & teacher[k].keys())
        of_student = [student[k][probe] for probe in shared]
        of_teacher = [teacher[k][probe] for probe in shared]
        if sum(of_teacher) > 0:
            ratio = sum(of_student) / sum(of_teacher)
            within = ratio_interval(of_student, of_teacher)
            estimates.append((ratio, Interval(ratio, ratio) if k in exact else within))
            sizes.add(len(shared))
            students += of_student
            teachers += of_teacher
    is_one_mean = not exact and len(sizes) == 1 and all(grade == 1.0 for grade in teachers)
    found = ratio_interval(students, teachers) if is_one_mean else interval_of_mean(estimates)
    return [found.low, found.high] if math.isfinite(found.high) else None


def _between(figures: Mapping[str, Any]) -> str:
    # reports of earlier versions have none
    low, high = figures.get("retained_interval") or (None, None)
    return "" if low is None else f" (95%: {low:.0%}–{high:.0%})"


def write(path: Path, figures: Mapping[str, Any]) -> None:
    """Write a report as JSON, beside first and renamed then. Raises `OutOfSpace`."""
    write_beside(path, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
