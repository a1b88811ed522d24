from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curriculum.exports import items, package
from curriculum.exports.card import LICENCES, UNDECIDED
from curriculum.exports.formats import FORMATS, Format
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
            help="approved where it is left out",
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
            sys.stdout.flush()
            for chunk in chosen.write(_rows(choice, chosen)):
                sys.stdout.buffer.write(chunk)
            self._tell_if_empty(choice, chosen)
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
            self._tell_if_empty(choice, chosen)
        except OSError as exc:
            raise CommandError(f"{folder} cannot be written to: {exc.strerror}.") from exc

    def _tell_if_empty(self, choice: items.Choice, format: Format) -> None:
        """On stderr: what goes to stdout may be the data."""
        if next(_rows(choice, format), None) is None:
            what = "pair of solutions" if format.of_pairs else "item"
            self.stderr.write(f"There is no {what} in what was chosen: the data set is empty.")


def _rows(choice: items.Choice, format: Format) -> Iterator[items.Row] | Iterator[items.Pair]:
    return choice.pairs() if format.of_pairs else choice.rows()


def _choice(run: Run, options: dict[str, Any]) -> items.Choice:
    if hash := options["snapshot"]:
        _refuse_beside_a_snapshot(options)
        found = Snapshot.objects.filter(stage__run=run, content_hash__startswith=hash)
        if (n := found.count()) != 1:
            raise CommandError(f"{n or 'No'} snapshots of this run begin with {hash}.")
        return items.frozen(found.select_related("stage__run").get())
    verdict, stage, skill = options["verdict"], options["stage"], options["skill"]
    _require_round(run, stage=stage, round=options["round"])
    if skill and not run.skills.filter(key=skill).exists():
        raise CommandError(f"This run has no skill “{skill}”.")
    return items.chosen(
        run,
        verdict=VERDICTS[verdict or "approved"],
        stage=stage,
        round=options["round"],
        skill=skill,
    )


def _refuse_beside_a_snapshot(options: dict[str, Any]) -> None:
    """A snapshot is what a round was trained on, whole: a part of it is no snapshot."""
    given = [f"--{name}" for name in ("stage", "round", "skill") if options[name] not in (None, "")]
    if options["verdict"] is not None:
        given.append("--verdict")
    if given:
        raise CommandError(
            f"A snapshot is exported whole: leave out {', '.join(given)}, or leave out --snapshot."
        )


def _require_round(run: Run, *, stage: int | None, round: int | None) -> None:
    """Raise unless the run has that stage, and it, or any, that round. 0 is a round, no stage."""
    stages = run.stages.all()
    if stage is not None:
        stages = stages.filter(position=stage)
        if not stages.exists():
            raise CommandError(f"This run has no stage {stage}.")
    if round is not None and (round < 0 or not stages.filter(round__gte=round).exists()):
        of = "This run" if stage is None else f"Stage {stage} of this run"
        raise CommandError(f"{of} has no round {round}.")
