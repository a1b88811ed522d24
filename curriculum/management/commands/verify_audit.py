from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curriculum.errors import ChainBroken
from curriculum.models import Run
from curriculum.services import audit


class Command(BaseCommand):
    help = "Check that the audit log is as it was written: of one run, or of all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", nargs="*", type=int, help="numbers of runs; none: all")

    def handle(self, *, run: list[int], **options: Any) -> None:
        found = Run.objects.order_by("pk")
        if run:
            found = found.filter(pk__in=run)
            if missing := sorted(set(run) - set(found.values_list("pk", flat=True))):
                raise CommandError(f"There is no run {', '.join(map(str, missing))}.")
        broken = 0
        for each in found:
            try:
                n, head = audit.verify(each)
            except ChainBroken as exc:
                broken += 1
                self.stderr.write(f"run {each.pk} ({each}): {exc}")
            else:
                self.stdout.write(f"run {each.pk} ({each}): {n} entries, head {head[:12]}")
        if broken:
            raise CommandError(f"{broken} of {found.count()} logs are broken.")
