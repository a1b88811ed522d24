"""What a grader is, and how the final answer is found in a reply."""

from __future__ import annotations

import re
from typing import Protocol, runtime_checkable

from distill.records import Probe

CAP_CHARACTERS = 4000
"""Graders read the end of a reply only: answers come last, and run-away replies are long."""

_MARK = re.compile(r"\banswer[*_]*\s{0,3}:[*_]*", re.IGNORECASE)
_OPEN, _CLOSE = "<think>", "</think>"


class Grader(Protocol):
    """Compares the final answer of a reply with a reference. Pure and fast.

    A change that may change a grade is a new version: scores of different versions are not
    compared.
    """

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...

    def grade(self, reference: str, text: str) -> float:
        """Return 0..1 for a reply. Raises ValueError for a reference it cannot work with."""
        ...


@runtime_checkable
class GraderOfProbes(Protocol):
    """A grader that has to see the question as well."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> int: ...

    def grade_probe(self, probe: Probe, text: str) -> float:
        """Return 0..1 for a reply. What it raises grades 0 and is counted."""
        ...


def without_thinking(text: str) -> str | None:
    """Return the reply without its <think> blocks; None when a block was never closed.

    A </think> that nothing opened ends a block that the chat template opened. O(length).
    """
    before, closed, after = text.partition(_CLOSE)
    rest = after if closed and _OPEN not in before else text
    kept = []
    while True:
        said, opened, rest = rest.partition(_OPEN)
        kept.append(said)
        if not opened:
            return "".join(kept)
        _, closed, rest = rest.partition(_CLOSE)
        if not closed:
            return None


def marked_answer(text: str) -> str | None:
    """Return the line after the last "Answer:"; None when the reply has no such mark.

    >>> marked_answer("7 + 8 = 15. Answer: 15")
    '15'
    """
    end = text[-CAP_CHARACTERS:]
    marks = list(_MARK.finditer(end))
    return (end[marks[-1].end() :].strip().splitlines() or [""])[0] if marks else None


def last_line(text: str) -> str:
    """Return the last line that is not empty; "" when there is none."""
    return (text[-CAP_CHARACTERS:].strip().splitlines() or [""])[-1]
