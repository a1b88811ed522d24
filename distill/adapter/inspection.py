"""What becomes of a language model's items: the checks of a round, and of their answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from distill.adapter.checks import (
    AgreedAnswer,
    Belongs,
    Check,
    Fits,
    NotDuplicate,
    NotLeak,
    standard_checks,
)
from distill.adapter.verifying import StepsHold, worked_out
from distill.domains.base import Domain
from distill.grading.number import is_one_number, last_number
from distill.records import CheckResult, Item


class Checks:
    """The checks of a round's items, in the order in which they are shown, but for the last: what
    a model says of its own answer is looked at when everything else is well, see `answer_result`.

    earlier: questions of the run's earlier items, of which none may be asked again or nearly so,
        but by `ask_again`.
    """

    def __init__(
        self,
        domain: Domain,
        earlier: Collection[str] = (),
        *,
        leak: NotLeak | None = None,
        fits: Fits | None = None,
    ) -> None:
        self._domain = domain
        self._belongs = Belongs(domain)
        self._duplicate = NotDuplicate(earlier=earlier)
        self._leak = leak or NotLeak()
        self._fits = fits

    def ask_again(self, key: str) -> None:
        """A question of earlier items is put once more: its skill has no others left."""
        self._duplicate.allow(key)

    def __call__(self, skill: str) -> tuple[Check, ...]:
        standard = standard_checks(
            self._domain.grader(skill),
            duplicate=self._duplicate,
            leak=self._leak,
            fits=self._fits,
            belongs=self._belongs,
        )
        return (*(each for each in standard if each.id != "answer"), StepsHold())


def answer_result(
    item: Item, said: Sequence[str], grader: str, *, fewest: int = 1
) -> CheckResult | None:
    """Whether the item's answer is right: worked out, or given by most of those asked.

    fewest: of `said` below which nothing is agreed on; 2 where the item's own answer is among them.

    None where neither is to be had: nobody was asked, as of an item that fails other checks.
    What is worked out and graded by `number` has to be one number with a unit at most, as it is
    said behind “Answer:”: of “8, no: 7” the grader sees the 7, and the student would learn the 8.
    """
    value = worked_out(item.question)
    if value is not None:
        detail = ""
        if last_number(item.answer) != value:
            detail = f"The answer is {value}, not {item.answer}."
        elif grader == "number" and not is_one_number(item.answer):
            detail = f"The answer is {value} alone, with a unit at most, not “{item.answer}”."
        return CheckResult(AgreedAnswer.id, AgreedAnswer.version, not detail, detail)
    if not said:
        return None
    most = AgreedAnswer(said, grader, fewest=fewest)
    detail = most.problem(item)
    return CheckResult(most.id, most.version, not detail, detail)
