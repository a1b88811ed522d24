"""What the student can do by now of what is still to be taught: few questions, more where close."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from distill.assessment.mastery import judge, most_probes
from distill.identifier.looks import Ask
from distill.records import Gap, Probe
from distill.settings import Settings
from distill.verdicts import GateAnswer

FIRST = 4  # a first look is this part of a gate's

Draw = Callable[[str, int], Sequence[Probe]]
"""The first so many diagnostic probes of a skill; fewer where it has no more."""


def look_ahead(
    skills: Sequence[str], gaps: Mapping[str, Gap], *, draw: Draw, ask: Ask, settings: Settings
) -> dict[str, dict[str, float]]:
    """Ask the student of `skills` that wait for their stage; skill -> probe id -> grade.

    A quarter of a gate's look first: a skill that is plainly "not yet" is asked no more, and
    those are the ones that take long, as a student rambles where it knows nothing. The others get
    a whole look; and what may sit but is not clear yet is asked on, up to the gate's cap: to teach
    it all the same disturbs what sits more than it brings (docs/log.md).

    gaps: the diagnosis, for P_T; a skill the teacher cannot teach gets one whole look. The test
    is the gate's (`mastery.judge`), which holds however often one looks. Judged is what was
    drawn, whatever else is on record, so that a run that goes on asks the same. Deterministic;
    raises what `ask` raises.

    Ours: the paper measures once and for all.
    """
    probing = settings.probing
    look = probing.gate_probes
    wanted = dict.fromkeys(skills, max(1, look // FIRST))
    found: dict[str, dict[str, float]] = {}
    while wanted:
        drawn = {k: draw(k, n) for k, n in wanted.items()}
        # the same number again: there are no more
        drawn = {k: probes for k, probes in drawn.items() if len(probes) > len(found.get(k, ()))}
        if not drawn:
            break
        known = {k: found.get(k, {}) for k in drawn}
        grades = ask([p for k, probes in drawn.items() for p in probes if p.id not in known[k]])
        for k, probes in drawn.items():
            found[k] = {p.id: (known[k] if p.id in known[k] else grades[k])[p.id] for p in probes}
        wanted = {k: n for k in drawn if (n := _next(found[k], gaps[k], look, settings))}
    return found


def _next(grades: Mapping[str, float], gap: Gap, look: int, settings: Settings) -> int | None:
    """How many probes of the skill are wanted next; None: these will do."""
    n = len(grades)
    if not gap.is_teachable:
        return look if n < look else None
    verdict = judge(gap.skill, list(grades.values()), gap.teacher.mean, settings.thresholds)
    if n < look:
        return None if verdict.answer is GateAnswer.NOT_YET else look
    cap = most_probes(gap.teacher.mean, settings.probing, settings.thresholds)
    if verdict.answer is not GateAnswer.UNCLEAR or n >= cap:
        return None
    return min(n + look, cap)
