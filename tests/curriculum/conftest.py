from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from curriculum.services.audit import Actor
from tests.factories import ApproverFactory


@pytest.fixture
def approver(db: None) -> Actor:
    return Actor.person(ApproverFactory())


@pytest.fixture
def worker() -> Actor:
    return Actor.worker()


@pytest.fixture
def at_once(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """Run functions in threads that start together; give what each returned or raised.

    The database in memory is for one connection. Threads get a file that holds what the test
    has made so far, as `serve` would give them.
    """
    path = tmp_path / "copy.sqlite3"

    def run(functions: Sequence[Callable[[], Any]]) -> list[Any]:
        if connection.vendor == "sqlite" and not path.exists():
            copy_to(path)
            monkeypatch.setitem(connections.settings["default"], "NAME", str(path))
        return in_threads(functions)

    return run


def copy_to(path: Path) -> None:
    with closing(sqlite3.connect(path)) as target:
        connection.connection.backup(target)


def in_threads(functions: Sequence[Callable[[], Any]]) -> list[Any]:
    barrier = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)

    def call(i: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            results[i] = functions[i]()
        except Exception as exc:
            results[i] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=(i,)) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results
