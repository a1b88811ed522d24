"""The command `ioa`: the method without a browser.

    ioa distil --domain foundations --student smollm2-135m --out DIR

Exit status: 0 done, 1 could not (a sentence on stderr says why) or found what it was to look for
(leaks, faults of a domain), 2 wrong usage, 130 Ctrl-C.
"""

from __future__ import annotations

import os
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from distill import domains, report, roster
from distill.adapter.leaks import LeakIndex
from distill.adapter.writing import nothing_for, unwritable
from distill.commands import assess, check_leaks, compare, decompose, diagnose, files, options
from distill.commands import domains as domains_commands
from distill.commands.ending import told
from distill.commands.progress import Bars, Lines, telling
from distill.decisions import AtGate, Decision, autopilot
from distill.errors import DomainError
from distill.journal import CHECKPOINTS
from distill.pipeline import Pipeline
from distill.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
console = Console()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ioa {metadata.version('ioa')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it and end.")
    ] = False,
) -> None:
    """Distil a language model into a smaller one by teaching it."""


app.command("assess")(assess.command)
app.command("check-leaks")(check_leaks.command)
app.command("compare")(compare.command)
app.command("decompose")(decompose.command)
app.command("diagnose")(diagnose.command)
app.add_typer(domains_commands.app, name="domains")


@app.command()
def distil(
    out: Annotated[Path, typer.Option(help="A folder for everything this run makes.")],
    domain: options.Domain = "foundations",
    student: options.Student = "smollm2-135m",
    teacher: options.Teacher = roster.PROCEDURAL,
    skills: options.Skills = "",
    items: Annotated[
        int | None, typer.Option(min=1, help="Items to train on, in all.", show_default="3000")
    ] = None,
    items_per_round: Annotated[
        int | None, typer.Option(min=1, help="Of these in a round.", show_default="400")
    ] = None,
    seed: int = 0,
    autonomy: Annotated[
        str, typer.Option(help="“none”: policy decides. “gates”: you are asked at every gate.")
    ] = "none",
    settings: options.SettingsFile = None,
    models: options.Models = options.MODELS,
    requests: options.Requests = roster.AT_ONCE,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A benchmark of which no item may hold anything. Repeatable."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue what DIR holds.")] = False,
) -> None:
    """Diagnose a student, plan a curriculum and teach it, stage by stage."""
    if autonomy not in ("none", "gates"):
        raise typer.BadParameter("it is none or gates", param_hint="--autonomy")
    with told(f"Everything so far is kept in {out}; the same command with --resume goes on."):
        chosen = _settings(settings, items, items_per_round)
        answering = roster.find_teacher(teacher, models, os.environ, requests)
        found = domains.load(domain)
        taught = files.taught_skills(found, skills) if skills.strip(", ") else ()
        if teacher == roster.PROCEDURAL and (bare := unwritable(found, taught)):
            raise DomainError(nothing_for(bare))
        if said := files.lacking(found, taught):
            console.print(said, markup=False)
        with closing(answering), telling() as show:
            pipeline = Pipeline(
                found,
                roster.find_student(student, models),
                answering,
                chosen,
                seed=seed,
                out=out,
                skills=taught,
                decide=autopilot if autonomy == "none" else _ask_person(show),
                progress=show,
                resume=resume,
                against=LeakIndex.of_files(against or []),
            )
            figures = pipeline.run()
    console.print(report.table(figures))
    for notice in figures["notices"]:
        console.print(notice, markup=False)
    if figures["adapter"]:
        adapter = out / CHECKPOINTS / figures["adapter"]
        console.print(f"The student's adapter: {adapter}", markup=False, soft_wrap=True)
    console.print(f"Report: {out / 'report.json'}", markup=False)


def _settings(path: Path | None, items: int | None, items_per_round: int | None) -> Settings:
    """Settings from a file, if one is named; what the command line says of the budget wins."""
    chosen = Settings() if path is None else files.settings_in(path)
    said = {"items": items, "items_per_round": items_per_round}
    budget = chosen.budget.model_copy(update={k: n for k, n in said.items() if n is not None})
    return chosen.model_copy(update={"budget": budget})


def _ask_person(show: Bars | Lines) -> Any:
    def decide(gate: AtGate) -> Decision:
        with show.aside():
            return _asked(gate)

    return decide


def _asked(gate: AtGate) -> Decision:
    console.print(f"\n[bold]Gate of stage {gate.position}, round {gate.round}[/bold]")
    for v in gate.evidence.stage:
        console.print(
            f"  {v.skill}: {v.answer.value.replace('_', ' ')}, ratio {v.ratio:.2f} "
            f"[{v.low:.2f} {v.high:.2f}], n {v.n}",
            markup=False,
        )
    for r in gate.evidence.retention:
        console.print(f"  {r.skill}: {r.answer.value}, {r.now:.2f} (was {r.was:.2f})", markup=False)
    for w in gate.evidence.waived:
        console.print(f"  {w.skill}, waived at {w.was:.2f}: {w.now:.2f} now", markup=False)
    allowed = [d for d in Decision if d is not Decision.ADVANCE or gate.evidence.allows_advance]
    if not gate.may_remedy:
        allowed.remove(Decision.REMEDY)
    answer = ""
    while answer not in allowed:
        answer = typer.prompt(f"Decide ({', '.join(allowed)})")
    return Decision(answer)
