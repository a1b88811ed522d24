from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from distill import students
from distill.errors import DistillError

COLUMNS = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    BarColumn(),
    TextColumn("{task.percentage:>3.0f} %"),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


class Steps:
    """A bar for each step; one without an end where nobody knows it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            for task in self._tasks.values():
                self._progress.update(task, total=1, completed=1)
            self._tasks[step] = self._progress.add_task(step, total=total or None)
        self._progress.update(self._tasks[step], completed=done)


class Command(BaseCommand):
    help = "Fetch a student model into IOA_HOME/models, once. A second call does nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "name", nargs="?", default="smollm2-135m", choices=sorted(students.STUDENTS)
        )

    def handle(self, *, name: str, **options: Any) -> None:
        folder = settings.IOA_HOME / "models" / name
        if students.is_complete(folder):
            self.stdout.write(f"{name} is here already: {folder}")
            return
        os.environ.setdefault("TQDM_DISABLE", "1")  # one bar is enough, and it is ours
        try:
            with Progress(*COLUMNS, console=Console(file=sys.stdout)) as progress:
                students.fetch(name, folder.parent, report=Steps(progress))
        except DistillError as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(f"{name} is in {folder}")
