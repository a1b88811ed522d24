"""`ioa decompose`: a teacher proposes how to split a domain into skills."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from distill import domains, roster
from distill.backends.base import Backend
from distill.backends.scripted import ScriptedBackend
from distill.commands import options
from distill.commands.ending import told
from distill.commands.progress import stderr, telling
from distill.errors import DistillError
from distill.identifier.decompose import (
    LONGEST_EXAMPLE,
    MOST_EXAMPLES,
    Wish,
    decompose,
    left_out,
    prompt_text,
)
from distill.identifier.proposals import as_domain, unready
from distill.records import Proposal

console = Console()


def command(
    title: Annotated[str, typer.Option(help="What the domain is called.")],
    describe: Annotated[str, typer.Option(help="What belongs to it: a text file, or words.")],
    out: Annotated[
        Path | None, typer.Option(help="A new domain file: .yaml, .yml or .jsonl.")
    ] = None,
    teacher: Annotated[str, typer.Option(help=f"A model: {roster.MODELS_HELP}.")] = "",
    reply: Annotated[
        Path | None, typer.Option(help="In place of --teacher: a file with a model's reply.")
    ] = None,
    show_prompt: Annotated[
        bool, typer.Option("--show-prompt", help="Print what a teacher is asked, and ask nobody.")
    ] = False,
    examples: Annotated[
        Path | None,
        typer.Option(
            help="A text file with a question of the domain on each line; the first "
            f"{MOST_EXAMPLES} are told, of each {LONGEST_EXAMPLE} characters."
        ),
    ] = None,
    skills: Annotated[int, typer.Option(min=1, max=100, help="Skills at most.")] = 30,
    probes: Annotated[int, typer.Option(min=3, max=24, help="Questions for each.")] = 6,
    tries: Annotated[int, typer.Option(min=1, help="How often the teacher is asked.")] = 3,
    max_tokens: Annotated[int, typer.Option(min=1, help="Where a reply is cut off.")] = 8192,
    seed: int = 0,
    models: options.Models = options.MODELS,
) -> None:
    """Have a teacher split a domain into skills with prerequisites and candidate probes.

    The file it writes is a proposal. A person has to read and edit it before it is used.
    """
    with told("Nothing was written: call it again."):
        asked = [line for line in _read(examples).splitlines() if line.strip()] if examples else []
        wish = Wish(title, _described(describe), tuple(asked), skills, probes)
        words = prompt_text(wish)
        if show_prompt:
            typer.echo(words)
            for notice in left_out(wish):
                stderr.print(notice, soft_wrap=True)
            return
        _check_out(out)
        assert out is not None
        with telling() as show, closing(_backend(teacher, reply, models)) as backend:
            proposal = decompose(
                wish,
                backend,
                tries=1 if reply else tries,
                max_tokens=max_tokens,
                seed=seed,
                beat=lambda done, total: show(f"asking {backend.name}", done, total),
            )
        domains.export(as_domain(proposal), out, remarks=_remarks(proposal))
    console.print(_table(proposal))
    for notice in proposal.notices:
        console.print(f"- {notice}", markup=False, highlight=False, soft_wrap=True)
    if missing := unready(proposal):
        what = f"Too few probes yet: {', '.join(missing)}."
        console.print(what, markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"This is a proposal, and nobody has checked it. Read and edit {out}: skills, what they "
        f"build on, and whether each reference is right. Then: ioa domains check {out}, and "
        f"ioa diagnose --domain {out} or ioa distil --domain {out} --teacher MODEL.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _backend(teacher: str, reply: Path | None, models: Path) -> Backend:
    """The model that is to be asked; or somebody who says what a file says."""
    if bool(teacher) == bool(reply):
        raise DistillError("Name a --teacher to ask, or a file with a --reply: one of the two.")
    if reply:
        return ScriptedBackend([_read(reply)])
    if teacher in (roster.PROCEDURAL, roster.SIMULATED):
        raise DistillError(f"“{teacher}” is a program and cannot split a domain. Name a model.")
    return roster.find_model(teacher, models, os.environ)


def _check_out(out: Path | None) -> None:
    """Refuse before anybody is asked: a reply may take minutes, an edited file days."""
    if out is None:
        raise DistillError("Name a file for the proposal: --out proposal.yaml.")
    if out.suffix.lower() not in domains.SUFFIXES:
        raise DistillError(f"{out.name} has to end in {', '.join(domains.SUFFIXES)}.")
    if out.exists():
        raise DistillError(f"{out} is there already. Name another file, or remove it first.")
    if not out.parent.is_dir():
        raise DistillError(f"There is no folder {out.parent}.")


def _described(describe: str) -> str:
    """The words themselves, or what the file of that name says."""
    try:
        is_file = Path(describe).is_file()
    except (OSError, ValueError):  # words that no file could be called by
        is_file = False
    if not is_file and describe.endswith((".txt", ".md")) and " " not in describe:
        raise DistillError(f"There is no file {describe}.")
    return _read(Path(describe)) if is_file else describe


def _read(path: Path) -> str:
    if not path.is_file():
        raise DistillError(f"There is no file {path}.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise DistillError(f"{path} is not UTF-8 text.") from exc


def _remarks(proposal: Proposal) -> list[str]:
    return [
        f"Proposed by {proposal.teacher}, prompt decompose@{proposal.prompt_version}. "
        "Read and edit this file before it is used.",
        *proposal.notices,
    ]


def _table(proposal: Proposal) -> Table:
    counts = Counter(probe.skill for probe in proposal.probes)
    table = Table(title=escape(f"Proposed for {proposal.title}"), title_justify="left")
    for name in ("skill", "title", "area", "builds on"):
        table.add_column(name)
    for name in ("level", "probes"):
        table.add_column(name, justify="right")
    for skill in proposal.skills:
        table.add_row(
            escape(skill.id),
            escape(skill.title),
            escape(skill.area),
            escape(", ".join(skill.prerequisites)) or "–",
            str(skill.level),
            str(counts[skill.id]),
        )
    times = "once" if proposal.asked == 1 else f"{proposal.asked} times"
    table.caption = escape(
        f"prompt decompose@{proposal.prompt_version}; {proposal.teacher} was asked {times}, "
        f"{proposal.reply_tokens:,} tokens"
    )
    table.caption_justify = "left"
    return table
