"""Running a program that a model wrote, in a process of its own with limits.

    passes("print(1)", Limits())

What holds it: a new session that is killed whole when it ends or runs over; limits on CPU and
wall seconds, memory, file size and processes; an empty temporary folder; Python without site
packages and without the environment. Python's audit hook refuses sockets, processes, foreign
functions, and writing outside the folder. Where the system lets us, the process has no network at
all, and root becomes nobody.

It is a fence against accidents, not a prison: a program made to break out of Python's audit hooks
may read what this user may read and, where there is no separate network, use it. Grade code from
strangers in a container.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_RUNNER = Path(__file__).with_name("untrusted.py")
NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Limits:
    cpu_seconds: int = 5
    wall_seconds: float = 30.0
    memory_bytes: int = 512 << 20
    file_bytes: int = 1 << 20  # of each file, and
    files: int = 32  # opened for writing
    processes: int = 0  # besides itself; the kernel counts them for users other than root


def passes(program: str | Sequence[tuple[str, str]], limits: Limits) -> bool:
    """Whether a Python program runs to its end within the limits, without an exception.

    program: the source, or parts that run one after the other in one namespace, each with the
    `__name__` that it sees.

    Raises RuntimeError when the sandbox could not be set up, OSError when there is no place.
    """
    token = secrets.token_hex(16)
    with (
        tempfile.TemporaryDirectory(prefix="ioa-code-") as folder,
        tempfile.TemporaryFile() as said,
    ):
        user = _user_to_become(folder)
        parts = [("__main__", program)] if isinstance(program, str) else program
        job = {"parts": parts, "token": token, "user": user, "limits": asdict(limits)}
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-X", "utf8", str(_RUNNER)],
            stdin=subprocess.PIPE,
            stdout=said,  # a file: it has a size limit, and a pipe would fill our memory
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={},
            start_new_session=True,
        )
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(json.dumps(job).encode(), timeout=limits.wall_seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        lines = said.read(1000).decode("ascii", "replace").splitlines()
    if lines[:1] != ["ready"]:
        raise RuntimeError("the sandbox could not be set up")
    return token in lines[1:]


def _user_to_become(folder: str) -> int | None:
    """As root: nobody, if nobody can read Python's library. The folder is made theirs."""
    if os.geteuid() != 0:
        return None
    library = Path(os.__file__).resolve()
    if not all(place.stat().st_mode & 0o005 == 0o005 for place in library.parents):
        return None
    os.chown(folder, NOBODY, NOBODY)
    return NOBODY
