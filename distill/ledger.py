"""What a run without a database has done so far: one file of JSON lines, only ever added to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from distill.errors import DistillError, OutOfSpace


class Ledger:
    """Entries by kind and natural key. A key that is there is not written again.

    A line that a crash cut off is dropped when the file is opened, and its work done again.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        if path.exists() and not resume:
            raise DistillError(f"{path.parent} holds a run already. Add --resume, or name another.")
        self._entries: dict[str, dict[str, dict[str, Any]]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._read()
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(whole)
        self._file.seek(whole)

    def _read(self) -> int:
        """Take in what is there; returns how many bytes of it are whole lines."""
        whole = 0
        if self._path.exists():
            for line in self._path.read_bytes().splitlines(keepends=True):
                if not line.endswith(b"\n"):
                    break
                entry = json.loads(line)
                self._entries.setdefault(entry["kind"], {})[entry["key"]] = entry
                whole += len(line)
        return whole

    def add(self, kind: str, key: str, **values: Any) -> dict[str, Any]:
        """Write an entry, unless its key is there already; returns the entry that stands."""
        there = self._entries.setdefault(kind, {})
        if key not in there:
            entry = {"kind": kind, "key": key, **values}
            try:
                self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
                self._file.flush()
            except OSError as exc:
                raise OutOfSpace(str(self._path)) from exc
            there[key] = entry
        return there[key]

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        return self._entries.get(kind, {}).get(key)

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        yield from self._entries.get(kind, {}).values()

    def close(self) -> None:
        self._file.close()
