"""`ioa diagnose`: what a student does not know of a domain, and what hangs on what."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from distill import domains, history, roster
from distill.commands import files, options
from distill.commands.ending import told
from distill.commands.progress import stderr, telling
from distill.diagnosis import Plan, diagnose
from distill.disk import write_beside
from distill.domains.base import Domain
from distill.identifier.edges import Observed, observe
from distill.identifier.looks import CAP
from distill.journal import Journal
from distill.records import Skill
from distill.settings import Probing, Settings

SIDE = ".answers.jsonl"  # beside the figures: every answer, as it came

console = Console()


def command(
    out: Annotated[Path, typer.Option(help="A JSON file for the figures; answers go beside it.")],
    domain: options.Domain = "foundations",
    student: options.Student = "smollm2-135m",
    teacher: options.Teacher = roster.PROCEDURAL,
    skills: options.Skills = "",
    seed: int = 0,
    probes: Annotated[
        int, typer.Option(min=1, help="Questions a skill, and a look.")
    ] = Probing().diagnose_probes,
    until: Annotated[
        float | None,
        typer.Option(min=0, max=2, help="Probe on until a gap's interval is this narrow."),
    ] = None,
    cap: Annotated[
        int, typer.Option(min=1, help="Questions a skill at most, with --until; one look at least.")
    ] = CAP,
    history: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of an earlier run: its checkpoints tell of edges. Repeatable."),
    ] = None,
    models: options.Models = options.MODELS,
) -> None:
    """Measure every skill of a domain that can be taught: gap, severity, kinds of errors, edges.

    Stopped, and called again with the same words, it goes on where it was.
    """
    started = time.monotonic()
    with told(f"Every answer so far is kept beside {out}; the same command goes on from there."):
        figures, asked = _diagnose(
            out, domain, student, teacher, skills, seed, probes, until, cap, history or [], models
        )
    console.print(_table(figures))
    console.print(f"Figures: {out}", markup=False)
    seconds = time.monotonic() - started
    stderr.print(f"{asked} questions asked in {seconds:.1f} s.", highlight=False)


def _diagnose(
    out: Path,
    domain: str,
    student: str,
    teacher: str,
    skills: str,
    seed: int,
    probes: int,
    until: float | None,
    cap: int,
    runs: list[Path],
    models: Path,
) -> tuple[dict[str, Any], int]:
    """Write the figures; returns them, and how many questions were asked for them."""
    found = domains.load(domain)
    files.check_figures(out, SIDE, domain)
    wanted = files.taught_skills(found, skills)
    chosen = tuple(s for s in found.skills if s.id in wanted)
    learner = roster.find_student(student, models)
    judge = roster.find_teacher(teacher, models, os.environ)
    settings = Settings()
    journal = Journal(out.parent, resume=True, name=out.name + SIDE)
    journal.begin(
        domain=f"{found.id} {found.version}",
        student=learner.name,
        teacher=judge.name,
        max_answer_tokens=settings.probing.max_answer_tokens,
        teacher_answer_tokens=settings.probing.teacher_answer_tokens,
    )
    before = journal.count_answers()
    with telling() as show, closing(judge), closing(roster.Lazy(learner, None)) as answering:
        figures = diagnose(
            found,
            Plan(chosen, seed, probes, until, cap),
            teacher=judge,
            student=answering,
            settings=settings,
            journal=journal,
            observed=_observed(runs, found, learner.name, chosen, settings),
            progress=show,
        )
    write_beside(out, json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    return figures, journal.count_answers() - before


def _observed(
    runs: list[Path], domain: Domain, student: str, skills: tuple[Skill, ...], settings: Settings
) -> dict[tuple[str, str], Observed]:
    if not runs:
        return {}
    past = history.read(runs, domain=f"{domain.id} {domain.version}", student=student)
    return observe(past, [s.id for s in skills], settings.thresholds)


def _table(figures: dict[str, Any]) -> Table:
    table = Table(title=escape(f"What {figures['student']} lacks of {figures['domain']}"))
    table.add_column("skill")
    for name in ("teacher", "student", "gap", "95%", "n", "severity"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("most often")
    for s in figures["skills"]:
        interval = s["interval"]
        error = s["errors"][0] if s["errors"] else None
        table.add_row(
            escape(s["id"]),
            f"{s['p_teacher']:.2f}",
            f"{s['p_student']:.2f}",
            "none" if s["gap"] is None else f"{s['gap']:.2f}",
            "" if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}",
            str(s["n"]),
            "" if s["severity"] is None else f"{s['severity']:.2f}",
            "" if error is None else f"{error['type'].replace('_', ' ')} ({error['n']})",
            style="bold" if s["deficient"] else None,
        )
    return table
