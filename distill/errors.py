"""Errors this package raises on purpose. Their text is written for the person who reads it.

* DistillError
  + DomainError            what is to be taught is described wrongly
    - CyclicPrerequisites  skills require each other; `.cycle` names them
    - UnknownGrader        a probe names a grader that does not exist
  + SwitchedOff            running programs that models wrote was not asked for
  + BackendError           a model cannot answer
    - BackendUnavailable   it cannot be reached or loaded
    - PromptRefused        it answered, and the answer is "no"
    - ReplyUnusable        it answered as often as it was asked, and never in the form asked for
    - ModelFolderBroken    a folder that should hold a model does not
  + FetchFailed            a model could not be fetched; nothing was written
  + TrainingError          a training could not be finished
    - NothingToTrain       the approved set is empty
  + BudgetSpent            the run's budget of items does not allow another round
  + OutOfSpace             the disk is full; what was being written is gone, the rest stands
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class DistillError(Exception):
    """Base of all of them."""


class DomainError(DistillError):
    pass


class CyclicPrerequisites(DomainError):
    """Skills require each other. `cycle` starts and ends with the same skill."""

    def __init__(self, cycle: Sequence[str]) -> None:
        self.cycle = list(cycle)
        super().__init__(
            "These skills require each other, so that none can come first: "
            f"{' → '.join(self.cycle)}. Remove one of these prerequisites."
        )


class UnknownGrader(DomainError):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no grader “{name}”. Known graders: {', '.join(sorted(known))}.")
        self.name = name


class SwitchedOff(DistillError):
    def __init__(self) -> None:
        super().__init__(
            "Running programs that a model wrote is switched off, so this answer was not tried. "
            "Switch it on (--run-code) where that is safe."
        )


class BackendError(DistillError):
    """`replies`: of the prompts of a batch, those that came all the same; None where none did."""

    replies: Sequence[Any] = ()


class BackendUnavailable(BackendError):
    pass


class PromptRefused(BackendError):
    pass


class ReplyUnusable(BackendError):
    pass


class ModelFolderBroken(BackendError):
    pass


class FetchFailed(DistillError):
    pass


class TrainingError(DistillError):
    pass


class NothingToTrain(TrainingError):
    def __init__(self, why: str = "Approve some items first.") -> None:
        super().__init__(f"There is no approved item to train on. {why}")


class BudgetSpent(DistillError):
    pass


class OutOfSpace(DistillError):
    def __init__(self, where: str) -> None:
        super().__init__(
            f"The disk is full: {where} could not be written. Free some space and retry; "
            "everything finished before this is kept."
        )
