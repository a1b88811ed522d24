"""`ioa domains`: what can be taught, what it consists of, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from distill import domains
from distill.commands.progress import stderr
from distill.domains.base import UNLIMITED, Domain
from distill.errors import DomainError
from distill.records import Skill, Split

app = typer.Typer(no_args_is_help=True, help=__doc__)
console = Console()


@app.command("list")
def list_() -> None:
    """The domains that are built in."""
    table = Table("domain", "title", "version", "skills")
    missing = []
    for spec in domains.built_in():
        try:
            domain = domains.load(spec)
        except DomainError as exc:
            missing.append(str(exc))
            table.add_row(escape(spec), "not installed", "–", "–")
        else:
            words = (domain.id, domain.title, domain.version, str(len(domain.skills)))
            table.add_row(*map(escape, words))
    console.print(table)
    for sentence in missing:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    console.print(
        "A path to a file works as well wherever a domain is asked for: see docs/domains.md.",
        markup=False,
    )


@app.command()
def show(
    domain: Annotated[str, typer.Argument(help="A built-in domain or a file.")],
) -> None:
    """The skills of a domain, what they build on, and how many questions there are for each."""
    try:
        found = domains.load(domain, to_teach=False)
    except DomainError as exc:
        raise _refused(exc) from exc
    table = Table(title=escape(f"{found.title} ({found.id}, version {found.version})"))
    for name in ("skill", "title", "builds on", "grader"):
        table.add_column(name)
    for split in Split:
        table.add_column(split.value, justify="right")
    for skill in found.skills:
        table.add_row(*_row(found, skill))
    table.caption = "Questions by split. *: measured, never trained."
    table.caption_justify = "left"
    console.print(table)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A domain file or a benchmark.")]) -> None:
    """Say everything that is wrong with a file, with its lines. Status 1 if anything is."""
    faults = domains.faults(file)
    for fault in faults:
        stderr.print(str(fault), markup=False, highlight=False, soft_wrap=True)
    if faults:
        stderr.print(f"{len(faults)} faults." if len(faults) > 1 else "1 fault.", highlight=False)
        raise typer.Exit(1)
    try:  # a path, also where it has the name of a built-in domain
        found = domains.load(str(file.absolute()), to_teach=False)
    except DomainError as exc:
        raise _refused(exc) from exc
    sizes = [found.size(s.id, split) for s in found.skills for split in Split]
    least = "at least " if None in sizes else ""
    questions = sum(UNLIMITED if size is None else size for size in sizes)
    skills = "1 skill" if len(found.skills) == 1 else f"{len(found.skills)} skills"
    console.print(
        f"{file} is right: {skills}, {least}{questions:,} questions.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _row(domain: Domain, skill: Skill) -> list[str]:
    sizes = [domain.size(skill.id, split) for split in Split]
    return [
        escape(skill.id) + ("*" if skill.is_transfer else ""),
        escape(skill.title),
        escape(", ".join(skill.prerequisites)) or "–",
        domain.grader(skill.id),
        *("many" if size is None else f"{size:,}" for size in sizes),
    ]


def _refused(exc: DomainError) -> typer.Exit:
    stderr.print(f"[red]{type(exc).__name__}[/red]: {escape(str(exc))}", soft_wrap=True)
    return typer.Exit(1)
