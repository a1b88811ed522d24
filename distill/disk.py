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
        text = str(exc)  # safetensors and tokenizers raise errors of their own, in Rust's words
        is_full = isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT)
        if is_full or "No space left on device" in text or "os error 28" in text:
            raise OutOfSpace(str(where)) from exc
        raise


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
