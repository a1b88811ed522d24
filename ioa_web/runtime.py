"""Where the embedded Redis listens: settings, `serve` and tests all ask here."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

# sockaddr_un holds 108 bytes on Linux and 104 on macOS, with a zero at the end.
LONGEST_SOCKET_PATH_BYTES = 100


class ServicesError(Exception):
    """The services could not be started, or ended by themselves. Its text is for people."""


def redis_socket(home: Path) -> Path:
    """The socket in `home`, or in a private temporary folder where that path is too long.

    The folder's name is computed from `home`, so that every process finds the same one.
    """
    near = home / "redis.sock"
    if len(os.fsencode(near)) <= LONGEST_SOCKET_PATH_BYTES:
        return near
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ioa-{os.getuid()}-{name}" / "redis.sock"


def redis_url(home: Path) -> str:
    return f"unix://{quote(str(redis_socket(home)))}"
