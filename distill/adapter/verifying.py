"""Is the answer right? Worked out by a program where one can, else agreed on by the teacher."""

from __future__ import annotations

import re
from fractions import Fraction

from distill.arithmetic import plain_sum, value_of
from distill.grading.number import last_number
from distill.records import Item

_STATED = re.compile(
    r"(?<![\d.,/])(?P<left>[\d\s+\-−–*×x·÷/()]*\d[\s)]*[+\-−–*×x·÷/][\d\s+\-−–*×x·÷/()]*)"
    r"=\s*(?P<right>[-−]?\d+(?![.,/]?\d))"
)


def worked_out(question: str) -> Fraction | None:
    """The value of a question that is nothing but one sum: "What is 52 - 37?". Else None.

    >>> worked_out("What is (3 + 4) × 5?")
    Fraction(35, 1)
    >>> worked_out("Ann has 3 apples and gets 4. How many?")
    """
    plain = plain_sum(question)
    return None if plain is None else value_of(plain)


def wrong_statement(text: str) -> str:
    """The first "sum = number" in a text that is not so; "" where all are, or none is stated.

    Quotients that are no whole numbers are passed over: they may be rounded, or leave a rest.

    >>> wrong_statement("tens: 4 + 3 = 8")
    '4 + 3 = 8'
    """
    for match in _STATED.finditer(text):
        left, right = value_of(match["left"]), last_number(match["right"])
        if left is not None and left.denominator == 1 and left != right:
            return match.group().strip()
    return ""


class StepsHold:
    """What the solution states of numbers is so: no "4 + 3 = 8" on the way to a right answer."""

    id, version = "steps", 1

    def problem(self, item: Item) -> str:
        wrong = wrong_statement(item.solution)
        return f"The solution says {wrong}, which is not so." if wrong else ""
