"""What a training leaves in a folder, and how it is known again. Imports no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from distill.disk import write_beside
from distill.records import Item
from distill.settings import LoraSettings
from distill.training.base import TrainingResult

MANIFEST = "ioa.json"  # written last: its existence means that the folder is complete
WEIGHTS = "adapter_model.safetensors"  # the name is PEFT's
MOVING = "moving.safetensors"  # where the path of an averaged adapter stands
AVERAGE = "average.safetensors"  # in a state of a training that is not finished
INPUTS = "inputs.sha256"  # written first: what is being trained


def last_state(folder: Path, *, is_averaged: bool) -> str | None:
    """The newest complete state of an interrupted training, or None."""
    states = [
        p
        for p in folder.glob("checkpoint-*")
        if _is_whole(p) and (not is_averaged or (p / AVERAGE).is_file())
    ]
    return str(max(states, key=lambda p: int(p.name.rsplit("-", 1)[1]))) if states else None


def _is_whole(state: Path) -> bool:
    """Whether the file that the Trainer writes last was written to its end."""
    try:
        json.loads((state / "trainer_state.json").read_text())
    except (OSError, ValueError):
        return False
    return True


def fingerprint(
    items: Sequence[Item], parent: Path | None, settings: LoraSettings, seed: int
) -> str:
    """SHA-256 over everything that decides what a training makes of a base."""
    words = [[i.question, i.solution] for i in items]
    start = _hash(parent / WEIGHTS) if parent else ""
    if parent and goes_on(parent, settings):
        start += _hash(parent / MOVING)
    text = json.dumps([words, start, settings.model_dump(mode="json"), seed])
    return hashlib.sha256(text.encode()).hexdigest()


def goes_on(parent: Path | None, settings: LoraSettings) -> bool:
    """Whether this training goes on along its parent's path, or begins one of its own."""
    return settings.average is not None and parent is not None and (parent / MOVING).is_file()


def is_of(folder: Path, inputs: str) -> bool:
    path = folder / INPUTS
    return path.is_file() and path.read_text() == inputs


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(folder: Path, result: dict[str, Any]) -> None:
    told = {**result, "content_hash": _hash(folder / WEIGHTS)}
    write_beside(folder / MANIFEST, json.dumps(told, indent=2) + "\n")


def read_result(folder: Path) -> TrainingResult | None:
    """What a finished training left in `folder`; None when there is none or it is not finished."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return None
    return TrainingResult(folder=folder, **json.loads(manifest.read_text()))
