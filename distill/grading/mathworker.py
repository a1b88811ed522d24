"""math-verify in a process of its own.

Its own timeouts are signals, which only a main thread may set, and they count the wall clock, so
that a busy machine would change grades. Here the clock is the CPU's, and what runs over it is
ended by the kernel: an answer of 9^9^9^9 costs seconds, never the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

CPU_SECONDS = 4.0
_PROGRAM = Path(__file__).with_name("mathchild.py")


class MathWorker:
    """Asks the process, which it starts when first needed. Safe in threads and after a fork."""

    def __init__(self, *, cpu_seconds: float = CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        self._forget()
        me = weakref.ref(self)

        def forget() -> None:
            if (worker := me()) is not None:
                worker._forget()

        os.register_at_fork(after_in_child=forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def same(self, expected: str, found: str) -> bool:
        """Whether two final answers are mathematically the same.

        Raises ValueError for an expected one that cannot be read, TimeoutError, and RuntimeError
        when the process cannot be started.
        """
        with self._lock:
            reply = self._ask({"expected": expected, "found": found})
        if "error" in reply:
            raise ValueError(str(reply["error"]))
        return bool(reply["same"])

    def _ask(self, question: dict[str, str]) -> dict[str, object]:
        process = self._running()
        line = ""
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line.endswith("\n"):
            self._end()
            raise TimeoutError(f"comparing took over {self._cpu_seconds:g} s of computing")
        reply: dict[str, object] = json.loads(line)
        return reply

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                # isolated: this folder has a math.py, which must not stand for Python's
                [sys.executable, "-I", str(_PROGRAM), str(self._cpu_seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is the caller's; this ends when its stdin does
            )
            assert self._process.stdout is not None
            if self._process.stdout.readline() != "ready\n":
                self._end()
                raise RuntimeError("math-verify could not be started")
            weakref.finalize(self, _close, self._process, os.getpid())
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            _close(self._process, os.getpid())
            self._process = None


def _close(process: subprocess.Popen[str], owner: int) -> None:
    if os.getpid() != owner:  # a fork's copy: the process is its parent's
        return
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
