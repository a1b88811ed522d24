from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curriculum.exports import items, package
from curriculum.exports.card import LICENCES, UNDECIDED
from curriculum.exports.formats import FORMATS
from curriculum.models import Run, Snapshot
from curriculum.states import VERDICTS

OLDER = {"any": "all"}  # words for a verdict that commands may still be written with


class Command(BaseCommand):
    help = "Write the items of a run as a data set: a folder with its card, or lines to stdout."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, help="number of the run")
        parser.add_argument("--format", choices=FORMATS, default="messages")
        parser.add_argument("--out", required=True, help="a new folder, or - for the data alone")
        parser.add_argument("--licence", choices=LICENCES, help=f"of the data set, or {UNDECIDED}")
        parser.add_argument("--snapshot", default="", help="the first digits of a snapshot's hash")
        parser.add_argument(
            "--verdict",
            choices=VERDICTS,
            type=lambda said: OLDER.get(said, said),
            default="approved",
        )
        parser.add_argument("--stage", type=int, help="position of a stage")
        parser.add_argument("--round", type=int)
        parser.add_argument("--skill", default="", help="key of a skill")

    def handle(self, *, run: int, format: str, out: str, **options: Any) -> None:
        found = Run.objects.filter(pk=run).first()
        if found is None:
            raise CommandError(f"There is no run {run}.")
        choice = _choice(found, options)
        chosen = FORMATS[format]
        if out == "-":
            rows = choice.pairs() if chosen.of_pairs else choice.rows()
            sys.stdout.flush()
            for chunk in chosen.write(rows):
                sys.stdout.buffer.write(chunk)
            return
        licence = options["licence"]
        if licence is None:
            raise CommandError(
                f"Say the licence of the data set with --licence: {', '.join(LICENCES)}. "
                "Nothing is assumed."
            )
        folder = Path(out)
        try:
            if folder.exists() and any(folder.iterdir()):
                raise CommandError(f"{folder} is not empty. Name a new folder.")
            dataset = package.dataset(choice, chosen, licence=licence)
            for path in package.write_folder(dataset, folder):
                self.stdout.write(str(path))
        except OSError as exc:
            raise CommandError(f"{folder} cannot be written to: {exc.strerror}.") from exc


def _choice(run: Run, options: dict[str, Any]) -> items.Choice:
    if hash := options["snapshot"]:
        found = Snapshot.objects.filter(stage__run=run, content_hash__startswith=hash)
        if (n := found.count()) != 1:
            raise CommandError(f"{n or 'No'} snapshots of this run begin with {hash}.")
        return items.frozen(found.select_related("stage__run").get())
    verdict, stage, skill = options["verdict"], options["stage"], options["skill"]
    if stage and not run.stages.filter(position=stage).exists():
        raise CommandError(f"This run has no stage {stage}.")
    if skill and not run.skills.filter(key=skill).exists():
        raise CommandError(f"This run has no skill “{skill}”.")
    return items.chosen(
        run,
        verdict=VERDICTS[verdict],
        stage=stage,
        round=options["round"],
        skill=skill,
    )
