"""Errors this app raises on purpose. Their text is shown to people as it stands.

* CurriculumError        400
  + MoveRefused          409  no such move in curriculum.states
  + Overtaken            409  somebody, or another worker, was faster
  + RunOver              409  the run is finished or stopped: nothing in it changes any more
  + WrongMoment          409  the run or the stage is not where this can be done
  + StageNotReady        409  a stage whose prerequisites are not settled
  + GateRefused          409  the evidence does not allow the advance
  + SecondPersonNeeded   409  under the two-person rule somebody else has to do this
  + CapReached           409  no further round of this stage
  + BudgetSpent          409  the run's items are used up
  + JobOutdated          409  the run has moved on since this job failed
  + StillAtWork          409  a job of the run has to end first
  + NothingToAsk         409  every gap is known as well as was asked for
  + LeakNeverApproved    409  the item repeats a probe
  + NotYours             409  another person, or several, are to say what becomes of the item
  + SampleRefused        409  a sample that shows too little, or that cannot be drawn
  + SomebodyElses        409  only who did it takes it back
  + CycleRefused         422  an edge that would close a circle
  + OrderBroken          422  a stage before one that it builds on
  + UnreviewedItems      422  a training with items nobody has looked at
  + NothingApproved      422  a training without a single item
  + NothingToTeach       422  a plan without stages
  + ReasonRequired       422  a decision that has to say why
  + EmptyWords           422  a question, solution or title without words
  + WordsTooLong         422  a question or solution that would grow without measure
  + NothingChanged       422  an edit that says the same as before
  + BadShare             422  work that cannot be shared out like this
  + BadPlan              422  a split, merge or order that is not one
  + BadDomain            422  what is to be taught is described wrongly
  + BadModel             422  a teacher or student that cannot be used
  + BadPrompt            422  words that a teacher cannot be asked with
  + BadSettings          422  a setting out of its range
  + BadToken             422  an API token that cannot be made like this
  + NotDelivered         502  somebody else's server did not take what was sent
  + ChainBroken          500  the audit log is not as it was written
"""

from __future__ import annotations

from collections.abc import Sequence


class CurriculumError(Exception):
    """Base of all of them: `except CurriculumError` in a view catches nothing else."""

    http_status = 400


class MoveRefused(CurriculumError):
    http_status = 409

    def __init__(self, noun: str, was: str, to: str) -> None:
        super().__init__(f"A {noun} that is “{was}” cannot become “{to}”.")
        self.noun, self.was, self.to = noun, was, to


class Overtaken(CurriculumError):
    http_status = 409

    def __init__(self, what: str = "This", how: str = "") -> None:
        changed = f"{what} has just been changed{f': {how}' if how else ''}"
        super().__init__(f"{changed}. Look again before you decide.")


class RunOver(CurriculumError):
    http_status = 409

    def __init__(self, status: str) -> None:
        super().__init__(f"This run is {status}: nothing in it can be changed any more.")


class WrongMoment(CurriculumError):
    http_status = 409

    def __init__(self, what: str, when: str, now: str) -> None:
        super().__init__(f"{what} only while the {when}; now it is “{now}”.")


class StageNotReady(CurriculumError):
    http_status = 409


class GateRefused(CurriculumError):
    http_status = 409

    def __init__(self, not_mastered: Sequence[str], forgotten: Sequence[str]) -> None:
        missing = []
        if not_mastered:
            missing.append(f"not mastered: {', '.join(not_mastered)}")
        if forgotten:
            missing.append(f"forgotten: {', '.join(forgotten)}")
        super().__init__(
            "The evidence does not allow this stage to advance "
            f"({'; '.join(missing) or 'no skill was measured'}). "
            "Remedy it, or waive it with a reason."
        )
        self.not_mastered, self.forgotten = list(not_mastered), list(forgotten)


class SecondPersonNeeded(CurriculumError):
    http_status = 409


class CapReached(CurriculumError):
    http_status = 409

    def __init__(self, cap: int) -> None:
        super().__init__(
            f"This stage has had its {cap} rounds. Waive it with a reason, roll it back, "
            "or stop the run."
        )
        self.cap = cap


class BudgetSpent(CurriculumError):
    http_status = 409

    def __init__(self, spent: int, budget: int) -> None:
        super().__init__(
            f"The budget is spent: {spent:,} of {budget:,} items have been trained on. "
            "Waive the stage with a reason, or conclude the run."
        )
        self.spent, self.budget = spent, budget


class JobOutdated(CurriculumError):
    http_status = 409

    def __init__(self, job: str) -> None:
        super().__init__(f"The run has moved on since: “{job}” has nothing left to do.")


class StillAtWork(CurriculumError):
    http_status = 409

    def __init__(self, job: str) -> None:
        super().__init__(f"A worker is at it: “{job}”. Wait until it has ended, or cancel it.")


class NothingToAsk(CurriculumError):
    http_status = 409

    def __init__(self, width: float) -> None:
        super().__init__(
            f"There is nothing more to ask: the interval is at most {width:.2f} wide already, or "
            "every probe that may be used for it has been asked."
        )


class LeakNeverApproved(CurriculumError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            "This item repeats a question that is used for measuring, so it can never be "
            "trained on. Change its question, or reject it."
        )


class NotYours(CurriculumError):
    http_status = 409


class SampleRefused(CurriculumError):
    http_status = 409


class BadShare(CurriculumError):
    http_status = 422


class SomebodyElses(CurriculumError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            "Somebody else did this: they can undo it, or you can change each item yourself."
        )


class CycleRefused(CurriculumError):
    http_status = 422

    def __init__(self, cycle: Sequence[str]) -> None:
        super().__init__(
            "These skills would require each other, so that none could come first: "
            f"{' → '.join(cycle)}. Refuse one of these prerequisites first."
        )
        self.cycle = list(cycle)


class OrderBroken(CurriculumError):
    http_status = 422

    def __init__(self, source: str, target: str) -> None:
        super().__init__(
            f"{target} builds on {source}, so {source} has to be taught in an earlier stage."
        )
        self.source, self.target = source, target


class UnreviewedItems(CurriculumError):
    http_status = 422

    def __init__(self, n: int) -> None:
        items = "1 item has" if n == 1 else f"{n:,} items have"
        super().__init__(f"{items} no verdict yet. Approve or reject every item, then train.")
        self.n = n


class NothingApproved(CurriculumError):
    http_status = 422

    def __init__(self) -> None:
        super().__init__("No item of this round is approved, so there is nothing to train on.")


class NothingToTeach(CurriculumError):
    http_status = 422

    def __init__(self) -> None:
        super().__init__(
            "No skill needs teaching: the student is not deficient in any skill the teacher "
            "can teach. Add skills, or start a run with a lower gap threshold."
        )


class ReasonRequired(CurriculumError):
    http_status = 422

    def __init__(self, what: str) -> None:
        super().__init__(f"Say why: {what} stays on record with its reason.")


class EmptyWords(CurriculumError):
    http_status = 422

    def __init__(self, what: str) -> None:
        super().__init__(f"The {what} may not be empty.")


class WordsTooLong(CurriculumError):
    http_status = 422

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"A {what} would get longer than {most} characters. Replace less.")


class NothingChanged(CurriculumError):
    http_status = 422

    def __init__(self, so: str = "These are the words as they were") -> None:
        super().__init__(f"{so}: nothing has been changed.")


class BadPlan(CurriculumError):
    http_status = 422


class BadDomain(CurriculumError):
    http_status = 422


class BadModel(CurriculumError):
    http_status = 422


class BadPrompt(CurriculumError):
    http_status = 422


class BadSettings(CurriculumError):
    http_status = 422


class BadToken(CurriculumError):
    http_status = 422


class NotDelivered(CurriculumError):
    http_status = 502


class ChainBroken(CurriculumError):
    http_status = 500

    def __init__(self, sequence: int, reason: str, *, action: str = "", row: int | None = None):
        named = f" (“{action}”, row {row} of the table)" if action else ""
        super().__init__(
            f"The audit log is not as it was written, from entry {sequence} on: "
            f"entry {sequence}{named} {reason}. Compare it with a backup."
        )
        self.sequence, self.reason, self.action, self.row = sequence, reason, action, row
