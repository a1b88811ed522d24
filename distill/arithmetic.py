"""The value of a written sum, exactly, and of nothing else."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from fractions import Fraction

MOST_CHARACTERS = 120  # of a sum: its tree is walked by recursion

_DO: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "*", "x": "*", "·": "*", "÷": "/"})


def value_of(text: str) -> Fraction | None:
    """The value of sums, differences, products and quotients of whole numbers, with brackets.

    None for anything else: a sign without a number before it, a division by nought, a bare
    number, more than 120 characters. Pure, never raises.

    >>> value_of("(3 + 4) × 5")
    Fraction(35, 1)
    """
    if len(text) > MOST_CHARACTERS:
        return None
    try:
        tree = ast.parse(text.translate(_SIGNS).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return _value(tree) if isinstance(tree, ast.BinOp) else None


def _value(node: ast.expr) -> Fraction | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _DO:
        a, b = _value(node.left), _value(node.right)
        if a is None or b is None or (isinstance(node.op, ast.Div) and not b):
            return None
        return _DO[type(node.op)](a, b)
    return None
