"""A file that comes with a request, on the disk for as long as it is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ninja.files import UploadedFile


@contextmanager
def as_file(file: UploadedFile) -> Iterator[Path]:
    """The upload under a name of ours; of its own name only the ending is kept, which says what
    it holds.
    """
    with tempfile.TemporaryDirectory(prefix="ioa-upload-") as folder:
        path = Path(folder) / f"upload{Path(str(file.name)).suffix.lower()[:10]}"
        with path.open("wb") as out:
            out.writelines(file.chunks())
        yield path
