"""Written sums: the one that a question is, and its value, exactly."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

MOST_CHARACTERS = 120  # of a sum: its tree is walked by recursion
_MOST_WORDS = 40  # characters that may stand around it

_DO: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_PLAIN = re.compile(
    r"\s*(?:what is|what's|calculate|compute|work out|find|solve|how much is)?\s*:?\s*"
    r"(?P<sum>[\d\s+\-−–*×x·÷/()]+?)\s*(?:=\s*)?[?.]?\s*",
    re.IGNORECASE,
)
_SIGNS = str.maketrans({"−": "-", "–": "-", "×": "*", "x": "*", "·": "*", "÷": "/"})


def value_of(text: str) -> Fraction | None:
    """The value of sums, differences, products and quotients of whole numbers, with brackets.

    None for anything else: a sign without a number before it, a division by nought, a bare
    number, more than 120 characters. Pure, never raises.

    >>> value_of("(3 + 4) × 5")
    Fraction(35, 1)
    """
    tree = _tree(text)
    return None if tree is None else _value(tree)


def plain_sum(question: str) -> str | None:
    """The sum that a question is and nothing else, in one spelling; None of any other question.

    >>> plain_sum("Work out (3×4) + 5.")
    '3 * 4 + 5'
    >>> plain_sum("Ann has 3 apples and gets 4. How many?")
    """
    # one blank at a time, and not many: whoever writes a page of them would have it tried for days
    question = " ".join(question.split())
    if len(question) > MOST_CHARACTERS + _MOST_WORDS:
        return None
    found = _PLAIN.fullmatch(question)
    tree = _tree(found["sum"]) if found else None
    return None if tree is None or _value(tree) is None else ast.unparse(tree)


def _tree(text: str) -> ast.BinOp | None:
    if len(text) > MOST_CHARACTERS:
        return None
    try:
        tree = ast.parse(text.translate(_SIGNS).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return tree if isinstance(tree, ast.BinOp) else None


def _value(node: ast.expr) -> Fraction | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _DO:
        a, b = _value(node.left), _value(node.right)
        if a is None or b is None or (isinstance(node.op, ast.Div) and not b):
            return None
        return _DO[type(node.op)](a, b)
    return None
