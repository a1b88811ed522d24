from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from curriculum.api.root import as_text


class Command(BaseCommand):
    help = "Write the OpenAPI document of the API to a file: docs/openapi.json is kept by it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *, path: Path, **options: Any) -> None:
        path.write_text(as_text())
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes")
