"""Expressions of two operations, and the equations that undo them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from distill.domains.drafts import Draft
from distill.domains.foundations.sheet import Generator
from distill.records import Skill

AREA = "Algebra"


def _expression(text: str, inner: str, value: int, outer: str, answer: int) -> Draft:
    steps = f"{inner} = {value}", f"{outer} = {answer}"
    return Draft(f"What is {text}?", str(answer), steps)


def _two_operations(level: int) -> Iterator[Draft]:
    """Second operands stay below ten, so that each step is one a student can do at once."""
    top = (4, 6, 9)[level - 1]
    for a, b, c in product(range(2, top + 1), range(2, top + 1), range(1, top + 1)):
        p, s, d = a * b, b + c, b - c
        yield _expression(f"{a} * {b} + {c}", f"{a} * {b}", p, f"{p} + {c}", p + c)
        yield _expression(f"{c} + {a} * {b}", f"{a} * {b}", p, f"{c} + {p}", p + c)
        yield _expression(f"{p + c} - {a} * {b}", f"{a} * {b}", p, f"{p + c} - {p}", c)
        if c <= p:
            yield _expression(f"{a} * {b} - {c}", f"{a} * {b}", p, f"{p} - {c}", p - c)
        if s <= 10:
            yield _expression(f"{a} * ({b} + {c})", f"{b} + {c}", s, f"{a} * {s}", a * s)
            yield _expression(f"({b} + {c}) * {a}", f"{b} + {c}", s, f"{s} * {a}", a * s)
        if d > 0:
            yield _expression(f"{a} * ({b} - {c})", f"{b} - {c}", d, f"{a} * {d}", a * d)
            yield _expression(f"({b} - {c}) * {a}", f"{b} - {c}", d, f"{d} * {a}", a * d)


def _equations(level: int) -> Iterator[Draft]:
    most_x, most_a, most_b = ((5, 5, 5), (9, 9, 9), (12, 9, 12))[level - 1]
    for x, a, b in product(range(2, most_x + 1), range(2, most_a + 1), range(1, most_b + 1)):
        c = a * x + b
        yield Draft(
            f"If {a} * x + {b} = {c}, what is x?",
            str(x),
            (f"{c} - {b} = {a * x}", f"{a * x} / {a} = {x}"),
        )


GENERATORS = (
    Generator(
        Skill(
            "X1",
            "Two operations, precedence and brackets",
            "Works out an expression of two operations in the right order.",
            AREA,
            level=4,
            prerequisites=("A3", "M1"),
        ),
        every=_two_operations,
    ),
    Generator(
        Skill(
            "E1",
            "Linear equation a·x + b = c",
            "Finds the whole number x in a·x + b = c by undoing first the sum, then the product.",
            AREA,
            level=5,
            prerequisites=("X1", "B3"),
        ),
        every=_equations,
    ),
)
