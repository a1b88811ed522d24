from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def imported(statement):
    """The modules that `statement` imports, by a fresh interpreter's own account."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", statement],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}


def test_importing_the_packages_imports_no_torch():
    assert not imported("import curriculum, distill") & {"torch", "transformers", "peft", "trl"}


def test_starting_django_with_all_its_pages_imports_no_torch():
    django = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'ioa_web.settings'"

    found = imported(f"{django}; django.setup(); import ioa_web.urls, curriculum.tasks")

    assert "curriculum.engine" in found
    assert not found & {"torch", "transformers", "peft", "trl"}


def test_the_rooms_are_entered_by_their_doors_only():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
