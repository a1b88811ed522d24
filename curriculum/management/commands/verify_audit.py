from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curriculum.errors import ChainBroken
from curriculum.models import Run
from curriculum.services import anchors, audit, chain
from curriculum.services.anchors import Anchor
from curriculum.services.chain import Owner


class Command(BaseCommand):
    help = "Check that the audit log is as it was written: of some runs, or of all and the house."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "numbers",
            nargs="*",
            type=int,
            metavar="N",
            help="numbers of runs; all when none is given",
        )
        parser.add_argument("--run", nargs="+", type=int, default=[], metavar="N", help="the same")
        parser.add_argument(
            "--anchors",
            dest="given",
            type=Path,
            metavar="FILE",
            help="heads that `anchor_audit` gave away",
        )

    def handle(
        self, *, numbers: list[int], run: list[int], given: Path | None = None, **options: Any
    ) -> None:
        chosen = sorted({*numbers, *run})
        found = list(self._owners(chosen))
        heads = list(_read(given, chosen)) if given else []
        broken = sum(not self._check(owner) for owner in found)
        fallen = self._compare(heads)
        if broken:
            raise CommandError(f"{broken} of {len(found)} logs are broken.")
        if fallen:
            raise CommandError(f"{fallen} of {len(heads)} anchored heads no longer stand.")
        if given and not heads:
            of = f" of run {', '.join(map(str, chosen))}" if chosen else ""
            raise CommandError(f"{given} holds no anchor{of}, so nothing was compared.")

    def _owners(self, chosen: list[int]) -> Iterator[Owner]:
        runs = Run.objects.order_by("pk")
        if not chosen:
            yield from runs.iterator(chunk_size=100)
            if (house := chain.house()).audit_sequence or chain.entries_of(house).exists():
                yield house
            return
        runs = runs.filter(pk__in=chosen)
        if missing := sorted(set(chosen) - set(runs.values_list("pk", flat=True))):
            raise CommandError(f"There is no run {', '.join(map(str, missing))}.")
        yield from runs

    def _check(self, owner: Owner) -> bool:
        name = f"run {owner.pk} ({owner})" if isinstance(owner, Run) else str(owner)
        try:
            n, head = audit.verify(owner)
        except ChainBroken as exc:
            self.stderr.write(f"{name}: {exc}")
            return False
        self.stdout.write(f"{name}: {n} entries, chain intact, head {head or 'empty'}")
        return True

    def _compare(self, heads: list[Anchor]) -> int:
        objections = [said for anchor in heads if (said := anchors.objection(anchor))]
        for said in objections:
            self.stderr.write(said)
        if heads and not objections:
            self.stdout.write(f"{len(heads)} anchored heads, all stand")
        return len(objections)


def _read(path: Path, chosen: list[int]) -> Iterator[Anchor]:
    """The anchors of a file; with runs chosen, those of these runs."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{path} cannot be read as text.") from exc
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            anchor = anchors.parse(line)
        except (ValueError, RecursionError) as exc:
            raise CommandError(f"{path}, line {number}: this is no anchor.") from exc
        if not chosen or anchor.chain in {f"run:{pk}" for pk in chosen}:
            yield anchor
