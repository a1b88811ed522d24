"""The checks of an item that a person wrote, brought in or changed: who knows its answer?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from distill.adapter.checks import AgreedAnswer, AnswerVerified, Check
from distill.adapter.inspection import answer_result
from distill.adapter.verifying import StepsHold, worked_out
from distill.grading.number import is_one_number
from distill.records import Item


class OwnAnswer(AnswerVerified):
    """The solution ends in the item's own answer. Whether that is right nobody has said: both are
    a person's words, and no program can work the question out.
    """

    id, version = "ending", 1


class WorkedOut(AnswerVerified):
    """The solution ends in the answer, and that is the value of the sum that the question is."""

    id, version = AgreedAnswer.id, AgreedAnswer.version

    def __init__(self, grader: str) -> None:
        super().__init__(grader)
        self._name = grader

    def problem(self, item: Item) -> str:
        result = answer_result(item, (), self._name)
        return (result.detail if result else "") or super().problem(item)


def of_person(
    standard: Sequence[Check], item: Item, grader: str, *, is_vouched: bool = False
) -> Iterator[Check]:
    """The standard checks, for this one item: its steps are looked at as a model's are, and its
    answer is worked out where a program can.

    is_vouched: whether somebody else has said of the same question that this is its answer. The
    tests of a program always do. Pure.
    """
    for each in standard:
        if each.id != AnswerVerified.id:
            yield each
            continue
        yield StepsHold()
        if _can_be_worked_out(item):
            yield WorkedOut(grader)
        else:
            yield each if is_vouched or grader == "code" else OwnAnswer(grader)


def _can_be_worked_out(item: Item) -> bool:
    """Not 17 ÷ 5 where the answer is “3 remainder 2”."""
    value = worked_out(item.question)
    return value is not None and (value.denominator == 1 or is_one_number(item.answer))
