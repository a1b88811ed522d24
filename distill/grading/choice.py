"""One letter of several: (B), B, "the answer is B", \\boxed{B}."""

from __future__ import annotations

import re
from collections.abc import Iterator

from distill.grading.base import CAP_CHARACTERS, marked_answer

_REFERENCE = re.compile(r"\W*([A-Za-z])\W*")

# A letter is in brackets, or stands alone: "A rod" and "I think" claim nothing, "A because" does.
_AFTER = (
    "because|since|as|for|given|due|by|and|but|or|so|which|that|where|when|if|while|not|rather|"
    "is|was|in|with"
)
_ALONE = rf"[A-Z](?![\w'’])(?!(?<=[AI])\s+(?!(?:{_AFTER})\b)[A-Za-z])"
_FONT = r"(?:\\(?:text|textbf|mathrm|mathbf|mathsf)\{)?"
_BEFORE = rf"[*_`\"“$]*{_FONT}"
_LETTER = rf"(?:\(\s*(?P<{{0}}>[A-Za-z])\s*\)|\[(?P<{{1}}>[A-Z])\]|(?P<{{2}}>{_ALONE}))"
_FIRST = _BEFORE + _LETTER.format("a", "b", "c")
_SECOND = _BEFORE + _LETTER.format("d", "e", "f")
_KIND = r"(?:(?:option|choice|letter)\s{1,3})?"
_OR = r"[^\w(\[]{0,4}(?:(?:or|and|either)\s{1,3}|[/,&]\s{0,3})"

_CLAIM = re.compile(
    r"(?:\b(?i:answer|option|choice)\b[*_]*\s{0,3}(?:(?i:is|would\ be|should\ be|must\ be)\b|:|=)"
    r"[*_:]*\s{0,3}(?:(?i:either|probably|clearly|therefore|most\ likely)\s{1,3})?"
    rf"(?i:{_KIND})|\\boxed\{{){_FIRST}(?:{_OR}(?i:{_KIND}){_SECOND})?"
)
_IS_RIGHT = re.compile(
    rf"{_FIRST}[^\w(\[]{{0,4}}\s(?i:is)\s(?i:the\s)?(?i:correct|right|answer|best)\b"
)
_WHOLE_LINE = re.compile(rf"\s*(?i:{_KIND}){_FIRST}\W*")
_OPENING = re.compile(rf"\s*{_FIRST}(?:[).:,]|\s*\n)")
_MARKED = re.compile(rf"(?i:{_KIND}){_FIRST}(?:{_OR}(?i:{_KIND}){_SECOND})?")
_ONE_LETTER = re.compile(rf"\W*{_FONT}([A-Za-z])\W*")
_LISTED = re.compile(r"(?<![\w(])([a-z])\)(?=[*_]*(?:\s|$))")  # a list's: "b) 12"
_IN_BRACKETS = re.compile(r"\(([A-Z])\)")


class Choice:
    """1 when a reply claims the reference's letter, A to Z, and no other; else 0.

    What counts, the first that is there: the letter behind the last "Answer:"; "the answer is
    (B)", "(B) is correct", \\boxed{B}; a last or first line that is a letter, or begins with one;
    the only letter in brackets. Two different letters claimed in one way are no answer.
    """

    id = "choice"
    version = 3

    def grade(self, reference: str, text: str) -> float:
        expected = _REFERENCE.fullmatch(reference[:20])
        if expected is None:
            raise ValueError(f"the reference “{reference[:20]}” is not one letter from A to Z")
        claimed = claimed_letters(text)
        return float(claimed == {expected[1].upper()})


def claimed_letters(text: str) -> set[str]:
    """The letters that a reply gives as its answer; none, one, or several that contradict.

    >>> claimed_letters("(A) is too slow, so the answer is (B).")
    {'B'}
    """
    end = text[-CAP_CHARACTERS:]
    found: Iterator[str]
    for found in (_marked(end), _claims(end), _lines(end), iter(_IN_BRACKETS.findall(end))):
        if letters := {letter.upper() for letter in found}:
            return letters
    return set()


def _marked(text: str) -> Iterator[str]:
    """Of the line after the last "Answer:"; what a reply thinks before it is not asked."""
    line = marked_answer(text) or ""
    if alone := _ONE_LETTER.fullmatch(line):
        yield alone[1]
    elif match := _MARKED.match(line):
        yield from (letter for letter in match.groups() if letter)
    elif _LISTED.match(line.lstrip('*_`"“ ')):
        yield from _LISTED.findall(line)


def _claims(text: str) -> Iterator[str]:
    for pattern in (_CLAIM, _IS_RIGHT):
        for match in pattern.finditer(text):
            yield from (letter for letter in match.groups() if letter)


def _lines(text: str) -> Iterator[str]:
    lines = text.strip().splitlines() or [""]
    for line in dict.fromkeys((lines[-1], lines[0])):
        if match := _WHOLE_LINE.fullmatch(line) or _OPENING.match(line + "\n"):
            yield from (letter for letter in match.groups() if letter)
