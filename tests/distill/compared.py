"""`ioa compare` with the simulated student, quick enough for a test; plans and figures of runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from distill.cli import app
from distill.comparison.plan import Plan
from distill.settings import Settings

QUICK = ["--student", "simulated", "--items", "60,90", "--items-per-round", "30", "--probes", "8"]
QUICK += ["--skills", "A1,A2,B3,T2", "--arms", "uniform,gap,ioa,ioa-rehearsal"]


def ioa(*words: Any) -> Result:
    return CliRunner().invoke(app, ["compare", *(str(w) for w in words)])


def said(result: Result) -> str:
    return " ".join(result.stderr.split())


def row(
    skill: str, before: float, after: float, *, mastered: bool = False, teacher: float = 1.0
) -> dict[str, Any]:
    figures = {"id": skill, "before": before, "after": after, "teacher": teacher}
    return figures | {"mastered": mastered, "taught": True, "n": 16}


def figures_of(*rows: dict[str, Any], forgotten: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    told = {
        "skills": list(rows),
        "forgotten": list(forgotten),
        "settings": Settings().model_dump(mode="json"),
        "items": 100,
        "train_tokens": 5000,
        "teacher_tokens": 900,  # answers to probes among them
        "item_tokens": 4000,
        "probes": 64,
        "train_seconds": 1.0,
        "seconds": 2.0,
    }
    return told | more


def plan_of(**more: Any) -> Plan:
    words: dict[str, Any] = {
        "domain": "foundations",
        "student": "simulated",
        "teacher": "procedural",
        "models": Path("none"),
        "skills": (),
        "arms": ("uniform", "ioa"),
        "items": (100, 200),
        "seeds": (0, 1),
    }
    return Plan(**words | more)
