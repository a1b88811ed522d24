"""Writing so that a full disk is told as one, and no half of a file is taken for a whole."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from distill.errors import OutOfSpace


@contextlib.contextmanager
def full_disk_told(where: Path) -> Iterator[None]:
    """Turn "no space left on device" into `OutOfSpace`, wherever in the libraries it came up."""
    try:
        yield
    except Exception as exc:
        if is_full_disk(exc):
            raise OutOfSpace(str(where)) from exc
        raise


def is_full_disk(exc: Exception) -> bool:
    """Whether the error says that the disk is full, in whosever words."""
    if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    # PostgreSQL; safetensors and tokenizers, in Rust; SQLite
    words = ("No space left on device", "os error 28", "database or disk is full")
    return any(said in str(exc) for said in words)


def write_beside(path: Path, text: str) -> None:
    """Write a file beside its place and rename it then. Raises `OutOfSpace`; the old one stands."""
    partial = path.with_name(path.name + ".partial")
    with full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(text, encoding="utf-8")
            partial.rename(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
