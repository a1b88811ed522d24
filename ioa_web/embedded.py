"""Redis, the workers and the web server as children of one command.

    with services() as running:
        running.wait()

What asks for the services starts one supervisor (`python -m ioa_web.embedded`), and the
supervisor starts the rest: first Redis, then the others under honcho, and takes them down in the
opposite order. It ends when it is told to, when one of its children ends, or when whoever
started it is gone, however that went: a pipe between the two closes with either of them. Every
process carries the home it serves in its environment (`MARK`), so that whatever a killed
supervisor left behind is found and ended by the next one.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
from django.conf import settings
from django.utils.module_loading import import_string
from honcho.manager import Manager
from honcho.printer import Printer

from ioa_web.private_redis import redis_server
from ioa_web.runtime import ServicesError

MARK = "IOA_SERVICES_OF"
ROOT = Path(__file__).resolve().parent.parent
QUEUES = ("teacher", "gpu")
STOPS_WITHIN_SECONDS = 20  # honcho gives its children five, Redis gets the rest
ALREADY_RUNNING = 3  # the supervisor's exit status


class AlreadyRunning(ServicesError):
    pass


@dataclass(frozen=True)
class Services:
    """The services as they run. `lifeline` is the supervisor's standard input."""

    supervisor: subprocess.Popen[bytes]
    home: Path
    listen: str  # host:port of the web server; empty: there is none

    @property
    def url(self) -> str:
        return f"http://{self.listen}/"

    def wait_for_web(self, seconds: float = 60) -> None:
        """Return once the web server answers. Raises ServicesError when it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.supervisor.poll() is None:
            with suppress(OSError), closing(HTTPConnection(self.listen, timeout=5)) as web:
                web.request("GET", "/healthz")
                web.getresponse()  # whatever it says: it is there
                return
            time.sleep(0.1)
        raise ServicesError("The web server did not start; what it said stands above.")

    def check(self) -> None:
        """For whoever waits for work to be done: raises ServicesError when nobody does it."""
        if self.supervisor.poll() is not None:
            self.wait()

    def wait(self) -> None:
        """Block until a child ends by itself, which takes the others with it."""
        self.supervisor.wait()
        raise ServicesError("One of the services ended by itself, so all were stopped; see above.")

    def stop(self) -> None:
        """Take everything down. Safe to call twice."""
        assert self.supervisor.stdin is not None
        with suppress(OSError):
            self.supervisor.stdin.close()
        try:
            self.supervisor.wait(STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
        if self.supervisor.wait() < 0:  # killed: it could not take its children along
            end_orphans(self.home)


@contextmanager
def services(
    *,
    web: bool = True,
    workers: bool = True,
    listen: str = "",
    log: Path | None = None,
    home: Path | None = None,
) -> Iterator[Services]:
    """Run Redis, the workers and the web server for this block, of IOA_HOME if not said.

    What they say goes to `log`, or to our own output. Redis answers when the block begins and
    IOA_BEFORE_WORK has run; workers and web server are on their way. Raises AlreadyRunning when
    `home` is being served, ServicesError when something does not start.
    """
    home = home or settings.IOA_HOME
    home.mkdir(parents=True, exist_ok=True)
    listen = (listen or settings.IOA_LISTEN) if web else ""
    if listen:
        _refuse_taken(listen)
    command = [sys.executable, "-m", "ioa_web.embedded", f"--listen={listen}"]
    read_end, write_end = os.pipe()
    with open(log, "ab") if log else nullcontext() as out:
        supervisor = subprocess.Popen(
            [*command, f"--ready={write_end}", *([] if workers else ["--no-workers"])],
            cwd=ROOT,
            env=os.environ | _told(home, listen),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            pass_fds=[write_end],
            start_new_session=True,  # Ctrl-C is for us: we stop them in order
        )
    os.close(write_end)
    assert supervisor.stdin is not None
    running = Services(supervisor, home, listen)
    try:
        with open(read_end, "rb") as ready:
            if not ready.read():
                _explain(supervisor.wait(), home)
        import_string(settings.IOA_BEFORE_WORK)()
        with suppress(OSError):  # it ended meanwhile: `wait` says so
            supervisor.stdin.write(b"go")
            supervisor.stdin.flush()
        yield running
    finally:
        running.stop()


def _told(home: Path, listen: str) -> dict[str, str]:
    """The variables of the services that differ from ours."""
    told = {"IOA_HOME": str(home), MARK: str(home)}
    if listen:
        told["IOA_LISTEN"] = listen  # links in messages lead to where the pages are
    if os.environ.get("IOA_ENV_FILE"):
        # We have read it, and they have what we have; they would look for it in another folder.
        told["IOA_ENV_FILE"] = os.devnull
    return told


def _refuse_taken(listen: str) -> None:
    host, _, port = listen.rpartition(":")
    try:
        if not 0 <= int(port) <= 65535:
            raise ValueError("ports go from 0 to 65535")
        with closing(socket.create_server((host.strip("[]"), int(port)))):
            pass
    except (OSError, ValueError) as exc:
        raise ServicesError(
            f"The web server cannot listen on {listen} ({exc}). Choose another address: "
            "IOA_LISTEN=127.0.0.1:8001"
        ) from exc


def _explain(status: int, home: Path) -> None:
    if status == ALREADY_RUNNING:
        raise AlreadyRunning(
            f"The services of {home} are already running. Use them, or stop them first (Ctrl-C "
            "where they were started); another IOA_HOME runs beside them."
        )
    raise ServicesError(f"The services of {home} did not start (status {status}); see above.")


# --- The supervisor ----------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="", help="host:port of the web server; empty: none")
    parser.add_argument("--no-workers", action="store_true")
    parser.add_argument("--ready", type=int, required=True, help="descriptor to write to")
    asked = parser.parse_args()
    home, leaving = Path(os.environ["IOA_HOME"]), threading.Event()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)

    lock = open(home / "services.lock", "w")  # noqa: SIM115 - held until we end
    try:
        # Not flock: honcho forks, and a forked process would go on holding it.
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return ALREADY_RUNNING
    end_orphans(home)
    try:
        with redis_server(home) if settings.IOA_EMBEDDED_REDIS else nullcontext() as redis:
            os.write(asked.ready, b"ready")
            os.close(asked.ready)
            if not os.read(0, 2):  # our starter says "go", or is gone
                return 0
            threading.Thread(target=_follow_our_starter, daemon=True).start()
            if redis is not None:
                threading.Thread(target=_end_with, args=[redis, leaving], daemon=True).start()
            try:
                if not asked.listen and asked.no_workers:
                    signal.pause()  # Redis alone: honcho without a process would end at once
                manager = _manager(listen=asked.listen, workers=not asked.no_workers)
                manager.loop()
                return int(manager.returncode or 0)
            finally:
                leaving.set()
    except ServicesError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    finally:
        end_orphans(home)
        lock.close()


def _leave(signum: int, frame: FrameType | None) -> None:
    sys.exit(128 + signum)


def _follow_our_starter() -> None:
    os.read(0, 1)  # nobody ever writes: this returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


def _end_with(redis: subprocess.Popen[bytes], leaving: threading.Event) -> None:
    """Without it nothing that is queued is ever done, and everybody would wait."""
    redis.wait()
    if not leaving.is_set():
        sys.stderr.write("Redis has ended by itself: see redis/redis.log in IOA_HOME.\n")
        os.kill(os.getpid(), signal.SIGTERM)


def _manager(*, listen: str, workers: bool) -> Any:
    manager = Manager(Printer(sys.stdout, colour=sys.stdout.isatty()))
    python = shlex.quote(sys.executable)
    if workers:
        for queue in QUEUES:
            manager.add_process(queue, f"exec {python} manage.py work {queue}")
    if listen:
        most = f"--max-request-body-size={settings.IOA_UPLOAD_BYTES}"
        at = f"--listen={shlex.quote(listen)}"
        told = " ".join(map(shlex.quote, trusted(settings.IOA_PROXIES)))
        serve = f"-m waitress --threads=8 {most} {at} {told} ioa_web.wsgi:application"
        manager.add_process("web", f"exec {python} {serve}")
    return manager


def trusted(proxies: int) -> list[str]:
    """How waitress is told to believe so many proxies; it drops their headers otherwise."""
    if not proxies:
        return []
    headers = "x-forwarded-for x-forwarded-proto"
    return [
        "--trusted-proxy=*",  # what is in front is the only one that reaches us
        f"--trusted-proxy-count={proxies}",
        f"--trusted-proxy-headers={headers}",
    ]


def end_orphans(home: Path) -> list[int]:
    """End every process but ourselves that serves `home`; its pids. Killed after five seconds."""
    orphans = [process for process in psutil.process_iter() if _serves(process, home)]
    for process in orphans:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(orphans, timeout=5)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    return [process.pid for process in orphans]


def _serves(process: psutil.Process, home: Path) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == str(home)
    except psutil.Error:  # somebody else's, or gone
        return False


if __name__ == "__main__":
    sys.exit(main())
