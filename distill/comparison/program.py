"""How a module of this package ends that is run by `python -m`: a sentence, and a status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from distill.errors import DistillError


class Misused(DistillError):
    """The words are not what the program takes."""


def run(main: Callable[[Sequence[str]], None], words: Sequence[str], usage: str | None) -> int:
    """Call it. Returns 0; 1, with a sentence on stderr, for what a person can mend; 2, with
    `usage`, for `Misused`.
    """
    try:
        main(words)
    except Misused:
        sys.stderr.write(f"{usage}\n")
        return 2
    except (DistillError, OSError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0
