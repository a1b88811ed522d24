"""What every test may ask for. Rows come from tests/factories.py."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from distill import students

ROOT = Path(__file__).resolve().parent.parent
STUDENT = "smollm2-135m"


@pytest.fixture(scope="session")
def student_folder() -> Path:
    """The real student, where `make demo` puts it; fetched if this is the first to ask."""
    home = Path(os.environ.get("IOA_TEST_STUDENTS", ROOT / "var" / "models"))
    return students.fetch(STUDENT, home)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of a private PostgreSQL: a cluster in a temporary folder, on a socket there.

    PostgreSQL refuses to run as root, so then it runs as the user its package made.
    """
    programs = _postgres_programs()
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    # Not under pytest's folder, which nobody but us may enter; a socket's path is short, too.
    made = subprocess.check_output([*as_user, "mktemp", "-d", "/tmp/ioa-pg-XXXXXX"], text=True)
    folder = Path(made.strip())

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [*as_user, str(programs / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )

    cluster = str(folder / "data")
    call("initdb", "-D", cluster, "-U", "ioa", "-A", "trust", "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    call("pg_ctl", "-D", cluster, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgres://ioa@/{folder}/postgres"  # django-environ's way to name a socket
    finally:
        call("pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _postgres_programs() -> Path:
    debian = Path("/usr/lib/postgresql").glob("*/bin")  # one folder a version
    if found := [bin for bin in debian if (bin / "initdb").exists()]:
        return max(found, key=lambda bin: float(bin.parent.name))
    if program := shutil.which("initdb"):
        return Path(program).parent
    pytest.fail("PostgreSQL is not installed. On Debian: apt-get install postgresql")
