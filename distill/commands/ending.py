"""How a command ends that could not do all it was asked: a sentence, and a status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.markup import escape

from distill.commands.progress import stderr
from distill.errors import DistillError

STOPPED = 130  # what a shell calls a command that was stopped by Ctrl-C


@contextmanager
def told(when_stopped: str) -> Iterator[None]:
    """Turn an error that a person can mend into its sentence and status 1, and Ctrl-C into
    `when_stopped`, which says what is kept, and status 130.
    """
    try:
        yield
    except (DistillError, OSError) as exc:
        stderr.print(f"[red]{type(exc).__name__}[/red]: {escape(str(exc))}", soft_wrap=True)
        raise typer.Exit(1) from exc
    except (KeyboardInterrupt, typer.Abort) as exc:  # the other: at a question
        stderr.print(f"Stopped. {when_stopped}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(STOPPED) from exc
