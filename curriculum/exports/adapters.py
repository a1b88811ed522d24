"""Adapters as PEFT folders with a model card. Weights are read as bytes, never loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from curriculum.errors import CurriculumError
from curriculum.exports import card
from curriculum.exports.package import Files
from curriculum.models import Checkpoint

READ_AT_ONCE = 1024 * 1024  # bytes
SUFFIXES = (".safetensors", ".json", ".txt", ".jinja", ".model")  # never a pickle
CONFIG = "adapter_config.json"
MOVING = "moving.safetensors"  # of distill.training.folders; a test says when they differ


class NoAdapter(CurriculumError):
    http_status = 409


def folder_of(checkpoint: Checkpoint) -> Path:
    """The folder of a checkpoint's adapter. Raises `NoAdapter` with a sentence."""
    if not checkpoint.folder:
        raise NoAdapter("This is the student as it came, without an adapter: nothing to export.")
    home = Path(settings.IOA_HOME).resolve()
    folder = (home / checkpoint.folder).resolve()
    if not folder.is_relative_to(home) or not folder.is_dir():
        raise NoAdapter("The folder of this adapter is not here (any more).")
    return folder


def names_in(folder: Path) -> list[str]:
    """The files of an adapter that may go out, by name: no links, no folders, no pickles.

    Nor where its path stands: that is for the next round here, and three times the adapter.
    """
    return sorted(
        p.name
        for p in folder.iterdir()
        if p.is_file() and not p.is_symlink() and p.suffix in SUFFIXES and p.name != MOVING
    )


def adapter(checkpoint: Checkpoint, *, licence: str) -> Files:
    """The files of a PEFT folder and its card. Raises `NoAdapter` before the first."""
    folder = folder_of(checkpoint)
    return _files(checkpoint, folder, names_in(folder), licence)


def _files(checkpoint: Checkpoint, folder: Path, names: list[str], licence: str) -> Files:
    for name in names:
        yield name, _config(folder / name, checkpoint) if name == CONFIG else read(folder / name)
    yield "README.md", iter([card.adapter_card(checkpoint, licence=licence).encode()])


def _config(path: Path, checkpoint: Checkpoint) -> Iterator[bytes]:
    """The configuration without the folder of this machine: the base model by its name."""
    told = json.loads(path.read_text(encoding="utf-8"))
    if "base_model_name_or_path" in told:
        told["base_model_name_or_path"] = checkpoint.run.student
    yield (json.dumps(told, indent=2, sort_keys=True) + "\n").encode()


def read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(READ_AT_ONCE):
            yield chunk
