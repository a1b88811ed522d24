from __future__ import annotations

import os
import stat
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from curriculum.errors import NotDelivered
from curriculum.services import anchors
from curriculum.services.anchors import Anchor
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
        found = anchors.take()
        if not found:
            self.stderr.write("The log has no entry yet, so there is no head to give away.")
            return
        given: list[str] = []
        try:
            for place in self._give(found, file, webhook):
                given.append(place)
        finally:  # what was delivered stays so, though the next place refused it
            if given:
                actor = Actor.command("anchor_audit")
                anchors.record(found, actor=actor, to=" and ".join(given))
        if file or webhook:
            self.stdout.write(f"{len(found)} heads given away to {' and '.join(given)}")

    def _give(self, found: list[Anchor], file: Path | None, webhook: bool) -> Iterator[str]:
        """Deliver them to one place after the other; each once it has them."""
        lines = "".join(f"{anchor.line()}\n" for anchor in found)
        if file:
            _append(lines, file)
            yield f"file {file}"
        if webhook:
            _post(found)
            yield "webhook"
        if not file and not webhook:
            self._print(lines)
            yield "output"

    def _print(self, lines: str) -> None:
        try:
            self.stdout.write(lines, ending="")
            self.stdout.flush()
        except OSError as exc:
            raise CommandError(f"They could not be printed: {exc.strerror}.") from exc


def _append(lines: str, file: Path) -> None:
    """All of them, on the disk; or none, as half a line would spoil the file for good."""
    try:
        with file.open("ab", buffering=0) as out:
            was = os.fstat(out.fileno())
            is_file = stat.S_ISREG(was.st_mode)
            try:
                left = lines.encode()
                while left:
                    left = left[out.write(left) :]
                if is_file:  # a pipe or a terminal has no disk to wait for
                    os.fsync(out.fileno())
            except OSError:
                if is_file:
                    os.ftruncate(out.fileno(), was.st_size)
                raise
    except OSError as exc:
        raise CommandError(f"{file} cannot be written: {exc.strerror}.") from exc


def _post(found: list[Anchor]) -> None:
    try:
        anchors.post(found)
    except NotDelivered as exc:
        raise CommandError(f"The webhook did not take them. {exc}") from exc
