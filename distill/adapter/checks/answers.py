"""Is the answer right? Recomputed, executed, or agreed on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from distill.grading import GRADERS, Graders, grade
from distill.records import Item, Probe, Split


class AnswerVerified:
    """The solution, graded as the student will be, gives the reference answer.

    For generated items the reference was recomputed by the generator; the grader is the skill's.
    Where that is `code`, the solution's program is run against the tests in the sandbox, if
    `graders` has it switched on; while it is off, such an item does not pass.
    """

    id, version = "answer", 2

    def __init__(self, grader: str, *, graders: Graders = GRADERS) -> None:
        self._grader = grader
        self._graders = graders

    def problem(self, item: Item) -> str:
        worth, error = self.worth(item, item.solution)
        if worth == 1.0:
            return ""
        if error:
            return error
        if self._grader == "code":
            return "The solution's program does not pass its tests."
        return f"The solution does not end in the answer {item.answer}."

    def worth(self, item: Item, solution: str) -> tuple[float, str]:
        """What the grader gives a solution of this item: see `grading.grade`."""
        probe = Probe(
            item.key, item.skill, Split.DIAGNOSE, item.question, item.answer, self._grader
        )
        return grade(probe, solution, graders=self._graders)


class AgreedAnswer:
    """The solution gives the reference answer, and so do enough of `samples`.

    For items whose answer nobody can recompute. `samples` are solutions to the item's question,
    drawn independently of the item's own solution and of one another, from a teacher that saw
    nothing but the question. Pure: it asks nobody.

    majority: share of the samples that has to agree, above 0.5 and up to 1, rounded up.
    fewest: with fewer samples nothing is agreed on.

    Source: self-consistency, Wang et al. 2023, section 2; ours is a threshold, not a vote: the
    item's answer is not replaced by the most frequent one.
    """

    id, version = "answer", 3

    def __init__(
        self,
        samples: Sequence[str],
        grader: str,
        *,
        majority: float = 0.6,
        fewest: int = 3,
        graders: Graders = GRADERS,
    ) -> None:
        if not 0.5 < majority <= 1.0:
            raise ValueError(f"A majority is above 0.5 and at most 1, not {majority}.")
        self._samples = tuple(samples)
        self._majority = majority
        self._fewest = fewest
        self._own = AnswerVerified(grader, graders=graders)

    def problem(self, item: Item) -> str:
        if wrong := self._own.problem(item):
            return wrong
        k = len(self._samples)
        if k < self._fewest:
            return f"The answer was compared with {_samples(k)}; it takes {self._fewest}."
        needed = math.ceil(self._majority * k - 1e-9)  # 0.6 · 5 is a little over 3
        agreeing = sum(self._own.worth(item, text)[0] == 1.0 for text in self._samples)
        if agreeing >= needed:
            return ""
        return f"{agreeing} of {_samples(k)} agree with the answer; it takes {needed}."


def _samples(k: int) -> str:
    return "1 independent sample" if k == 1 else f"{k} independent samples"
