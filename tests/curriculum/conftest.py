from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from django.db import connection, connections
from redis.exceptions import ConnectionError
from rq import Queue

from curriculum.services.audit import Actor
from distill.backends.base import Prompt
from distill.settings import Sampling
from tests.distill.serving import completion, serving
from tests.distill.writers import Tutor
from tests.factories import ApproverFactory

Sent = Callable[[], list[tuple[int, int]]]
AtOnce = Callable[[Sequence[Callable[[], Any]]], list[Any]]


@pytest.fixture
def approver(db: None) -> Actor:
    return Actor.person(ApproverFactory())


@pytest.fixture
def worker() -> Actor:
    return Actor.worker()


@pytest.fixture
def writer() -> Tutor:
    """Adds up the numbers of what it is asked, and writes sums."""
    return Tutor(answer=lambda prompt: f"Answer: {sum(_numbers(prompt.text))}")


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.replace("?", "").split() if word.isdigit()]


@pytest.fixture
def server(writer: Tutor) -> Iterator[Any]:
    """The writer behind a server that speaks chat completions."""

    def answer(asked: Any) -> Any:
        seed = asked.body.get("seed", 0)
        (reply,) = writer.generate([Prompt(asked.words, Sampling(seed=seed))])
        usage = {"prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.reply_tokens}
        return completion(reply.text, usage=usage)

    with serving() as served:
        served.answer = answer
        yield served


@pytest.fixture
def teacher(server: Any, settings: Any, tmp_path: Path) -> str:
    settings.IOA_HOME = tmp_path
    settings.IOA_TEACHERS = [f"openai:Big@{server.url}"]
    return str(settings.IOA_TEACHERS[0])


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> fakeredis.FakeStrictRedis:
    connection = fakeredis.FakeStrictRedis()
    monkeypatch.setattr("django_rq.get_queue", lambda name: Queue(name, connection=connection))
    return connection


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Queue:
        raise ConnectionError("refused")

    monkeypatch.setattr("django_rq.get_queue", refuse)


@pytest.fixture
def sent(redis: fakeredis.FakeStrictRedis) -> Sent:
    """The numbers that have reached Redis: (job, attempt)."""
    queues = [Queue(name, connection=redis) for name in ("teacher", "gpu")]
    return lambda: [job.args for queue in queues for job in queue.jobs]


@pytest.fixture
def at_once(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AtOnce]:
    """Run functions in threads that start together; give what each returned or raised.

    The database in memory is for one connection. Threads get a file that holds what the test
    has made before it first asks, as `serve` would give them.
    """
    with ExitStack() as held:

        def run(functions: Sequence[Callable[[], Any]]) -> list[Any]:
            path = tmp_path / "copy.sqlite3"
            if connection.vendor == "sqlite" and not path.exists():
                path.write_bytes(connection.connection.serialize())
                monkeypatch.setitem(connections.settings["default"], "NAME", str(path))
                # The switch to WAL needs the file for itself, as it has it in `migrate`.
                first = held.enter_context(closing(sqlite3.connect(path)))
                first.execute("PRAGMA journal_mode=WAL")
            return in_threads(functions)

        yield run


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
        thread.join()
    return results
