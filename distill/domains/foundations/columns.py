"""Sums, differences and products worked column by column from the right, as steps to be said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest


def digits(number: int) -> list[int]:
    """Digits from the right: 47 -> [7, 4]."""
    return [int(digit) for digit in reversed(str(number))]


def add_columns(a: int, b: int) -> tuple[str, ...]:
    """Steps of a + b.

    Every column but the last names what it carries, nothing included: sums with and without a
    carry are worked in the same words, so that one prepares the other and neither disturbs it.

    The carry is added by itself: a small student knows facts of two numbers, not of three.

    >>> add_columns(47, 38)
    ('7 + 8 = 15, carry 1', '4 + 3 = 7, 7 + 1 = 8')
    >>> add_columns(41, 38)
    ('1 + 8 = 9, carry 0', '4 + 3 = 7, 7 + 0 = 7')
    >>> add_columns(8, 45)
    ('8 + 5 = 13, carry 1', '4 + 1 = 5')
    """
    steps, carry = [], 0
    columns = _columns(a, b)
    for place, (x, *more) in enumerate(columns):
        more += [carry] * (place > 0)
        step = _in_turn(x, "+", more)
        carry = (x + sum(more)) // 10
        steps.append(step if place == len(columns) - 1 else f"{step}, carry {carry}")
    return tuple(steps)


def subtract_columns(a: int, b: int) -> tuple[str, ...]:
    """Steps of a − b, a ≥ b.

    Every column but the last names both digits, and then what it borrows, nothing included (see
    `add_columns`): a student that has to say "2 <" before the second digit goes by the first.

    >>> subtract_columns(52, 27)
    ('2 and 7: borrow 1, 12 - 7 = 5', '5 - 2 = 3, 3 - 1 = 2')
    >>> subtract_columns(58, 27)
    ('8 and 7: borrow 0, 8 - 7 = 1', '5 - 2 = 3, 3 - 0 = 3')
    >>> subtract_columns(45, 8)
    ('5 and 8: borrow 1, 15 - 8 = 7', '4 - 1 = 3')
    """
    steps, borrowed = [], 0
    columns = _columns(a, b)
    for place, (x, *less) in enumerate(columns):
        less += [borrowed] * (place > 0)
        look = ""
        if place < len(columns) - 1:
            borrowed = int(x < sum(less))
            look = f"{x} and {' + '.join(map(str, less))}: borrow {borrowed}, "
            x += 10 * borrowed
        steps.append(look + _in_turn(x, "-", less))
    return tuple(steps)


def _columns(a: int, b: int) -> list[list[int]]:
    """From the right, the digits of each place: 8, 45 -> [[8, 5], [4]]."""
    pairs = zip_longest(digits(a), digits(b))
    return [[digit for digit in pair if digit is not None] for pair in pairs]


def _in_turn(start: int, sign: str, numbers: Sequence[int]) -> str:
    """Numbers added or taken away one after the other.

    >>> _in_turn(7, "+", [8, 1])
    '7 + 8 = 15, 15 + 1 = 16'
    """
    steps = []
    for number in numbers:
        after = start + number if sign == "+" else start - number
        steps.append(f"{start} {sign} {number} = {after}")
        start = after
    return ", ".join(steps)


def worked_sum(a: int, sign: str, b: int) -> tuple[str, ...]:
    """Steps of a + b or a − b (a ≥ b) that is a part of something longer: what is worked out, and
    its columns; of two digits alone the fact.

    >>> worked_sum(45, "-", 8)
    ('45 - 8', '5 and 8: borrow 1, 15 - 8 = 7', '4 - 1 = 3')
    >>> worked_sum(4, "+", 8)
    ('4 + 8 = 12',)
    """
    if max(a, b) < 10:
        return (f"{a} {sign} {b} = {a + b if sign == '+' else a - b}",)
    return (f"{a} {sign} {b}", *(add_columns(a, b) if sign == "+" else subtract_columns(a, b)))


def multiply_columns(a: int, b: int) -> tuple[str, ...]:
    """Steps of a · b for two digits by one; see `add_columns`.

    >>> multiply_columns(34, 6)
    ('4 * 6 = 24, carry 2', '3 * 6 = 18', '18 + 2 = 20')
    """
    ones, tens = digits(a)
    carry = ones * b // 10
    return (
        f"{ones} * {b} = {ones * b}, carry {carry}",
        f"{tens} * {b} = {tens * b}",
        f"{tens * b} + {carry} = {tens * b + carry}",
    )
