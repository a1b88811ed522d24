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
    r"(?P<part>\.[0-9]+)?(?:[eE](?P<tens>[-+]?[0-9]{1,3})(?!\w)|\^\{?(?P<power>[0-9]{1,2})\}?(?!\w))?"
    r"(?:\s?/\s?(?P<below>[0-9]+))?"
)
# what makes of the digits behind it no number: 12 cm^2, 12 m2, x_1, H2O; but USD12 is 12
_NAMED = re.compile(r"(?:[\^_]\{?|(?<![^\W\d_])(?:[a-z]{1,2}|[A-Z]))$")
_FRACTION = re.compile(r"\\[dt]?frac\{([0-9]+)\}\{([0-9]+)\}")
# of a mixed number, before its fraction
_BEFORE = re.compile(r"(?P<sign>(?<![\w)])(?<![0-9)]\s)[-−–])?(?<![\w.,/])(?P<whole>[0-9]{1,9}) $")

_ALONE = re.compile(
    r"(?:[-−–]?[$€£]?|[$€£][-−–])"
    r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:/[0-9]+)?"
    r"|\.[0-9]+|[0-9]+ [0-9]+/[0-9]+)"
    r"(?:\s?%|\s?°?[^\W\d_]{0,15}[²³]?)?\.?"
)

_MOST_DIGITS = 1000
_WRAPPED = re.compile(r"\$([^$]+)\$|\\boxed\{([^{}]+)\}")


class Number:
    """1 when the last number of the final answer equals the reference, else 0. No tolerance.

    The final answer is the line after the last "Answer:", or else the whole reply.
    """

    id = "number"
    version = 3

    def grade(self, reference: str, text: str) -> float:
        expected = last_number(reference)
        if expected is None:
            raise ValueError(f"the reference “{reference[:40]}” has no number")
        marked = marked_answer(text)
        found = last_number(text[-CAP_CHARACTERS:] if marked is None else marked)
        return float(found == expected)


def last_number(text: str) -> Fraction | None:
    """Return the last number in a text as an exact fraction; None when there is none, or when it
    is written in more than 1,000 characters.

    Digits that a letter or an exponent's sign leads are part of a name or of a unit.

    >>> last_number("that makes $1,234.50.")
    Fraction(2469, 2)
    >>> last_number("12 cm^2")
    Fraction(12, 1)
    """
    text = _FRACTION.sub(r" \1/\2", text)
    found = None
    for match in _NUMBER.finditer(text):
        if (match["whole"] or match["part"]) and not _NAMED.search(
            text, max(0, match.start() - 3), match.start()
        ):
            found = match
    if found is None:
        return None
    if len(found.group()) > _MOST_DIGITS:
        return None  # Python refuses to read some thousands of digits, and no answer has them
    value = Fraction((found["whole"] or "0").replace(",", "") + (found["part"] or ""))
    if found["tens"]:
        value *= Fraction(10) ** int(found["tens"])
    if found["power"]:
        value **= int(found["power"])
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
