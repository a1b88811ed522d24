"""What a run without a database has done so far: one file of JSON lines, only ever added to."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from distill.disk import full_disk_told
from distill.errors import DistillError

_held: dict[Path, BinaryIO] = {}  # by this process, until it ends: of files, to write to them


def _hold(path: Path) -> None:
    """Be the one process that writes to `path`, from now on. Raises `DistillError`."""
    path = path.resolve()
    held = _held.get(path)
    if (
        held is not None
        and path.exists()
        and os.path.samestat(os.fstat(held.fileno()), path.stat())
    ):
        return
    if held is not None:  # a folder that was removed, and made anew
        held.close()
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        file.close()
        raise DistillError(
            f"Another process is at work in {path.parent}. Wait until it has ended, or name "
            "another folder."
        ) from exc
    except OSError:
        pass  # a file system without locks: nobody can be kept out
    _held[path] = file


@atexit.register
def _let_go() -> None:
    for file in _held.values():
        file.close()


class Ledger:
    """Entries by kind and natural key. A key that is there is not written again.

    A line that a crash or a full disk cut off is dropped, and its work done again.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        if path.parent.exists() and not path.parent.is_dir():
            raise DistillError(f"{path.parent} is a file. Name a folder.")
        if path.exists() and not resume:
            raise DistillError(f"{path.parent} holds a run already. Add --resume, or name another.")
        self._path = path
        self._entries: dict[str, dict[str, dict[str, Any]]] = {}
        self._whole = 0  # bytes of the file that are whole lines
        if path.exists():
            self._read(path.read_bytes())

    def _read(self, written: bytes) -> None:
        for number, line in enumerate(written.splitlines(keepends=True), 1):
            if not line.endswith(b"\n"):
                break
            try:
                entry = json.loads(line)
                self._entries.setdefault(entry["kind"], {})[entry["key"]] = entry
            except (ValueError, KeyError, TypeError) as exc:
                raise DistillError(
                    f"Line {number} of {self._path} is damaged. Remove it and what follows: "
                    "what was done then is done again."
                ) from exc
            self._whole += len(line)

    def add(self, kind: str, key: str, **values: Any) -> dict[str, Any]:
        """Write an entry, unless its key is there already; returns the entry that stands.

        Raises `OutOfSpace`: then the entry is not there, and may be added again later.
        """
        there = self._entries.setdefault(kind, {})
        if key not in there:
            entry = {"kind": kind, "key": key, **values}
            text = json.dumps(entry, ensure_ascii=False) + "\n"
            # models say lone surrogates now and then; json reads them back from these bytes
            self._append(text.encode("utf-8", "surrogatepass"))
            there[key] = entry
        return there[key]

    def _append(self, line: bytes) -> None:
        """Write behind the last whole line, over what an attempt that failed left there.

        Raises `DistillError` where another process writes here, or has since this one read it.
        """
        with full_disk_told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _hold(self._path)
            with self._path.open("r+b" if self._path.exists() else "wb") as file:
                file.seek(self._whole)
                if b"\n" in file.read():
                    raise DistillError(
                        f"{self._path.parent} has been gone on with by another process since this "
                        "one read it. Begin again with --resume."
                    )
                file.truncate(self._whole)
                file.seek(self._whole)
                file.write(line)
        self._whole += len(line)

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        return self._entries.get(kind, {}).get(key)

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        yield from self._entries.get(kind, {}).values()
