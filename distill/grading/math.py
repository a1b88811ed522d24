"""The same mathematics, however it is written: \\frac{1}{2}, 0.5, 1/2."""

from __future__ import annotations

import re
from fractions import Fraction

from distill.grading.base import CAP_CHARACTERS, last_line, marked_answer
from distill.grading.mathworker import MathWorker

LONGEST_ANSWER = 200  # characters; what is longer is no final answer

_TOO_DEEP = re.compile(r"[({\[]{20}")  # the parser takes a second for each hundred
_BOXED = re.compile(r"\\f?box(?:ed)?\s?\{")
_PERCENT = re.compile(r"(\d[\d.,]*)\s?(?:\\?%|\\text\{\s?percent\}|percent\b)")
_NOISE = re.compile(r"\\(?:left|right|,|;|!|:|\s|quad|qquad)(?![a-zA-Z])|\$|\\\$")
_GAP = re.compile(r"(?<!\d)\s+|\s+(?!\d)")  # between digits a space parts two numbers
_CASE = re.compile(r"\\[A-Za-z]+|[^\\]+")  # a command's is part of its name: \Pi, \pi
_WORDS = re.compile(r"\\(?:text|mbox|mathrm|textbf|mathbf)\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dt]?frac\{(-?\d+)\}\{(\d+)\}|\\[dt]?frac(\d)(\d)")
_THOUSANDS = re.compile(r"(?<![\d.])(\d{1,3}(?:,\d{3})+)(?![\d,])")
_SPACED = re.compile(r"(?<![\d.,/])\d{1,3}(?: \d{3})+(?![\d/])")  # thousands, as in 12 345
_MIXED = re.compile(r"(-?)(\d+) (\d+)/(\d+)")
_PLAIN = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:/\d+)?")


class Math:
    """1 when the final answer is mathematically the reference, else 0.

    The final answer is what the last \\boxed{} holds, or else the line after the last "Answer:",
    or else the last line. Plain numbers are compared exactly; everything else goes to
    math-verify, in a process of its own that is ended when it takes too long. "12%" is 12/100,
    and not 12; "1 1/2" is 3/2.
    """

    id = "math"
    version = 2

    def __init__(self) -> None:
        self._worker = MathWorker()

    def grade(self, reference: str, text: str) -> float:
        if not reference.strip() or len(reference) > LONGEST_ANSWER:
            raise ValueError("the reference is empty, or too long for a final answer")
        said = final_answer(text)
        if not said.strip(" .*") or len(said) > LONGEST_ANSWER or _TOO_DEEP.search(said):
            return 0.0
        expected, found = _percent_written_out(reference), _percent_written_out(said)
        bare = _bare(expected), _bare(found)
        if bare[0].casefold() == bare[1].casefold():
            return float(bare[0] == bare[1])  # \Pi is not \pi, though math-verify says so
        numbers = _plain_number(expected), _plain_number(found)
        if None not in numbers:
            return float(numbers[0] == numbers[1])
        return float(self._worker.same(expected, found))


def final_answer(text: str) -> str:
    """The part of a reply that is graded.

    >>> final_answer("So x is \\\\boxed{\\\\frac{1}{2}}, I think.")
    '\\\\frac{1}{2}'
    """
    end = text[-CAP_CHARACTERS:]
    for match in reversed(list(_BOXED.finditer(end))):
        if (content := _until_closed(end, match.end())) is not None:
            return content
    marked = marked_answer(end)
    return (last_line(end)[-LONGEST_ANSWER:] if marked is None else marked).strip(" *")


def _until_closed(text: str, start: int) -> str | None:
    depth = 1
    for at in range(start, min(len(text), start + LONGEST_ANSWER + 1)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[start:at]
    return None


def _percent_written_out(text: str) -> str:
    return _PERCENT.sub(lambda m: f"\\frac{{{m[1].rstrip('.,')}}}{{100}}", text)


def _bare(text: str) -> str:
    """Without what does not change the meaning: spaces, $, \\text{}, \\left, a full stop, case."""
    bare = _GAP.sub("", _NOISE.sub("", _WORDS.sub(r"\1", text)).strip()).rstrip(".")
    bare = _CASE.sub(lambda m: m[0] if m[0].startswith("\\") else m[0].casefold(), bare)
    return bare.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("−", "-")


def _plain_number(text: str) -> Fraction | None:
    bare = _THOUSANDS.sub(lambda m: m[1].replace(",", ""), _bare(text))
    if fraction := _FRACTION.fullmatch(bare):  # the whole of it: 1\frac{1}{2} is not 11/2
        bare = f"{fraction[1] or fraction[3]}/{fraction[2] or fraction[4]}"
    bare = _SPACED.sub(lambda m: m[0].replace(" ", ""), bare)
    if (mixed := _MIXED.fullmatch(bare)) and int(mixed[4]):
        value = int(mixed[2]) + Fraction(int(mixed[3]), int(mixed[4]))
        return -value if mixed[1] else value
    if not _PLAIN.fullmatch(bare):
        return None
    above, _, below = bare.partition("/")
    if below and not int(below):
        return None
    return Fraction(above.rstrip(".")) / int(below or 1)
