"""The numbers that known slips in arithmetic lead to: what would come out, had one made it."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product
from typing import NamedTuple

MOST_NUMBERS = 4  # in a question; with more of them everything is some operation on some
MOST_DIGITS = 50  # of numbers that are compared digit by digit
MOST_CHARACTERS = 60  # of an expression that is read: its tree is walked by recursion

Values = set[Fraction]


class Sum(NamedTuple):
    """One operation on two whole numbers, as a question states it."""

    a: int
    sign: str  # + - *
    b: int

    @property
    def value(self) -> int:
        return int(_DO[self.sign](Fraction(self.a), Fraction(self.b)))


_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")
_EXPRESSION = re.compile(r"\d[\d\s+\-−*×()]*\d|\(\s*\d[\d\s+\-−*×()]*[\d)]")
_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_DO: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def numbers(text: str) -> list[Fraction]:
    """The numbers in a text, without their signs, in order."""
    return [Fraction(m.group().replace(",", "")) for m in _NUMBER.finditer(text)]


def expressions(question: str) -> list[Sum]:
    """The single operations that the question states or, in a story of two numbers, may mean.

    >>> expressions("What is 47 + 38?")
    [Sum(a=47, sign='+', b=38)]
    """
    for match in _EXPRESSION.finditer(question):
        text = match.group().replace("−", "-").replace("×", "*")
        if len(text) <= MOST_CHARACTERS and any(sign in text for sign in "+-*"):
            return list(_operations(text))
    given = numbers(question)
    if len(given) == 2 and all(n.denominator == 1 for n in given):
        a, b = int(max(given)), int(min(given))
        return [Sum(a, "+", b), Sum(a, "-", b)]
    return []


def _operations(text: str) -> Iterator[Sum]:
    """Each operation of an expression, with the values it is done on; none where it is broken."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
            a, b = _value(node.left), _value(node.right)
            if a is not None and b is not None and min(a, b) >= 0:
                yield Sum(a, _SIGNS[type(node.op)], b)


def _value(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
        a, b = _value(node.left), _value(node.right)
        if a is not None and b is not None:
            return int(_DO[_SIGNS[type(node.op)]](Fraction(a), Fraction(b)))
    return None


# --- columns -----------------------------------------------------------------------------


def _columns(a: int, b: int) -> list[tuple[int, int]]:
    """Pairs of digits from the right, the shorter number filled up with zeros."""
    n = max(len(str(a)), len(str(b)))
    return [(int(x), int(y)) for x, y in zip(f"{a:0{n}}"[::-1], f"{b:0{n}}"[::-1], strict=True)]


def _some(places: Sequence[int]) -> Iterator[frozenset[int]]:
    """Every choice of at least one place. Numbers have a few columns, so these are few."""
    for n in range(1, len(places) + 1):
        yield from map(frozenset, combinations(places, n))


def without_carry(sums: Iterable[Sum]) -> Values:
    """Sums and products of which one carry or several were left out, or written in full.

    >>> sorted(map(int, without_carry([Sum(47, "+", 38)])))
    [75, 715]
    """
    found: Values = set()
    for a, sign, b in sums:
        if _too_long(a, b):
            continue
        if sign == "+":
            found |= _sums_without_carry(a, b)
        elif sign == "*" and min(a, b) < 10:
            found |= _products_without_carry(max(a, b), min(a, b))
    return found


def _sums_without_carry(a: int, b: int) -> Values:
    columns, found = _columns(a, b), set()
    carries = [place for place, carry in enumerate(_carries(columns)) if carry]
    inner = [place for place in carries if place < len(columns) - 1]
    for lost in _some(inner):
        total, carry = 0, 0
        for place, (x, y) in enumerate(columns):
            here = x + y + carry
            total += here % 10 * 10**place
            carry = 0 if place in lost else here // 10
        found.add(Fraction(total + carry * 10 ** len(columns)))
    if inner:
        found.add(Fraction("".join(str(x + y) for x, y in reversed(columns))))
    return found


def _carries(columns: Sequence[tuple[int, int]]) -> Iterator[int]:
    carry = 0
    for x, y in columns:
        carry = (x + y + carry) // 10
        yield carry


def _products_without_carry(long: int, short: int) -> Values:
    found: Values = set()
    digits = [int(d) for d in reversed(str(long))]
    inner, carry = [], 0
    for place, digit in enumerate(digits[:-1]):
        carry = (digit * short + carry) // 10
        if carry:
            inner.append(place)
    for lost in _some(inner):
        total, carry = 0, 0
        for place, digit in enumerate(digits):
            here = digit * short + carry
            total += here % 10 * 10**place
            carry = 0 if place in lost else here // 10
        found.add(Fraction(total + carry * 10 ** len(digits)))
    if inner:
        found.add(Fraction("".join(str(d * short) for d in reversed(digits))))
    return found


def without_borrow(sums: Iterable[Sum]) -> Values:
    """Differences of which a column was turned around, or a borrow was not paid back.

    >>> sorted(map(int, without_borrow([Sum(51, "-", 27)])))
    [34, 36]
    """
    found: Values = set()
    for a, sign, b in sums:
        if sign == "-" and a >= b and not _too_long(a, b):
            columns = _columns(a, b)
            for lost in _some(_borrows(columns)):
                found |= {_unpaid(columns, lost), _turned(columns, lost)}
    return found


def _borrows(columns: Sequence[tuple[int, int]]) -> list[int]:
    places, borrowed = [], 0
    for place, (x, y) in enumerate(columns):
        borrowed = int(x - borrowed < y)
        if borrowed:
            places.append(place)
    return places


def _unpaid(columns: Sequence[tuple[int, int]], lost: frozenset[int]) -> Fraction:
    total, borrowed = 0, 0
    for place, (x, y) in enumerate(columns):
        here = x - borrowed - y
        total += here % 10 * 10**place
        borrowed = int(here < 0 and place not in lost)
    return Fraction(total)


def _turned(columns: Sequence[tuple[int, int]], turned: frozenset[int]) -> Fraction:
    total, borrowed = 0, 0
    for place, (x, y) in enumerate(columns):
        here = x - borrowed - y
        if here < 0 and place in turned:
            total, borrowed = total + (y - x + borrowed) % 10 * 10**place, 0
        else:
            total += here % 10 * 10**place
            borrowed = int(here < 0)
    return Fraction(total)


def with_needless_carry(sums: Iterable[Sum]) -> Values:
    """Sums with a carry, and differences with a borrow, in a column that has none.

    >>> sorted(map(int, with_needless_carry([Sum(53, "-", 50)])))
    [-7]
    """
    found: Values = set()
    for a, sign, b in sums:
        if sign == "*" or _too_long(a, b):
            continue
        columns = _columns(a, b)
        if sign == "+":
            right, step = a + b, 1
            real = [place for place, carry in enumerate(_carries(columns)) if carry]
        else:
            right, step, real = a - b, -1, _borrows(columns)
        free = [p for p in range(len(columns) - 1) if p not in real]
        found |= {Fraction(right + step * 10 ** (p + 1)) for p in free}
    return found


def _too_long(a: int, b: int) -> bool:
    return max(a, b) >= 10**6


# --- operations --------------------------------------------------------------------------


def other_operations(given: Sequence[Fraction]) -> Values:
    """What operations on all of the question's numbers give, from left to right or right to left.

    Two numbers are also taken the other way round, and divided. Empty for one number and for more
    than `MOST_NUMBERS`. The right answer may be among them.
    """
    if not 2 <= len(given) <= MOST_NUMBERS:
        return set()
    if len(given) == 2:
        return _of_two(*given)
    found: Values = set()
    for signs in product(_DO, repeat=len(given) - 1):
        left, right = given[0], given[-1]
        for sign, number in zip(signs, given[1:], strict=True):
            left = _DO[sign](left, number)
        for sign, number in zip(reversed(signs), reversed(given[:-1]), strict=True):
            right = _DO[sign](number, right)
        found |= {left, right}
    return found


def steps_in_between(given: Sequence[Fraction]) -> Values:
    """What one operation on two of three or four numbers gives: where a chain may break off."""
    if not 3 <= len(given) <= MOST_NUMBERS:
        return set()
    found: Values = set()
    for a, b in permutations(given, 2):
        found |= _of_two(a, b)
    return found


def _of_two(a: Fraction, b: Fraction) -> Values:
    found = {a + b, a - b, b - a, a * b}
    return found | {x / y for x, y in ((a, b), (b, a)) if y and (x / y).denominator == 1}


def has_same_digits(got: Fraction, expected: Fraction) -> bool:
    """The same digits in another order, two at least: 58 for 85, 501 for 150."""
    if got.denominator != 1 or expected.denominator != 1 or got == expected:
        return False
    if max(abs(got), abs(expected)) > 10**MOST_DIGITS:
        return False
    a, b = str(abs(int(got))), str(abs(int(expected)))
    return len(b) > 1 and sorted(a) == sorted(b)
