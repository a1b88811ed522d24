"""Sums, differences and products: the skills, and all or any of their questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from random import Random

from distill.domains.drafts import Draft
from distill.domains.foundations.columns import add_columns, multiply_columns, subtract_columns
from distill.domains.foundations.sheet import Generator
from distill.records import Skill

AREA = "Arithmetic"
MOST_BY_HEART = 12


def _sum(a: int, b: int) -> Draft:
    return Draft(f"What is {a} + {b}?", str(a + b), add_columns(a, b))


def _difference(a: int, b: int) -> Draft:
    return Draft(f"What is {a} - {b}?", str(a - b), subtract_columns(a, b))


def _is_fact(a: int, b: int) -> bool:
    """Whether A1 or M1 asks it already: no question may belong to two skills."""
    return a <= MOST_BY_HEART and b <= MOST_BY_HEART


def _two_digits(top: int) -> Iterator[tuple[int, int]]:
    """All pairs of two-digit numbers whose tens are at most `top`."""
    numbers = range(10, 10 * top + 10)
    return ((a, b) for a in numbers for b in numbers)


def _facts(level: int) -> Iterator[Draft]:
    numbers = range((5, 9, MOST_BY_HEART)[level - 1] + 1)
    for a, b in product(numbers, repeat=2):
        yield Draft(f"What is {a} + {b}?", str(a + b))
        yield Draft(f"What is {a + b} - {b}?", str(a))


def _sums_without_carry(level: int) -> Iterator[Draft]:
    top = (4, 6, 9)[level - 1]
    for a, b in _two_digits(top):
        is_small = max(a % 10, b % 10) <= top
        has_carry = a % 10 + b % 10 > 9 or a // 10 + b // 10 > 9
        if is_small and not has_carry and not _is_fact(a, b):
            yield _sum(a, b)


def _sums_with_carry(level: int) -> Iterator[Draft]:
    below = (60, 100, 200)[level - 1]
    for a, b in _two_digits(9):
        if a % 10 + b % 10 > 9 and a + b < below:
            yield _sum(a, b)


def _differences_without_borrow(level: int) -> Iterator[Draft]:
    for a, b in _two_digits((4, 6, 9)[level - 1]):
        if a >= b and a % 10 >= b % 10 and not _is_fact(a - b, b):
            yield _difference(a, b)


def _differences_with_borrow(level: int) -> Iterator[Draft]:
    for a, b in _two_digits((4, 6, 9)[level - 1]):
        if a > b and a % 10 < b % 10 and not _is_fact(a - b, b):
            yield _difference(a, b)


def _three_digits(random: Random, level: int) -> Draft:
    a, b = (random.randint(100, (399, 599, 999)[level - 1]) for _ in range(2))
    return _sum(a, b) if random.random() < 0.5 else _difference(max(a, b), min(a, b))


def _products(level: int) -> Iterator[Draft]:
    numbers = range((5, 9, MOST_BY_HEART)[level - 1] + 1)
    pairs = list(product(numbers, repeat=2))
    if level == 3:  # the table once more, one factor ten times as large
        for a, b in product(range(1, 10), range(20, 100, 10)):
            pairs += [(a, b), (b, a)]
    for a, b in pairs:
        yield Draft(f"What is {a} * {b}?", str(a * b))


def _long_products(level: int) -> Iterator[Draft]:
    top, most = ((3, 5), (6, 9), (9, 9))[level - 1]
    for a, b in product(range(10, 10 * top + 10), range(2, most + 1)):
        if a % 10 and not _is_fact(a, b):  # M1 has the round tens
            yield Draft(f"What is {a} * {b}?", str(a * b), multiply_columns(a, b))


def _four_digits(random: Random, level: int) -> Draft:
    a, b = (random.randint(1000, (3999, 5999, 9999)[level - 1]) for _ in range(2))
    return _sum(a, b)


GENERATORS = (
    Generator(
        Skill(
            "A1",
            "Add, subtract: 1 digit",
            "Knows the sums of two numbers from 0 to 12, and the differences that undo them.",
            AREA,
            level=1,
        ),
        every=_facts,
    ),
    Generator(
        Skill(
            "A2",
            "Add: 2 digits, no carry",
            "Adds two two-digit numbers when no column reaches ten.",
            AREA,
            level=2,
            prerequisites=("A1",),
        ),
        every=_sums_without_carry,
    ),
    Generator(
        Skill(
            "A3",
            "Add: 2 digits, carry",
            "Adds two two-digit numbers when the ones reach ten or more and one is carried.",
            AREA,
            level=3,
            prerequisites=("A2",),
        ),
        every=_sums_with_carry,
    ),
    Generator(
        Skill(
            "B2",
            "Subtract: 2 digits, no borrow",
            "Subtracts two-digit numbers when no column needs to borrow.",
            AREA,
            level=2,
            prerequisites=("A1",),
        ),
        every=_differences_without_borrow,
    ),
    Generator(
        Skill(
            "B3",
            "Subtract: 2 digits, borrow",
            "Subtracts two-digit numbers when the ones have to borrow from the tens.",
            AREA,
            level=3,
            prerequisites=("B2",),
        ),
        every=_differences_with_borrow,
    ),
    Generator(
        Skill(
            "A4",
            "Add and subtract: 3 digits",
            "Adds and subtracts three-digit numbers, with carrying and borrowing.",
            AREA,
            level=4,
            prerequisites=("A3", "B3"),
        ),
        draw=_three_digits,
        sums=re.compile(r"[1-9]\d\d [+-] [1-9]\d\d"),
    ),
    Generator(
        Skill(
            "M1",
            "Multiply: 1 digit",
            "Knows the products of two numbers from 0 to 12, and of one digit by 20, 30 … 90.",
            AREA,
            level=2,
            prerequisites=("A1",),
        ),
        every=_products,
    ),
    Generator(
        Skill(
            "M2",
            "Multiply: 2 digits by 1",
            "Multiplies a two-digit number by a number from 2 to 9, carrying where needed.",
            AREA,
            level=4,
            prerequisites=("M1", "A3"),
        ),
        every=_long_products,
    ),
)

TRANSFER = (
    Generator(
        Skill(
            "T2",
            "Add: 4 digits",
            "Adds two four-digit numbers, longer than any sum that was taught.",
            AREA,
            level=5,
            is_transfer=True,
        ),
        draw=_four_digits,
        sums=re.compile(r"[1-9]\d{3} \+ [1-9]\d{3}"),
    ),
)
