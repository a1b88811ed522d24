"""`ioa compare`: methods of teaching at the same budget, over seeds."""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from distill import domains, roster
from distill.commands import files, options
from distill.commands.ending import told
from distill.commands.progress import Lines, line
from distill.comparison import arms, page, results
from distill.comparison.plan import TUNING_SEEDS_FROM, Plan, Run, read_tuning
from distill.comparison.running import compare, read
from distill.comparison.tuning import choose
from distill.disk import write_beside
from distill.errors import DistillError
from distill.settings import Settings

TUNED = "tuned.json"

MOST_ITEMS = 1_000_000  # all of an arm's are in memory at once

console = Console()

N = TypeVar("N", int, float)


def command(
    out: Annotated[Path, typer.Option(help="A folder for everything that is made.")],
    domain: options.Domain = "foundations",
    student: options.Student = "smollm2-135m",
    teacher: options.Teacher = roster.PROCEDURAL,
    skills: options.Skills = "",
    arm: Annotated[
        str, typer.Option("--arms", help=f"By comma: {', '.join(arms.ARMS)}.")
    ] = ",".join(arms.DEFAULT),
    items: Annotated[
        str, typer.Option(help="The budget, in items of mean length; several by comma.")
    ] = "3000",
    items_per_round: Annotated[
        int | None, typer.Option(min=1, help="For arms that work in rounds.", show_default="400")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many: 0, 1, 2 …")] = 5,
    first_seed: Annotated[
        int,
        typer.Option(min=0, help="Where they begin, so that machines can share a comparison."),
    ] = 0,
    probes: Annotated[
        int | None, typer.Option(min=1, help="Questions a skill at the end.", show_default="64")
    ] = None,
    settings: options.SettingsFile = None,
    tune: Annotated[
        str,
        typer.Option(
            help=f"Learning rates by comma: try each arm with each, on seeds from "
            f"{TUNING_SEEDS_FROM}, and write {TUNED}."
        ),
    ] = "",
    tuned: Annotated[
        Path | None, typer.Option(help=f"A {TUNED}: a learning rate for each arm.")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, help="Runs at once.")] = 1,
    device: Annotated[str, typer.Option(help="auto, or cpu where a GPU is there.")] = "auto",
    models: options.Models = options.MODELS,
    requests: options.Requests = roster.AT_ONCE,
    resume: Annotated[bool, typer.Option(help="Continue what the folder holds.")] = False,
) -> None:
    """Teach one student by several methods, at the same training tokens, and compare.

    Every arm of a seed is asked the same questions at the end.
    """
    if device not in ("auto", "cpu"):
        raise typer.BadParameter("it is auto or cpu", param_hint="--device")
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is imported, here and in children
    kept = f"Everything so far is kept in {out}; the same command with --resume goes on."
    with told(kept):
        rates = tuple(_number(r, "--tune", float) for r in _words(tune))
        first = first_seed + (TUNING_SEEDS_FROM if rates else 0)
        if not rates and first + seeds > TUNING_SEEDS_FROM:
            raise DistillError(f"Seeds from {TUNING_SEEDS_FROM} are for --tune.")
        plan = Plan(
            domain=domain,
            student=student,
            teacher=teacher,
            models=models,
            skills=_known(domain, _words(skills)),
            arms=tuple(dict.fromkeys(_words(arm))),
            items=tuple(sorted({_number(n, "--items", int) for n in _words(items)})),
            seeds=tuple(range(first, first + seeds)),
            settings=_settings(settings, items_per_round, probes),
            tuning=read_tuning(tuned) if tuned else {},
            rates=rates,
            requests=requests,
        )
        if not plan.arms or not plan.items:
            raise DistillError("Name at least one arm and one budget of items.")
        if max(plan.items) > MOST_ITEMS:
            raise DistillError(f"--items takes {MOST_ITEMS:,} at most.")
        telling = _Telling(plan, out, parallel)

        def finished(run: Run, result: dict[str, Any], seconds: float) -> None:
            telling.finished(run, result, seconds)
            if not rates:
                _write(plan, out)

        found = compare(
            plan,
            out,
            resume=resume,
            parallel=parallel,
            progress=telling.progress,
            finished=finished,
        )
        if rates:
            _tell_tuned(out / TUNED, choose(plan, domains.load(domain), found, command=_command()))
            return
        figures = _write(plan, out)
    console.print(results.table(figures))
    for name in (results.FIGURES, page.PAGE):
        console.print(f"Written: {out / name}", markup=False, soft_wrap=True)


def _write(plan: Plan, out: Path) -> dict[str, Any]:
    """Everything that can be said by now, so that a comparison can be read while it goes on."""
    found = [result for run in plan.runs() if (result := read(out, run)) is not None]
    figures = results.figures(plan, domains.load(plan.domain), found, command=_command())
    results.write(out, figures, found)
    page.write(out, figures)
    return figures


class _Telling:
    """A line now and then on stderr: what is being done, and how long all of it will take."""

    def __init__(self, plan: Plan, out: Path, parallel: int) -> None:
        self._parallel = parallel
        self._total = sum(read(out, run) is None for run in plan.runs())
        self._taught = {s.id for s in domains.load(plan.domain).skills if not s.is_transfer}
        self.progress = Lines()
        self._took: list[float] = []  # seconds of each run that is done

    def finished(self, run: Run, result: dict[str, Any], seconds: float) -> None:
        self._took.append(seconds)
        each = sum(self._took) / len(self._took) / self._parallel
        own = [row["after"] for row in result["skills"] if row["id"] in self._taught]
        mean = sum(own) / len(own) if own else 0.0
        left = self._total - len(self._took)
        line(
            f"{run.folder}: {mean:.2f} in the mean, "
            f"{result['items']} items, {seconds:,.0f} s; {left} runs to go, "
            f"about {each * left / 60:,.0f} min"
        )


def _tell_tuned(path: Path, chosen: dict[str, Any]) -> None:
    write_beside(path, json.dumps(chosen, indent=1) + "\n")
    for name, row in chosen["chosen"].items():
        console.print(f"{name}: {row['learning_rate']:g} ({row['mean']:.3f})", highlight=False)
    console.print(f"For --tuned: {path}", markup=False, soft_wrap=True)


def _command() -> str:
    """The words this was called with, so that a figure can say where it comes from."""
    words = [w for w in sys.argv[1:] if w != "--resume"]
    return shlex.join(["ioa", *words])


def _words(text: str) -> list[str]:
    return [word for w in text.split(",") if (word := w.strip())]


def _number(word: str, option: str, kind: type[N]) -> N:
    try:
        number = kind(word)
    except ValueError:
        number = kind(0)
    if not 0 < number < math.inf:
        raise DistillError(f"{option} takes positive numbers by comma, and “{word}” is none.")
    return number


def _known(domain: str, skills: list[str]) -> tuple[str, ...]:
    """Each once, in the order given. One that is never taught may be among them: it is measured."""
    found = domains.load(domain)
    known = {s.id: s for s in found.skills}
    for skill in skills:
        if skill not in known:
            raise DistillError(f"{found.title} has no skill “{skill}”.")
    if skills and all(known[k].is_transfer for k in skills):
        raise DistillError(
            f"No arm would teach anything: {', '.join(skills)} only measure transfer."
        )
    if said := files.lacking(found, [k for k in skills if not known[k].is_transfer]):
        console.print(said, markup=False)
    return tuple(dict.fromkeys(skills))


def _settings(path: Path | None, items_per_round: int | None, probes: int | None) -> Settings:
    chosen = Settings() if path is None else files.settings_in(path)
    if items_per_round is not None:
        budget = chosen.budget.model_copy(update={"items_per_round": items_per_round})
        chosen = chosen.model_copy(update={"budget": budget})
    if probes is not None:
        probing = chosen.probing.model_copy(update={"final_probes": probes})
        chosen = chosen.model_copy(update={"probing": probing})
    return chosen
