"""`ioa check-leaks`: which items hold a question that students are measured with."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from distill.adapter.leaks import LeakIndex
from distill.commands.ending import told
from distill.domains.reading import Entry, Source, json_entries, text_of
from distill.errors import DistillError

SHOWN = 20  # leaks in a table; --json has all

# Names that trainers give what an item holds: ours, OpenAI and TRL, Alpaca, ShareGPT, preferences.
CONVERSATIONS = ("messages", "conversations", "prompt", "completion", "chosen", "rejected")
QUESTIONS = ("question", "instruction", "prompt")
ANSWERS = ("solution", "answer", "output", "completion", "chosen", "rejected")

NO_ITEM = "This is no item: it has no “question”, “instruction”, “messages” or “conversations”."

console = Console()


def command(
    against: Annotated[
        list[Path],
        typer.Option(help="A benchmark or domain file. Repeatable; several may follow one."),
    ],
    items: Annotated[Path, typer.Option(help="A JSON Lines file of items; “-” reads stdin.")],
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="More for --against.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print {“items”: N, “leaks”: M, “found”: […]}.")
    ] = False,
) -> None:
    """Count the items that may never be trained on, as they hold what is measured with.

    An item is a line as this program exports it: with “question” (and “input”, “solution”,
    “answer”), with “messages”, or as Alpaca, ShareGPT and files of preferences have it. It leaks
    when it holds a whole question of a file, or thirteen words in a row of a question, an answer
    or a solution of one; case, spacing and punctuation do not count.

    Status: 0 none leaks, 1 some do, or a file cannot be read (then nothing is on stdout).
    """
    with told("Nothing was written."):
        index = LeakIndex.of_files([*against, *(more or [])])
        figures = _count(index, items)
    if as_json:
        sys.stdout.write(json.dumps(figures, ensure_ascii=False) + "\n")
    else:
        sentence = (
            f"{figures['leaks']:,} of {figures['items']:,} items leak; compared with "
            f"{len(index):,} questions."
        )
        console.print(sentence, highlight=False)
        if figures["leaks"]:
            console.print(_table(figures))
    if figures["leaks"]:
        raise typer.Exit(1)


def _count(index: LeakIndex, items: Path) -> dict[str, Any]:
    n, found = 0, []
    for line, texts in _items(items):
        n += 1
        if why := next(filter(None, map(index.find, texts)), ""):
            found.append({"line": line, "why": why})
    if not n:
        raise DistillError(f"There is no item in {items}, so nothing was looked for.")
    return {"items": n, "leaks": len(found), "found": found}


def _items(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The line of each item, and its texts: question first, then what would be trained on."""
    source = Source(path)
    if path == Path("-"):
        source = Source(Path("stdin"))
        try:
            text = sys.stdin.buffer.read().decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            raise DistillError("What came on stdin is not UTF-8 text.") from exc
    else:
        text = text_of(source)
    for line, entry in json_entries(source, text):
        texts = _texts(entry)
        if not any(text.strip() for text in texts):
            raise source.fault(line, NO_ITEM)
        yield line, texts


def _texts(entry: Entry) -> list[str]:
    """What is looked through: a conversation whole and turn by turn, a question with its answers.

    A question may have been cut into several turns, or into a question and its input.
    """
    turns = [said for name in CONVERSATIONS for said in _turns(entry.get(name))]
    asked = list(filter(None, (_text(entry, name) for name in QUESTIONS)))
    if extra := _text(entry, "input"):
        asked = [*(f"{question}\n\n{extra}" for question in asked), *asked]
    if not (turns or asked):
        return []
    whole = ["\n".join(turns)] if turns else []
    return [*asked, *whole, *turns, *(_text(entry, name) for name in ANSWERS)]


def _turns(said: Any) -> list[str]:
    """Of a list of turns, or of a preference's one turn. A text alone is no turn."""
    if isinstance(said, Entry):
        said = [said]
    return [_said(m) for m in said if isinstance(m, Entry)] if isinstance(said, list) else []


def _said(message: Entry) -> str:
    """The words of a turn, which some formats keep in parts, and ShareGPT calls a value."""
    content = message.get("content", message.get("value", ""))
    if isinstance(content, list):
        return "\n".join(_text(part, "text") for part in content if isinstance(part, Entry))
    return str(content)


def _text(entry: Entry, name: str) -> str:
    value = entry.get(name, "")
    return value if isinstance(value, str) else ""


def _table(figures: dict[str, Any]) -> Table:
    table = Table()
    table.add_column("line", justify="right")
    table.add_column("why")
    for each in figures["found"][:SHOWN]:
        table.add_row(str(each["line"]), escape(each["why"]))
    if (rest := figures["leaks"] - SHOWN) > 0:
        table.caption = f"and {rest} more: --json names all"
    return table
