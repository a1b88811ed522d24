"""The same words: for spelling, names and lists."""

from __future__ import annotations

import re
import unicodedata

from distill.grading.base import last_line, marked_answer

_ENDS = " \t.,;:!?*_`'\"“”‘’()[]{}"
_QUOTES = "*_`'\"“”‘’"
_WORD = re.compile(r"[^\W_]")
_COMMA = re.compile(r"\s*,\s*")
_OPENS, _CLOSES = "([{", ")]}"


class Exact:
    """1 when the final answer says the reference, else 0.

    The final answer is the line after the last "Answer:", or else the last line.
    Case, kind of whitespace, spaces around commas, and punctuation or quotes at the ends do not
    count, but for a point before a digit; brackets around all may be left out or added, and not be
    others: (0, 1) is not [0, 1]. Where the reference is nothing but punctuation, only whitespace
    and quotes do not count.
    """

    id = "exact"
    version = 3

    def grade(self, reference: str, text: str) -> float:
        marked = marked_answer(text)
        said = last_line(text) if marked is None else marked
        if not (expected := _marks(reference)):
            raise ValueError("the reference is empty")
        if _WORD.search(reference):
            is_same = _normal(said) == _normal(reference)
            return float(is_same and not _differ(_brackets(said), _brackets(reference)))
        return float(_marks(said) == expected)


def _normal(text: str) -> str:
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    bare = words.strip(_ENDS)
    if bare[:1].isdigit() and words.lstrip(_ENDS.replace(".", "")).startswith(f".{bare[0]}"):
        bare = f".{bare}"  # .5
    return _COMMA.sub(", ", bare)


def _brackets(text: str) -> str:
    """The outermost that open and close, as "(]"; a space for one that is not there."""
    bare = text.strip(_ENDS.translate({ord(c): None for c in _OPENS + _CLOSES}))
    opens, closes = bare[:1] or " ", bare[-1:] or " "
    return (opens if opens in _OPENS else " ") + (closes if closes in _CLOSES else " ")


def _differ(some: str, others: str) -> bool:
    return "  " not in (some, others) and some != others


def _marks(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).strip(_QUOTES)
