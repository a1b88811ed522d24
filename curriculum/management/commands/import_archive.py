from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curriculum.errors import CurriculumError
from curriculum.services import archives
from curriculum.services.audit import Actor
from curriculum.states import ActorKind


class Command(BaseCommand):
    help = "Take in a run that `export_archive` wrote: all of it, or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **options: Any) -> None:
        actor = Actor(ActorKind.WORKER, None, "command line")
        try:
            with file.open("rb") as opened:
                run = archives.import_archive(opened, actor=actor, name=file.name)
        except CurriculumError as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"{file} could not be read: {exc.strerror}.") from exc
        self.stdout.write(
            f"run {run.pk} ({run}): {run.audit_sequence} entries, head {run.audit_head[:12]}"
        )
