"""What every test may ask for. Rows come from tests/factories.py."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from distill import students

# No example is a test of speed: 200 ms, the usual limit of each, is little beside other work.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

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
    assert programs, "deselected where it is missing: see below"
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


def _postgres_programs() -> Path | None:
    debian = Path("/usr/lib/postgresql").glob("*/bin")  # one folder a version
    if found := [bin for bin in debian if (bin / "initdb").exists()]:
        return max(found, key=lambda bin: float(bin.parent.name))
    program = shutil.which("initdb")
    return Path(program).parent if program else None


# --- What this machine lacks -------------------------------------------------------------
# `make test` is green on a machine with little more than Python, and says what it left out;
# where IOA_TEST_EVERYTHING is set (.ci/run), nothing may be left out.

LEFT_OUT = pytest.StashKey[dict[str, int]]()


def _lacking() -> dict[str, str]:
    """mark -> what to install for it."""
    lacking = {}
    if not _postgres_programs():
        lacking["postgres"] = "postgresql"
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        lacking["browser"] = "chromium"
    return lacking


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[LEFT_OUT] = {}
    for mark, package in _lacking().items():
        needing = [item for item in items if item.get_closest_marker(mark)]
        if needing and os.environ.get("IOA_TEST_EVERYTHING"):
            raise pytest.UsageError(f"{len(needing)} tests need {package}: install it.")
        if needing:
            config.stash[LEFT_OUT][package] = len(needing)
            config.hook.pytest_deselected(items=needing)
            items[:] = [item for item in items if item not in needing]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for package, n in terminalreporter.config.stash.get(LEFT_OUT, {}).items():
        terminalreporter.write_line(
            f"NOT RUN: {n} tests that need {package} (apt-get install {package}).", yellow=True
        )
