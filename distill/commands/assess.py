"""`ioa assess`: a model's score on a benchmark."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from distill import grading, roster
from distill.assess import SIDE, Asking, assess, which_adapter
from distill.commands import files, options
from distill.commands.ending import told
from distill.commands.progress import telling
from distill.domains.benchmarks import load_benchmark

console = Console()


def command(
    data: Annotated[
        Path, typer.Option(help="A benchmark: a JSON Lines file, see docs/domains.md.")
    ],
    out: Annotated[Path, typer.Option(help="A JSON file for the figures; answers go beside it.")],
    model: Annotated[
        str, typer.Option(help="A folder in --models, a path, or “simulated”.")
    ] = "smollm2-135m",
    adapter: Annotated[Path | None, typer.Option(help="A checkpoint of a run, on --model.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Questions: a fair sample.", show_default="all")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Questions at once.")] = 32,
    max_tokens: Annotated[int, typer.Option(min=1, help="Where an answer is cut off.")] = 512,
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Run the programs that a model writes.")
    ] = False,
    judge: Annotated[
        str,
        typer.Option(help=f"Who judges open questions, not ROUGE: {roster.MODELS_HELP}."),
    ] = "",
    models: options.Models = options.MODELS,
) -> None:
    """Ask a model the questions of a benchmark, and grade the answers.

    Stopped, and called again with the same words, it goes on where it was and asks nothing twice.
    """
    kept = f"Every answer so far is kept beside {out}; the same command goes on from there."
    with told(kept), ExitStack() as open_:
        files.check_figures(out, SIDE, data)
        benchmark = load_benchmark(data)
        backend = roster.Lazy(roster.find_student(model, models), adapter)
        open_.enter_context(closing(backend))
        judging = roster.find_model(judge, models, os.environ) if judge else None
        if judging is not None:
            open_.enter_context(closing(judging))
        show = telling()
        open_.enter_context(show)
        figures = assess(
            backend,
            benchmark,
            out=out,
            asking=Asking(limit, batch_size, max_tokens),
            graders=grading.switched_on(run_code=run_code, judge=judging),
            judge=judging.name if judging else "",
            about=which_adapter(adapter),
            beat=lambda done, total: show(f"{backend.name} on {benchmark.id}", done, total),
        )
    console.print(_table(figures))
    for sentence, count in figures["errors"].items():
        console.print(f"{count} not graded: {sentence}", markup=False, soft_wrap=True)
    if n := figures["cut_off"]:
        console.print(f"{n} not right and cut off after {max_tokens} tokens: see --max-tokens")
    console.print(f"Figures: {out}", markup=False, soft_wrap=True)


def _table(figures: dict[str, Any]) -> Table:
    table = Table(title=escape(f"{figures['model']} on {figures['data']}"), title_justify="left")
    table.add_column("skill")
    for name in ("score", "95%", "n"):
        table.add_column(name, justify="right")
    rows = figures["skills"] if len(figures["skills"]) > 1 else []
    for row in [*rows, {"skill": "all", **figures}]:
        low, high = row["interval"]
        cells = (f"{row['score']:.1%}", f"{low:.1%} to {high:.1%}", str(row["n"]))
        table.add_row(escape(row["skill"]), *cells, style="bold" if row["skill"] == "all" else None)
    table.caption = escape(
        f"{', '.join(figures['graders'].values())}; {figures['tokens']:,} tokens in "
        f"{figures['seconds']:,.1f} s"
    )
    table.caption_justify = "left"
    return table
