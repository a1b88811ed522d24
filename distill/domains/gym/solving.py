"""Answers to reasoning-gym's questions, worked out a second time from the question's words.

Each function returns the answer with its steps, or None where the words are not those it knows
or allow a second answer. Nothing here imports reasoning-gym.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

from distill.domains.drafts import Draft

Solve = Callable[[str], Draft | None]

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
MOST_PIECES = 80
"""Digits, words and marks of a solution (`max_answer_tokens` is 96); longer ones are terse."""


def _draft(question: str, answer: object, steps: Sequence[str] = ()) -> Draft:
    draft = Draft(question, str(answer), tuple(steps))
    pieces = re.findall(r"\d|[a-zA-Z]+|[^\w\s]", draft.worked)
    return draft if len(pieces) <= MOST_PIECES else Draft(question, str(answer))


def chain_sum(question: str) -> Draft | None:
    found = re.search(r"problem: ([\d. +-]+) =", question)
    tokens = found[1].split() if found else []
    if len(tokens) < 3:
        return None
    total, steps = Decimal(tokens[0]), []
    for sign, term in zip(tokens[1::2], tokens[2::2], strict=True):
        after = total + Decimal(term) if sign == "+" else total - Decimal(term)
        steps.append(f"{_plain(total)} {sign} {_plain(Decimal(term))} = {_plain(after)}")
        total = after
    return _draft(question, _plain(total), steps)


def products(question: str) -> Draft | None:
    found = re.search(r"multiplication: (\d+) \* (\d+)\.", question)
    if found is None:
        return None
    a, b = int(found[1]), int(found[2])
    parts = [int(digit) * 10**place for place, digit in enumerate(reversed(str(b)))]
    parts = [part for part in reversed(parts) if part]
    steps = [f"{a} × {part} = {a * part}" for part in parts]
    if len(parts) > 1:
        steps.append(f"{' + '.join(str(a * part) for part in parts)} = {a * b}")
    return _draft(question, a * b, steps)


def simple_equations(question: str) -> Draft | None:
    found = re.search(r": ([^:=]+) = ([^:=]+)$", question.partition("\n")[0])
    names = set(re.findall(r"[a-z]", found[0])) if found else set()
    if found is None or len(names) != 1:
        return None
    try:
        left, right = (ast.parse(side, mode="eval").body for side in found.groups())
        at = [_value(left, x) - _value(right, x) for x in (0, 1, 2)]
    except (SyntaxError, ValueError):
        return None
    slope, name = at[1] - at[0], names.pop()
    if not slope or at[2] - at[1] != slope or at[0] % slope:
        return None
    answer = -at[0] // slope
    return _draft(question, answer, [f"{slope}·{name} = {-at[0]}", f"{name} = {answer}"])


def _value(node: ast.expr, x: int) -> int:
    """Of sums, differences and products of whole numbers and one unknown; nothing else."""
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name():
            return x
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, x)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _value(left, x) + _value(right, x)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _value(left, x) - _value(right, x)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _value(left, x) * _value(right, x)
    raise ValueError("this is no such expression")


def gcd(question: str) -> Draft | None:
    if (pair := _pair(question, "GCD")) is None:
        return None
    return _draft(question, math.gcd(*pair), _euclid(*pair))


def lcm(question: str) -> Draft | None:
    if (pair := _pair(question, "LCM")) is None:
        return None
    a, b = pair
    shared = math.gcd(a, b)
    last = [f"GCD {shared}", f"{a} / {shared} = {a // shared}"]
    return _draft(
        question, math.lcm(a, b), [*_euclid(a, b), *last, f"{a // shared} × {b} = {math.lcm(a, b)}"]
    )


def _pair(question: str, what: str) -> tuple[int, int] | None:
    found = re.search(rf"\({what}\) of these numbers: (\d+), (\d+)(?!,)", question)
    return (int(found[1]), int(found[2])) if found and int(found[1]) and int(found[2]) else None


def _euclid(a: int, b: int) -> list[str]:
    steps = []
    a, b = max(a, b), min(a, b)
    while b:
        steps.append(f"{a} = {a // b} × {b} + {a % b}")
        a, b = b, a % b
    return steps


def fraction_simplification(question: str) -> Draft | None:
    found = re.search(r"fraction (\d+)/(\d+) to its lowest", question)
    if found is None or not int(found[2]):
        return None
    a, b = int(found[1]), int(found[2])
    low = Fraction(a, b)
    shared = math.gcd(a, b)
    steps = [f"{a} / {shared} = {low.numerator}", f"{b} / {shared} = {low.denominator}"]
    return _draft(question, f"{low.numerator}/{low.denominator}", [f"GCD {shared}", *steps])


def base_conversion(question: str) -> Draft | None:
    found = re.search(r"convert the (\S+) number (\w+) to (\S+)", question)
    if found is None or (bases := _bases(found[1], found[3])) is None:
        return None
    source, target = bases
    value = int(found[2], source)
    digits, rest = "", value
    steps = [f"{found[2]} in base 10 is {value}"] if source != 10 else []
    while rest:
        digits = DIGITS[rest % target] + digits
        steps.append(f"{rest} = {rest // target} × {target} + {rest % target}")
        rest //= target
    return _draft(question, digits or "0", steps)


def _bases(*names: str) -> tuple[int, int] | None:
    known = {"binary": 2, "hexadecimal": 16, **{f"base-{n}": n for n in range(2, 37)}}
    found = [known[name] for name in names if name in known]
    return (found[0], found[1]) if len(found) == 2 else None


def count_bits(question: str) -> Draft | None:
    found = re.search(r"of the number (\d+)\?", question)
    if found is None:
        return None
    bits = f"{int(found[1]):b}"
    return _draft(question, bits.count("1"), [f"{found[1]} is {bits}"])


def count_primes(question: str) -> Draft | None:
    found = re.search(r"between (\d+) and (\d+) \(inclusive\)", question)
    if found is None:
        return None
    numbers = range(int(found[1]), int(found[2]) + 1)
    primes = [n for n in numbers if n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1))]
    return _draft(question, len(primes), [", ".join(map(str, primes)) or "None"])


def letter_counting(question: str) -> Draft | None:
    """None where capitals decide: the question does not say whether they count."""
    found = re.search(r'letter "(\w)" appear in the text: "(.*)"\?', question)
    if found is None or found[2].casefold().count(found[1]) != found[2].count(found[1]):
        return None
    counts = {word: n for word in found[2].split() if (n := word.count(found[1]))}
    return _draft(question, found[2].count(found[1]), [", ".join(counts)])


def spell_backward(question: str) -> Draft | None:
    found = re.search(r"\): ([a-zA-Z]+)$", question.partition("\n")[0])
    return _draft(question, found[1][::-1], [" ".join(found[1])]) if found else None


def word_sequence_reversal(question: str) -> Draft | None:
    found = re.search(r"Reverse this list of words: ([\w, ]+)", question)
    return _draft(question, ", ".join(reversed(found[1].split(", ")))) if found else None


def word_sorting(question: str) -> Draft | None:
    """None where capitals decide: by ASCII "Zoo" stands before "ant", by the dictionary behind."""
    found = re.search(r"in (\w+) order \(using ASCII[^:]*: ([\w, ]+)", question)
    if found is None or found[1] not in ("ascending", "descending"):
        return None
    words, is_down = found[2].split(", "), found[1] == "descending"
    ordered = sorted(words, reverse=is_down)
    if ordered != sorted(words, key=str.casefold, reverse=is_down):
        return None
    return _draft(question, ", ".join(ordered))


def binary_alternation(question: str) -> Draft | None:
    found = re.search(r"string alternating: ([01]+)", question)
    if found is None:
        return None
    bits = found[1]
    ones, zeros = bits.count("1"), bits.count("0")
    wrong = []  # digits that differ from each alternation with as many ones
    for first in "01":
        wanted = "".join(first if at % 2 == 0 else "10"[int(first)] for at in range(len(bits)))
        if wanted.count("1") == ones:
            wrong.append(sum(a != b for a, b in zip(bits, wanted, strict=True)))
    steps = [f"{ones} ones, {zeros} zeros"]
    if not wrong:
        return _draft(question, -1, steps)
    return _draft(question, min(wrong) // 2, [*steps, f"{min(wrong)} digits are out of place"])


def _plain(number: Decimal) -> str:
    return f"{number.normalize() + 0:f}"
