"""Is the answer right? Worked out by a program where one can, else agreed on by the teacher."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from distill.arithmetic import MOST_CHARACTERS, plain_sum, value_of
from distill.records import Item

# Numbers, signs and brackets on one line; an x between letters is none of the signs. What is longer
# than a sum may be has no value, and would be looked at from each of its characters on.
_SIDE = rf"(?:[\d \t+\-−–*×·÷/()]|(?<![^\W\d_])x(?![^\W\d_])){{0,{2 * MOST_CHARACTERS}}}"
_CHAIN = re.compile(rf"(?<![\d.,/^√_]){_SIDE}(?:={_SIDE})+")
_SUM = re.compile(r"\d[ \t)]*[+\-−–*×x·÷/]")
_NUMBER = re.compile(r"[-−]?\d+")
_BULLET = re.compile(r"^[ \t]*(?:[-−–*]|\d{1,2}\))[ \t]+(?=[\d(])")
_LOOSE = re.compile(r"[ \t+\-−–*×x·÷/(]*$")
# behind a last side: it goes on in signs that are not read here, a decimal point or an unknown
_GOES_ON = re.compile(r"[.,]?\d|[\^√_\\]|[^\W\d_](?![^\W\d_])")


def worked_out(question: str) -> Fraction | None:
    """The value of a question that is nothing but one sum: "What is 52 - 37?". Else None.

    >>> worked_out("What is (3 + 4) × 5?")
    Fraction(35, 1)
    >>> worked_out("Ann has 3 apples and gets 4. How many?")
    """
    plain = plain_sum(question)
    return None if plain is None else value_of(plain)


def wrong_statement(text: str) -> str:
    """The first "sum = number" or "sum = sum" in a text that is not so; "" where all are, or none
    is stated. Of a = b = c each link is looked at, from the first side that is a sum on.

    A quotient that is no whole number may stand beside any number: that may be rounded, or leave
    a rest. Sides with unknowns, decimals, powers or mixed numbers are passed over. Pure.

    >>> wrong_statement("tens: 4 + 3 = 8")
    '4 + 3 = 8'
    >>> wrong_statement("3 + 4 = 7 + 1 = 8")
    '3 + 4 = 7 + 1'
    """
    for match in _CHAIN.finditer(text):
        sides = list(_sides(match, text))
        links = pairwise(sides)
        if not _SUM.search(sides[0]):
            next(links)
        for left, right in links:
            if _differ(left, right):
                return f"{left} = {right}"
    return ""


def _sides(match: re.Match[str], text: str) -> Iterator[str]:
    """What stands between the signs of equality; "" for a last side that cannot be read whole."""
    first, *between, last = match.group().split("=")
    if not match.start() or text[match.start() - 1] == "\n":
        first = _BULLET.sub("", first)
    while first.count("(") > first.count(")") and first.strip().startswith("("):
        first = first.strip()[1:]
    yield first.strip()
    yield from (side.strip() for side in between)
    loose = _LOOSE.search(last)
    signs = loose.group().strip() if loose else ""
    is_apart = not signs and last.endswith((" ", "\t"))
    if "x" in signs or (not is_apart and _GOES_ON.match(text, match.end())):
        yield ""
        return
    last = _LOOSE.sub("", last)
    while last.count(")") > last.count("(") and last.endswith(")"):
        last = last[:-1].rstrip()
    yield last.strip()


def _differ(left: str, right: str) -> bool:
    a, b = _value(left), _value(right)
    if a is None or b is None or a == b:
        return False
    may_be_rounded = (a.denominator > 1 and _is_number(right)) or (
        b.denominator > 1 and _is_number(left)
    )
    return not may_be_rounded


def _value(side: str) -> Fraction | None:
    if _is_number(side):
        return Fraction(side.replace("−", "-"))
    return value_of(side)


def _is_number(side: str) -> bool:
    return _NUMBER.fullmatch(side) is not None


class StepsHold:
    """What the solution states of numbers is so: no "4 + 3 = 8" on the way to a right answer."""

    id, version = "steps", 2

    def problem(self, item: Item) -> str:
        wrong = wrong_statement(item.solution)
        return f"The solution says {wrong}, which is not so." if wrong else ""
