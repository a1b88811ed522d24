"""Inside the sandbox: sets the limits, then runs the program. Imports nothing of ours.

Reads a job from stdin. Writes "ready", and the job's token when the program came to its end.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import types
from collections.abc import Callable
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

REFUSED = ("socket.", "ctypes.", "subprocess.", "pty.", "resource.", "syslog.", "signal.")
REFUSED_ONES = {
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.kill"),
    *("os.killpg", "os.chmod", "os.chown", "os.setxattr", "sys.addaudithook"),
}
CHANGING = {  # may name places in the folder only
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"),
    *("os.utime", "shutil.rmtree", "shutil.move"),
}
REFUSED_MODULES = {"_posixsubprocess", "_ctypes", "_socket", "_multiprocessing", "faulthandler"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    job = json.loads(sys.stdin.buffer.read())
    verdict = os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    leave_network()
    set_limits(job["limits"])
    if job["user"] is not None:
        os.setgroups([])
        os.setgid(job["user"])
        os.setuid(job["user"])
    os.write(verdict, b"ready\n")
    sys.addaudithook(guard(os.getcwd(), job["limits"]["files"]))
    module = types.ModuleType("answer")  # where classes that it defines are looked for
    sys.modules["answer"] = sys.modules["before"] = module
    for name, source in job["parts"]:
        module.__name__ = name
        exec(compile(source, "answer", "exec", dont_inherit=True), module.__dict__)
    os.write(verdict, job["token"].encode() + b"\n")


def leave_network() -> None:
    """Enter a network of our own, with nothing in it; where the system does not let us, stay."""
    with contextlib.suppress(Exception):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
    for name in [name for name in sys.modules if "ctypes" in name]:
        del sys.modules[name]  # the program may not have it


def set_limits(limits: dict[str, Any]) -> None:
    for what, most in (
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def guard(folder: str, files: int) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook: Python calls it before it does what the program asks for."""
    folder = os.path.realpath(folder) + os.sep
    opened = 0

    def is_inside(place: Any) -> bool:
        if not isinstance(place, str | bytes):
            return place is None
        return os.path.realpath(os.fsdecode(place)).startswith(folder)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal opened
        if event == "open":
            if not (args[2] or 0) & WRITING or args[0] == os.devnull:
                return
            opened += 1
            if opened > files or not is_inside(args[0]):
                raise PermissionError("a program may write few files, and in its folder only")
        elif event == "import":
            if args[0] in REFUSED_MODULES:
                raise ImportError(f"{args[0]} is not for programs in a sandbox")
        elif event in REFUSED_ONES or event.startswith(REFUSED):
            raise PermissionError(f"{event} is not for programs in a sandbox")
        elif event in CHANGING and not all(is_inside(a) for a in args if not isinstance(a, int)):
            raise PermissionError(f"{event}: only in the folder")

    return hook


if __name__ == "__main__":
    status = 1
    with contextlib.suppress(BaseException):  # whatever it raised, SystemExit too: no token
        main()
        status = 0
    os._exit(status)  # no exit handlers, no waiting for threads
