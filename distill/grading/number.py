"""The same number, however it is written: 1,234 or 1234.0, -5 or −5, $12 or 12, 3 1/2 or 3.5."""

from __future__ import annotations

import re
from fractions import Fraction

from distill.grading.base import CAP_CHARACTERS, marked_answer

# A sign touches its number, and has nothing to its left that it could subtract from: "34 - 5"
# ends in 5, "x = -5" in -5, and "- 5" is an entry of a list.
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w)])(?<![0-9)]\s)[-−–])?[$€£]?(?P<inner>(?<=[$€£])[-−–])?"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)?"
    r"(?P<part>\.[0-9]+)?(?:/(?P<below>[0-9]+))?"
)
# of a mixed number, before its fraction
_BEFORE = re.compile(r"(?P<sign>(?<![\w)])(?<![0-9)]\s)[-−–])?(?<![\w.,/])(?P<whole>[0-9]{1,9}) $")

_ALONE = re.compile(
    r"(?:[-−–]?[$€£]?|[$€£][-−–])"
    r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:/[0-9]+)?"
    r"|\.[0-9]+|[0-9]+ [0-9]+/[0-9]+)"
    r"(?:\s?%|\s?°?[^\W\d_]{0,15}[²³]?)?\.?"
)

_WRAPPED = re.compile(r"\$([^$]+)\$|\\boxed\{([^{}]+)\}")


class Number:
    """1 when the last number of the final answer equals the reference, else 0. No tolerance.

    The final answer is the line after the last "Answer:", or else the whole reply.
    """

    id = "number"
    version = 2

    def grade(self, reference: str, text: str) -> float:
        expected = last_number(reference)
        if expected is None:
            raise ValueError(f"the reference “{reference[:40]}” has no number")
        marked = marked_answer(text)
        found = last_number(text[-CAP_CHARACTERS:] if marked is None else marked)
        return float(found == expected)


def last_number(text: str) -> Fraction | None:
    """Return the last number in a text as an exact fraction; None when there is none.

    >>> last_number("that makes $1,234.50.")
    Fraction(2469, 2)
    """
    found = None
    for match in _NUMBER.finditer(text):
        if match["whole"] or match["part"]:
            found = match
    if found is None:
        return None
    value = Fraction((found["whole"] or "0").replace(",", "") + (found["part"] or ""))
    if found["below"] is not None:
        if not int(found["below"]):
            return None  # 3/0 is no number
        value /= int(found["below"])
        before = _BEFORE.search(text[: found.start()][-20:])
        if before and value < 1 and not found["sign"] and not found["part"]:
            value += int(before["whole"])
            return -value if before["sign"] else value
    return -value if found["sign"] or found["inner"] else value


def is_one_number(text: str) -> bool:
    """Whether a text is one number and nothing else, but for a currency sign before it, a percent
    sign or one word behind it, a full stop, and LaTeX's $…$ or \\boxed{…} around all. Pure.

    >>> is_one_number("$1,234.50"), is_one_number("7 apples"), is_one_number("8, no: 7")
    (True, True, False)
    """
    bare = _WRAPPED.sub(lambda m: m[1] or m[2], text.strip().rstrip("."))
    return _ALONE.fullmatch(bare.strip()) is not None
