"""What an item has to pass before a person sees it. Each check leaves its result on the item.

docs/checks.md says of each what it asks and what it cannot catch.
"""

from __future__ import annotations

from collections.abc import Sequence

from distill.adapter.checks.answers import AgreedAnswer, AnswerVerified
from distill.adapter.checks.base import Check, check
from distill.adapter.checks.belonging import Belongs
from distill.adapter.checks.form import (
    ANSWER,
    FORMS,
    FREE,
    WORKED_LINES,
    Fits,
    Form,
    Template,
)
from distill.adapter.checks.novelty import NotDuplicate, NotLeak
from distill.adapter.checks.words import MAX_CHARACTERS, Parses, Safety
from distill.grading import GRADERS, Graders

__all__ = [
    "ANSWER",
    "FORMS",
    "FREE",
    "MAX_CHARACTERS",
    "WORKED_LINES",
    "AgreedAnswer",
    "AnswerVerified",
    "Belongs",
    "Check",
    "Fits",
    "Form",
    "NotDuplicate",
    "NotLeak",
    "Parses",
    "Safety",
    "Template",
    "check",
    "standard_checks",
]


def standard_checks(
    grader: str,
    *,
    duplicate: NotDuplicate,
    leak: NotLeak,
    fits: Fits | None = None,
    form: Form | None = None,
    belongs: Belongs | None = None,
    safety: Safety | None = None,
    graders: Graders = GRADERS,
    samples: Sequence[str] | None = None,
    majority: float = 0.6,
) -> tuple[Check, ...]:
    """All checks for the items of one skill, in the order in which they are shown.

    `duplicate` and `leak` are shared by the skills of a round: the first remembers, the second is
    costly to build. grader: the skill's. form: `FORMS[grader]` if left out. samples: independent
    solutions to this one item's question, where its answer is to be agreed on; None where a
    generator or tests vouch for it.
    """
    answer: Check = AnswerVerified(grader, graders=graders)
    if samples is not None:
        answer = AgreedAnswer(samples, grader, majority=majority, graders=graders)
    asked = FORMS.get(grader, FREE) if form is None else form
    return (
        Parses(),
        safety or Safety(),
        fits or Fits(),
        Template(asked),
        belongs or Belongs(),
        answer,
        duplicate,
        leak,
    )
