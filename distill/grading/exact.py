"""The same words: for spelling, names and lists."""

from __future__ import annotations

import re
import unicodedata

from distill.grading.base import last_line, marked_answer

_ENDS = " \t.,;:!?*_`'\"“”‘’()[]{}"
_QUOTES = "*_`'\"“”‘’"
_WORD = re.compile(r"[^\W_]")
_COMMA = re.compile(r"\s*,\s*")


class Exact:
    """1 when the final answer says the reference, else 0.

    The final answer is the line after the last "Answer:", or else the last line.
    Case, kind of whitespace, spaces around commas, and punctuation or quotes at the ends do not
    count; where the reference is nothing but punctuation, only whitespace and quotes do not.
    """

    id = "exact"
    version = 2

    def grade(self, reference: str, text: str) -> float:
        marked = marked_answer(text)
        said = last_line(text) if marked is None else marked
        if not (expected := _marks(reference)):
            raise ValueError("the reference is empty")
        if _WORD.search(reference):
            return float(_normal(said) == _normal(reference))
        return float(_marks(said) == expected)


def _normal(text: str) -> str:
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _COMMA.sub(", ", words.strip(_ENDS))


def _marks(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).strip(_QUOTES)
