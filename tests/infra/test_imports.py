from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "transformers", "peft", "trl"}
SLOW = HEAVY | {
    "scipy.stats",
    "scipy.optimize",
    "scipy.integrate",
    "datasketch",
    "plotly",
    "datasets",
}


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
    assert not imported("import curriculum, distill") & HEAVY


def test_the_command_is_there_before_what_only_some_of_it_needs():
    found = imported("from distill.cli import app")

    assert "distill.pipeline" in found
    assert not found & SLOW


def test_starting_django_with_all_its_pages_imports_nothing_slow():
    django = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'ioa_web.settings'"

    found = imported(f"{django}; django.setup(); import ioa_web.urls, curriculum.tasks")

    assert "curriculum.engine" in found
    assert not found & SLOW


STOPPED_WHILE_IMPORTING = """
import sys

class CtrlC:
    def find_spec(self, name, *rest):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC())
from {} import main
main()
"""


@pytest.mark.parametrize(
    ("program", "module"),
    [
        ("distill.__main__", "distill.cli"),
        ("distill.__main__", "distill.commands.compare"),
        ("manage", "django.core.management"),
        ("manage", "curriculum.request_ids"),
    ],
)
def test_ctrl_c_while_a_command_imports_is_no_traceback(program, module):
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_IMPORTING.format(program), module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 130
    assert "Stopped" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_rooms_are_entered_by_their_doors_only():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
