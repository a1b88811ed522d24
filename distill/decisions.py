"""What is decided at a gate, by a person or by policy, and what the evidence allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from distill.errors import DistillError
from distill.records import PlannedStage
from distill.verdicts import GateEvidence

STOPPED = "The run was stopped at its gate."


class Decision(StrEnum):
    ADVANCE = "advance"
    REMEDY = "remedy"
    WAIVE = "waive"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class AtGate:
    """What whoever decides gets to see."""

    stage: PlannedStage
    position: int  # 1-based
    round: int
    evidence: GateEvidence
    may_remedy: bool  # neither the cap on rounds nor the budget of items is reached
    stalls: bool = False  # the last remedy brought too little, and other stages wait: `stalls`

    def check(self, decision: Decision) -> None:
        """Raise `DistillError` when the evidence, the cap or the budget forbid the decision."""
        here = f"stage {self.position}, round {self.round}"
        if decision is Decision.ADVANCE and not self.evidence.allows_advance:
            raise DistillError(f"The evidence of {here}, does not allow to advance.")
        if decision is Decision.REMEDY and not self.may_remedy:
            raise DistillError(f"There is no round after {here}: the cap or the budget is reached.")


Decide = Callable[[AtGate], Decision]


def stalls(gained: float | None, *, least: float, others_wait: bool) -> bool:
    """Whether one more remedy is better spent on the stages that wait. Pure. decisions/0019.

    gained: see `footing.gained`.
    """
    return others_wait and gained is not None and gained < least


def let_pass(stage: PlannedStage, position: int, *, is_last: bool = False) -> str:
    """A notice of a stage that was waived because all of the budget was spent. Pure."""
    said = f"Stage {position} ({stage.title}) was let pass as it was: all of the budget was spent."
    larger = "does not open it again" if is_last else "is for the stages behind it"
    return f"{said} A larger one, with --resume, {larger}."


def ended(stages: Sequence[PlannedStage], position: int, n_rounds: int, why: str) -> str:
    """A notice of a stage that could go on no further, the first of these, and of those behind it,
    which were not begun. position: its own, from 1. n_rounds: that it had. Pure.
    """
    what = f"ended after {n_rounds} of its rounds" if n_rounds else "was not taught"
    said = f"Stage {position} ({stages[0].title}) {what}. {why}"
    behind = [f"{n} ({s.title})" for n, s in enumerate(stages[1:], position + 1)]
    return f"{said} Nor were the stages behind it begun: {', '.join(behind)}." if behind else said


def autopilot(gate: AtGate) -> Decision:
    """Advance on evidence; else remedy while that is possible and helps, or nothing else waits;
    else waive, on the record.
    """
    if gate.evidence.allows_advance:
        return Decision.ADVANCE
    return Decision.REMEDY if gate.may_remedy and not gate.stalls else Decision.WAIVE
