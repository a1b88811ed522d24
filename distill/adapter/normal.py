"""A text as it is compared: its words, whatever their case, spacing and punctuation."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"[^\W_]+")
_INSIDE_A_WORD = re.compile(r"(?<=[^\W\d_])['’ʼ](?=[^\W\d_])")
_ONE_IN_BRACKETS = re.compile(r"\(\s*(\w+)\s*\)")
_DROPPED = {"Mn", "Me", "Cf"}  # accents, and characters that nobody sees
_SIGNS = str.maketrans(
    {**dict.fromkeys("−–—‐‑‒―", "-"), **dict.fromkeys("×·∙⋅•", "*"), **dict.fromkeys("÷∕⁄", "/")}
    | {"[": "(", "]": ")", "{": " ", "}": " "}
)
_OPERATORS = "+-*/^"
_OF_SENTENCES = ".,;:?!'\"“”‘’=_$\\"  # and of LaTeX
_NUMBER_WORDS = frozenset(
    re.findall(
        r"\w+",
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy "
        "eighty ninety hundred thousand million half twice double triple dozen",
    )
)
_COMMAND = re.compile(r"\\(?:[a-z]+|[][()])")
_ONE_LIST = re.compile(r"\.|[\s,;()+*/^×÷−-]*")
_TOKEN = re.compile(r"[^\W_]+|[-+*/^()]")


def plain(text: str) -> str:
    """Case, width, ligatures, accents and invisible characters taken out; signs made ASCII.

    >>> plain("Ｃafé\u200b × 2")
    'cafe * 2'
    """
    if not text.isascii():
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        text = "".join(c for c in folded if unicodedata.category(c) not in _DROPPED)
        text = text.translate(_SIGNS)
    return _INSIDE_A_WORD.sub("", text.lower())


def words(text: str) -> list[str]:
    """Runs of letters and digits of the plain text; apostrophes inside a word do not part it.

    >>> words("Don't pay $1,000!")
    ['dont', 'pay', '1', '000']
    """
    return _WORD.findall(plain(text))


@dataclass(frozen=True)
class Squeezed:
    """A text's words written without anything between them, and where each of them stood.

    No change of spacing or punctuation changes `letters`.
    """

    source: str  # plain

    @classmethod
    def of(cls, text: str) -> Squeezed:
        return cls(plain(text))

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        return [m.span() for m in _WORD.finditer(self.source)]

    @cached_property
    def words(self) -> list[str]:
        return [self.source[a:b] for a, b in self.spans]

    @cached_property
    def letters(self) -> str:
        return "".join(self.words)

    @cached_property
    def starts(self) -> dict[int, int]:
        """Where in `letters` each word begins, and which word it is; at the end: their number."""
        found, at = {}, 0
        for number, word in enumerate(self.words):
            found[at] = number
            at += len(word)
        found[at] = len(self.words)
        return found

    def parted(self, start: int, end: int) -> frozenset[int]:
        """Where, between `start` and `end` of `letters`, two digits belong to two numbers."""
        letters = self.letters
        return frozenset(
            at - start
            for at in self.starts
            if start < at < end and letters[at - 1].isdigit() and letters[at].isdigit()
        )

    def parted_by(self, start: int, end: int) -> tuple[frozenset[int], frozenset[int]]:
        """Those of `parted` with a space between, and those with anything else between."""
        by_space, by_punctuation = set(), set()
        for at in self.parted(start, end):
            word = self.starts[start + at]
            between = self.source[self.spans[word - 1][1] : self.spans[word][0]]
            if any(c.isspace() for c in between):
                by_space.add(at)
            if between.strip():
                by_punctuation.add(at)
        return frozenset(by_space), frozenset(by_punctuation)

    def digit_pairs(self, start: int, end: int) -> frozenset[int]:
        """Where, between `start` and `end` of `letters`, a digit follows a digit."""
        part = self.letters[start:end]
        return frozenset(
            at for at in range(1, len(part)) if part[at - 1].isdigit() and part[at].isdigit()
        )

    def goes_on(self, start: int, end: int) -> bool:
        """Whether the calculation or list of numbers of this part goes on behind or before it."""
        first, last = self.starts[start], self.starts[end] - 1
        return self._is_one_list(last, last + 1) or self._is_one_list(first - 1, first)

    def _is_one_list(self, word: int, following: int) -> bool:
        if word < 0 or following >= len(self.words):
            return False
        between = self.source[self.spans[word][1] : self.spans[following][0]]
        are_numbers = self.words[word][-1].isdigit() and self.words[following][0].isdigit()
        return are_numbers and _ONE_LIST.fullmatch(between) is not None

    @cached_property
    def signs(self) -> tuple[str, ...] | None:
        """`operators` of all of it; None also where its brackets do not match."""
        found = operators(self.source)
        if found is None or found.count("(") != found.count(")"):
            return None
        return found

    def operators(self, start: int, end: int) -> tuple[str, ...] | None:
        """See `operators`, of the words between two of `starts`."""
        first, last = self.starts[start], self.starts[end] - 1
        return operators(self.source[self.spans[first][0] : self.spans[last][1]])


def operators(source: str) -> tuple[str, ...] | None:
    """The signs of arithmetic in a plain text, in order: operators, and brackets around more than
    one thing. None where there is punctuation of which it cannot be said whether it is a sign.

    >>> operators("what is 4 * (9 - 6)?"), operators("a well-known fact."), operators("#2-3|")
    (('*', '(', '-', ')'), (), None)
    """
    text = _COMMAND.sub(" x ", source).translate(_SIGNS)  # \frac stands where a number could
    text = _ONE_IN_BRACKETS.sub(r" \1 ", text)
    found = []
    for at, sign in enumerate(text):
        if sign.isalnum() or sign.isspace() or sign in _OF_SENTENCES:
            continue
        if sign in "()":
            found.append(sign)
        elif sign not in _OPERATORS:
            return None
        elif _is_between(text, at):
            found.append(sign)
        elif not _is_hyphen(text, at):
            return None
    return tuple(found)


def signature(text: str) -> tuple[str, ...]:
    """What makes it another exercise: its numbers, written or in words, operators and brackets.

    >>> signature("What is 52 - 37?"), signature("Three well-known facts")
    (('52', '-', '37'), ('three',))
    """
    source = _ONE_IN_BRACKETS.sub(r" \1 ", plain(text).translate(_SIGNS))
    return tuple(
        m[0]
        for m in _TOKEN.finditer(source)
        if m[0].isdigit()
        or m[0] in _NUMBER_WORDS
        or m[0] in "()"
        or any(c.isdigit() for c in m[0])
        or (m[0] in _OPERATORS and _is_between(source, m.start()))
    )


def _is_between(text: str, at: int) -> bool:
    """Whether what stands on both sides can be calculated with: a number, a letter, a bracket."""
    left, right = text[:at].rstrip()[-2:], text[at + 1 :].lstrip()[:2]
    return bool(left and right) and (
        (left[-1].isdigit() or left[-1] == ")" or _is_letter(left[::-1]))
        and (right[0].isdigit() or right[0] == "(" or _is_letter(right))
    )


def _is_letter(pair: str) -> bool:
    return pair[0].isalpha() and not pair[1:].isalpha()


def _is_hyphen(text: str, at: int) -> bool:
    around = text[at - 1 : at] + text[at + 1 : at + 2]
    return text[at] in "-/" and len(around) == 2 and around.isalnum()
