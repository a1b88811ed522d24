"""Progress of long work on stderr: how much, how long it took, how long it will take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

stderr = Console(stderr=True)
EVERY_SECONDS = 20.0


class Bars:
    """On a terminal: a bar for each piece of work, made when it first tells of itself."""

    def __init__(self) -> None:
        self._tasks: dict[str, TaskID] = {}
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),  # it names models and skills
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=stderr,
            # of the last ten minutes: a batch on a CPU may take two, and less gives no estimate
            speed_estimate_period=600,
        )

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        if not total:  # nothing was left to do
            return
        if what not in self._tasks:
            self._tasks[what] = self.progress.add_task(what, total=total)
        self.progress.update(self._tasks[what], completed=done, total=total)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While a person is asked something."""
        self.progress.stop()
        yield
        self.progress.start()


class Lines:
    """In a file or a pipe, where a bar could only be drawn at the end: a line now and then."""

    def __init__(self) -> None:
        self._said: float | None = None
        self._begun: dict[str, tuple[float, int]] = {}  # when, and with how much done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, what: str, done: int, total: int) -> None:
        if not total:
            return
        now = time.monotonic()
        then, had = self._begun.setdefault(what, (now, done))
        if self._said is not None and now - self._said < EVERY_SECONDS:
            return
        self._said = now
        left = f", {_about((total - done) * (now - then) / (done - had))}" if done > had else ""
        line(f"{what}: {done} of {total}{left}")

    @contextmanager
    def aside(self) -> Iterator[None]:
        yield


def telling() -> Bars | Lines:
    """What to tell of long work with, for a `with`: call it as `(what, done, total)`."""
    return Bars() if stderr.is_terminal else Lines()


def line(words: str) -> None:
    """A line on stderr with the time before it; the words as they are."""
    stderr.print(
        f"{time.strftime('%H:%M:%S')} {words}", markup=False, highlight=False, soft_wrap=True
    )


def _about(seconds: float) -> str:
    return f"about {seconds:,.0f} s left" if seconds < 90 else f"about {seconds / 60:,.0f} min left"
