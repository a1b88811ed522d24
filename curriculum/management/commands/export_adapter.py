from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curriculum import engine
from curriculum.errors import CurriculumError
from curriculum.exports import adapters, card, package
from curriculum.models import Checkpoint


class Command(BaseCommand):
    help = "Write an adapter of a run as a PEFT folder with its card, or merged into its model."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="number of the run")
        parser.add_argument("--checkpoint", type=int, help="its number; else the current student")
        parser.add_argument("--out", type=Path, required=True, help="a new folder")
        parser.add_argument("--licence", choices=card.LICENCES, required=True)
        parser.add_argument("--merged", action="store_true", help="whole weights; loads the model")

    def handle(self, *, run: int, out: Path, licence: str, **options: Any) -> None:
        found = Checkpoint.objects.filter(run=run).select_related("run", "stage", "snapshot")
        number = options["checkpoint"]
        chosen = found.filter(**({"pk": number} if number else {"is_current": True})).first()
        if chosen is None:
            raise CommandError(f"Run {run} has no such checkpoint.")
        try:
            if out.exists():
                raise CommandError(f"{out} is there already. Name a new folder.")
            if options["merged"]:
                engine.merge(chosen, out)
                text = card.adapter_card(chosen, licence=licence, merged=True)
                (out / "README.md").write_text(text, encoding="utf-8")
            else:
                package.write_folder(adapters.adapter(chosen, licence=licence), out)
        except CurriculumError as exc:
            raise CommandError(str(exc)) from exc
        except OSError as exc:
            raise CommandError(f"{out} cannot be written to: {exc.strerror}.") from exc
        for path in sorted(out.iterdir()):
            self.stdout.write(str(path))
