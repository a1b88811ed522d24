from __future__ import annotations

import os
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from curriculum.errors import NotDelivered
from curriculum.services import anchors
from curriculum.services.audit import Actor


class Command(BaseCommand):
    help = (
        "Give away where each chain of the audit log ends: a JSON line a chain, to keep where this "
        "program cannot write. `verify_audit --anchors` checks that they still stand."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, help="append them here; neither: print them")
        parser.add_argument("--webhook", action="store_true", help="post them, signed")

    def handle(self, *, file: Path | None, webhook: bool, **options: Any) -> None:
        if webhook and not settings.IOA_WEBHOOK_URL:
            raise CommandError("There is no webhook: set IOA_WEBHOOK_URL and IOA_WEBHOOK_SECRET.")
        to = [*([f"file {file}"] if file else []), *(["webhook"] if webhook else [])]
        with ExitStack() as held:
            # Opened first: no head is given away to a file that cannot be written.
            out = held.enter_context(_opened(file)) if file else None
            found = anchors.take(
                actor=Actor.command("anchor_audit"), to=" and ".join(to) or "output"
            )
            lines = "".join(f"{anchor.line()}\n" for anchor in found)
            if out:
                out.write(lines)
                out.flush()
                os.fsync(out.fileno())
        if webhook:
            try:
                anchors.post(found)
            except NotDelivered as exc:
                raise CommandError(f"The webhook did not take them. {exc}") from exc
        if to:
            self.stdout.write(f"{len(found)} heads given away to {' and '.join(to)}")
        else:
            self.stdout.write(lines, ending="")


def _opened(file: Path) -> TextIO:
    try:
        return file.open("a", encoding="utf-8")
    except OSError as exc:
        raise CommandError(f"{file} cannot be written: {exc.strerror}.") from exc
