"""How many cores there are to work on. Imports nothing heavy: it is asked before torch is."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Those that this process may use, where the system says so; else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
