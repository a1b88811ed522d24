from __future__ import annotations

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curriculum.errors import CurriculumError
from curriculum.exports import archive
from curriculum.models import Run


class Command(BaseCommand):
    help = "Write a whole run, its log included, as one file that another installation can import."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="number of the run")
        parser.add_argument("file", type=Path, help="a new file, usually NAME.ioa.zip")
        parser.add_argument("--adapters", action="store_true", help="the adapters go along")

    def handle(self, *, run: int, file: Path, adapters: bool, **options: Any) -> None:
        found = Run.objects.filter(pk=run).first()
        if found is None:
            raise CommandError(f"There is no run {run}.")
        beside = Path(f"{file}.partial")
        try:
            if file.exists():
                raise CommandError(f"{file} is there already. Name a new file.")
            with beside.open("wb") as out:
                archive.write(found, out, adapters=adapters, told=self._tell)
            beside.rename(file)
        except CurriculumError as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"{file} could not be written: {exc.strerror}.") from exc
        finally:
            with suppress(OSError):  # it would hide why the file could not be made
                beside.unlink()
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes")

    def _tell(self, name: str, rows: int) -> None:
        self.stdout.write(f"{name}: {rows:,} rows")
