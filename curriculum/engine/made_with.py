"""What a checkpoint was made with, as it was at the time: versions, commit, seed, settings."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.conf import settings

from curriculum.models import Run
from distill.settings import LoraSettings

PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "numpy")


def made_with(run: Run, lora: LoraSettings) -> dict[str, Any]:
    """Plain JSON. lora: as the training has it, cooled. A package that is not installed has the
    version null; the commit is empty where the program is no clone, and ends in -dirty where files
    of it were changed.
    """
    return {
        "ioa": _version("ioa"),
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "student": run.student,
        "seed": run.seed,
        "lora": lora.model_dump(mode="json"),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    if not (settings.BASE_DIR / ".git").exists():
        return ""  # git would look for one above
    ask = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(
            ask, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""  # no git here
    return done.stdout.strip() if done.returncode == 0 else ""
