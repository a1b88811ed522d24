"""From which student the next round of a stage goes on: not always from the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distill.organizer.mixture import sitting, still_needed
from distill.verdicts import GateAnswer, GateEvidence


@dataclass(frozen=True, slots=True)
class Footing:
    """Where a round starts, and what it has to do. Skills by id, shares in 0..1."""

    at: int  # index of the round whose student it starts from
    need: dict[str, float]  # what is taught, see `mixture.still_needed`
    lost: dict[str, float]  # what is rehearsed harder: by that student, or by one given up
    sits: set[str]  # what this stage has brought to sit, and rehearses


def footing(rounds: Sequence[GateEvidence]) -> Footing:
    """The footing after these rounds of a stage, first to last; there is at least one.

    The next round goes on from the student that stands best: the most skills of the stage
    mastered, less those forgotten; of equals from the last, which has learned most. What a student
    that is given up had lost is rehearsed harder. Pure.

    Ours: the paper always goes on from the last. A round can unlearn more than it teaches (a
    remedy for one skill took another from 0.97 to 0.56, docs/log.md), and what follows then
    mends for rounds what need not be broken.
    """
    at = max(range(len(rounds)), key=lambda i: (_standing(rounds[i]), i))
    best = rounds[at]
    need, lost = still_needed(best)
    sits = sitting(best)
    ratios = {v.skill: v.ratio for v in best.stage}
    for given_up in rounds[at + 1 :]:
        for k, share in still_needed(given_up)[1].items():
            lost[k] = max(lost.get(k, 0.0), share)
        for v in given_up.stage:
            if v.skill in sits and ratios[v.skill] > 0:
                share = (ratios[v.skill] - v.ratio) / ratios[v.skill]
                lost[v.skill] = max(lost.get(v.skill, 0.0), share)
    return Footing(at, need, lost, sits)


def gained(rounds: Sequence[GateEvidence]) -> float | None:
    """What the last round brought: the mean rise of the ratios (P_S/P_T) of the skills it was to
    teach, over the student it started from. None for the first, which started from another stage.
    Pure.
    """
    if len(rounds) < 2:
        return None
    stood = footing(rounds[:-1])
    before = {v.skill: v.ratio for v in rounds[stood.at].stage}
    now = {v.skill: v.ratio for v in rounds[-1].stage}
    rises = [now[k] - before[k] for k in stood.need if k in before and k in now]
    return sum(rises) / len(rises) if rises else None


def _standing(evidence: GateEvidence) -> int:
    mastered = sum(v.answer is GateAnswer.MASTERED for v in evidence.stage)
    return mastered - len(evidence.forgotten)
