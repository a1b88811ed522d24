"""Whole numbers that an address or a form gives as text."""

from __future__ import annotations


def number(said: str | None) -> int | None:
    """A number of up to nine digits; None for all else.

    More digits than a column holds are an error of some databases, and thousands of them of `int`;
    `isdecimal` alone takes other scripts' digits, and `isdigit` what `int` does not.

    >>> number("12"), number("-1"), number("²"), number("9" * 5000)
    (12, None, None, None)
    """
    return int(said) if said and said.isascii() and said.isdecimal() and len(said) < 10 else None
