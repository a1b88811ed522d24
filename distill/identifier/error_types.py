"""What kind of wrong a wrong answer is: for people, and for who writes the next items.

A rule for each type, tried in a fixed order; the first that explains the answer names it. The
slips of columns come first: they are the rarest to be met by chance. Coincidences remain, "3"
for 2 + 2 is one off and is 2 + 1, so a count says more than a single case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from distill.grading.base import CAP_CHARACTERS, last_line, marked_answer, without_thinking
from distill.grading.number import last_number
from distill.identifier import slips
from distill.records import Answer, Probe

EXAMPLES = 3  # of each type that are kept
SHOWN_CHARACTERS = 300  # of a question and of an answer in an example
RIGHT = 0.5  # grades from here on are no errors: they matter to graders of shares only


class ErrorType(StrEnum):
    """Stable ids. `SENTENCES` says each in words for people."""

    EMPTY = "empty"
    GRADER_FAILED = "grader_failed"
    NO_ANSWER = "no_answer"
    FORMAT = "format"
    NO_CARRY = "no_carry"
    BORROW_MISSED = "borrow_missed"
    NEEDLESS_CARRY = "needless_carry"
    OFF_BY_ONE = "off_by_one"
    WRONG_OPERATION = "wrong_operation"
    STEP_MISSING = "step_missing"
    REVERSED = "reversed"
    COPIED = "copied"
    MISSING_ELEMENT = "missing_element"
    EXTRA_ELEMENT = "extra_element"
    WRONG_ORDER = "wrong_order"
    WRONG_ELEMENT = "wrong_element"
    FAR_OFF = "far_off"
    OTHER = "other"


SENTENCES: dict[ErrorType, str] = {
    ErrorType.EMPTY: "Says nothing.",
    ErrorType.GRADER_FAILED: "The grader failed on it, so it counts as wrong.",
    ErrorType.NO_ANSWER: "Says something, but gives no final answer.",
    ErrorType.FORMAT: "Has the right answer, but not in the form that was asked for.",
    ErrorType.NO_CARRY: "Leaves out a carry.",
    ErrorType.BORROW_MISSED: "Subtracts the smaller digit from the larger, or forgets the borrow.",
    ErrorType.NEEDLESS_CARRY: "Carries or borrows where there is nothing to.",
    ErrorType.OFF_BY_ONE: "Is one too many or too few.",
    ErrorType.WRONG_OPERATION: "Does another operation on the same numbers, or in another order.",
    ErrorType.STEP_MISSING: "Stops at a step in between.",
    ErrorType.REVERSED: "Has the right digits in another order.",
    ErrorType.COPIED: "Repeats what the question gives.",
    ErrorType.MISSING_ELEMENT: "Leaves something out.",
    ErrorType.EXTRA_ELEMENT: "Has everything, and something more.",
    ErrorType.WRONG_ORDER: "Has the right parts in a wrong order.",
    ErrorType.WRONG_ELEMENT: "Has about half of the parts right, or more, and others instead.",
    ErrorType.FAR_OFF: "Is far from the right answer.",
    ErrorType.OTHER: "Is near, but no known slip explains it.",
}


@dataclass(frozen=True, slots=True)
class ErrorExample:
    question: str
    reference: str
    answer: str


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Wrong answers of one type: how many, and the first few."""

    type: ErrorType
    n: int
    examples: tuple[ErrorExample, ...]

    @property
    def sentence(self) -> str:
        return SENTENCES[self.type]


def count_errors(answered: Iterable[tuple[Probe, Answer]]) -> dict[str, int]:
    """How many wrong answers there are of each type, by its id, as `group_errors` has them."""
    return {str(group.type): group.n for group in group_errors(answered)}


def group_errors(answered: Iterable[tuple[Probe, Answer]]) -> list[ErrorGroup]:
    """The wrong answers by type, most frequent first, ties in the order of `ErrorType`.

    Wrong are grades under 0.5. Examples are the first three of each type, in the order given,
    cut to 300 characters. Counts sum to the number of wrong answers. Pure.
    """
    found: dict[ErrorType, list[ErrorExample]] = {}
    counts: Counter[ErrorType] = Counter()
    for probe, answer in answered:
        if answer.grade >= RIGHT:
            continue
        kind = kind_of(probe, answer)
        counts[kind] += 1
        if counts[kind] <= EXAMPLES:
            shown = (_cut(t) for t in (probe.question, probe.reference, answer.text))
            found.setdefault(kind, []).append(ErrorExample(*shown))
    order = list(ErrorType)
    kinds = sorted(counts, key=lambda kind: (-counts[kind], order.index(kind)))
    return [ErrorGroup(kind, counts[kind], tuple(found[kind])) for kind in kinds]


def kind_of(probe: Probe, answer: Answer) -> ErrorType:
    """The type of a wrong answer to a probe, or of its grader's failure."""
    if answer.error:
        return ErrorType.GRADER_FAILED
    return classify(probe.question, probe.reference, answer.text, probe.grader)


def classify(question: str, reference: str, answer: str, grader: str) -> ErrorType:
    """The type of a wrong answer. Never raises; takes `answer` to be wrong. Pure.

    Looks at the final answer as the graders `number` and `exact` find it. Answers for other
    graders are compared as numbers where both are numbers, and are otherwise `other`.

    Source: the slips of columns are those of Brown and Burton, "Diagnostic models for procedural
    bugs in basic mathematical skills", Cognitive Science 1978. Ours: which types, their order.

    >>> classify("What is 47 + 38?", "85", "7 + 8 = 15. Answer: 75", "number").value
    'no_carry'
    """
    if not answer.strip():
        return ErrorType.EMPTY
    said = without_thinking(answer)
    if said is None or not said.strip():
        return ErrorType.NO_ANSWER
    said, question = said[-CAP_CHARACTERS:], question[-CAP_CHARACTERS:]
    if grader == "exact":
        return _parts_error(question, reference, said)
    expected = last_number(reference)
    if expected is None or (grader != "number" and not _is_number(reference)):
        return ErrorType.OTHER
    return _number_error(question, expected, said)


# --- numbers -----------------------------------------------------------------------------

_NUMERAL = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")


def _number_error(question: str, expected: Fraction, said: str) -> ErrorType:
    marked = marked_answer(said)
    final = said if marked is None else marked
    got = last_number(final)
    if got is None:
        has_it = expected in slips.numbers(said)
        return ErrorType.FORMAT if has_it else ErrorType.NO_ANSWER
    given = slips.numbers(question)
    line = final if marked is not None else _last_line_with_number(said)
    if got != expected and expected in slips.numbers(line) and (marked is not None or got in given):
        return ErrorType.FORMAT  # said, and then something else after it
    sums = slips.expressions(question)
    for kind, values in (
        (ErrorType.NO_CARRY, slips.without_carry(sums)),
        (ErrorType.BORROW_MISSED, slips.without_borrow(sums)),
        (ErrorType.NEEDLESS_CARRY, slips.with_needless_carry(sums)),
        (ErrorType.OFF_BY_ONE, {expected - 1, expected + 1}),
        (ErrorType.COPIED, set(given)),
        (ErrorType.WRONG_OPERATION, slips.other_operations(given)),
        (ErrorType.STEP_MISSING, slips.steps_in_between(given)),
    ):
        if got in values - {expected}:
            return kind
    if slips.has_same_digits(got, expected):
        return ErrorType.REVERSED
    is_far = abs(got - expected) > max(Fraction(10), abs(expected) / 2)
    return ErrorType.FAR_OFF if is_far else ErrorType.OTHER


def _last_line_with_number(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if _NUMERAL.search(line)), "")


def _is_number(text: str) -> bool:
    return bool(_NUMERAL.fullmatch(text.strip().lstrip("-−+$€£")))


# --- words and lists -----------------------------------------------------------------------

_ENDS = " \t.,;:!?*_`'\"“”‘’()[]{}"
_BETWEEN = re.compile(r"\s*[,;]\s*|\s+and\s+|\s+")


def _parts_error(question: str, reference: str, said: str) -> ErrorType:
    marked = marked_answer(said)
    final = last_line(said) if marked is None else marked
    expected, got = _parts(reference), _parts(final)
    if not got:
        return ErrorType.NO_ANSWER
    if got == expected or _holds(said, expected):
        return ErrorType.FORMAT
    if len(expected) == 1:  # one word: its letters are the parts
        if len(got) > 1:
            return ErrorType.COPIED if _holds(question, got[-1:]) else ErrorType.FAR_OFF
        if _holds(question, got):
            return ErrorType.COPIED
        expected, got = list(expected[0]), list(got[0])
    elif _holds(question, got) and len(got) == len(expected):
        return ErrorType.COPIED
    return _compare(Counter(expected), Counter(got))


def _compare(expected: Counter[str], got: Counter[str]) -> ErrorType:
    if got == expected:
        return ErrorType.WRONG_ORDER
    if got < expected:
        return ErrorType.MISSING_ELEMENT
    if got > expected:
        return ErrorType.EXTRA_ELEMENT
    shared = (expected & got).total()
    return ErrorType.WRONG_ELEMENT if 2 * shared >= expected.total() else ErrorType.FAR_OFF


def _parts(text: str) -> list[str]:
    parts = (p.strip(_ENDS) for p in _BETWEEN.split(text.casefold().strip(_ENDS)))
    return [p for p in parts if p]


def _holds(text: str, parts: list[str]) -> bool:
    """Whether the parts stand in `text` one after the other."""
    words = _parts(text.replace("\n", " "))
    n = len(parts)
    return any(words[i : i + n] == parts for i in range(len(words) - n + 1))


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
