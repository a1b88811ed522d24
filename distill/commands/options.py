"""Words that several commands take alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distill import roster

MODELS = Path("var/models")

Domain = Annotated[str, typer.Option(help="A built-in domain or a file.")]
Student = Annotated[str, typer.Option(help="A folder in --models, a path, or “simulated”.")]
Teacher = Annotated[str, typer.Option(help=roster.TEACHERS_HELP)]
Skills = Annotated[str, typer.Option(help="Only these, by comma: A2,A3.")]
SettingsFile = Annotated[
    Path | None, typer.Option(help="A JSON file with settings; see docs/settings.md.")
]
Models = Annotated[Path, typer.Option(help="Where model folders lie.")]
Requests = Annotated[
    int, typer.Option(min=1, help="Requests that a teacher's server gets at a time.")
]
