"""A home of its own with a database file, for tests whose work is done in other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.test.utils import override_settings

from curriculum import engine
from curriculum.models import Run
from curriculum.services import runs
from curriculum.services.audit import Actor
from curriculum.states import Autonomy
from ioa_web import runtime

ROOT = Path(__file__).resolve().parents[2]
SKILLS = ["A2", "A3"]
POLICY = Actor.policy("test: autopilot")


@contextmanager
def house(home: Path) -> Iterator[None]:
    """In this block, this process works on the database and the Redis of `home`.

    Tests have a database in memory, which nobody else could open.
    """
    usual = connections["default"]
    connections["default"] = connections.create_connection("default")
    # A copy: what is changed here would be the settings of the database in memory.
    mine = {**usual.settings_dict, "NAME": str(home / "db.sqlite3")}
    connections["default"].settings_dict = mine
    try:
        with override_settings(IOA_HOME=home), pytest.MonkeyPatch.context() as patch:
            for queue in ("teacher", "gpu"):
                patch.setitem(_queues()[queue], "URL", runtime.redis_url(home))
            call_command("migrate", interactive=False, verbosity=0)
            yield
    finally:
        connections["default"].close()
        connections["default"] = usual


def _queues() -> dict[str, Any]:
    from django.conf import settings

    return settings.RQ_QUEUES


def small_settings() -> dict[str, Any]:
    """Few probes and items: a whole run in a second or two, with the simulated student."""
    chosen = engine.default_settings()
    chosen["budget"] |= {"items_per_round": 64, "rounds_cap": 2}
    chosen["probing"] |= {
        "diagnose_probes": 24,
        "gate_probes": 24,
        "gate_probes_cap": 24,
        "final_probes": 24,
        "batch_size": 8,
    }
    return chosen


def new_run(name: str, autonomy: Autonomy = Autonomy.NONE) -> Run:
    return runs.create(
        actor=POLICY,
        name=name,
        domain="foundations",
        teacher="procedural",
        student="simulated",
        settings=small_settings(),
        seed=7,
        autonomy=autonomy,
        skills=SKILLS,
    )


class Worker:
    """A worker in a process of its own, that works on all that is queued when it is told to."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[str] | None = None

    def burst(self, doom: str = "") -> bool:
        """Have it work until no job is waiting; whether it lived. See `doomed_worker`."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.real.doomed_worker"],
                cwd=ROOT,
                env=os.environ | {"IOA_HOME": str(self._home), "IOA_LOG_LEVEL": "ERROR"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{doom}\n")
        self._process.stdin.flush()
        lived = bool(self._process.stdout.readline())
        if not lived:
            self.stop()
        return lived

    def stop(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None
