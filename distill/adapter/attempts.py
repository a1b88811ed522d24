"""Questions that the student tries itself, before any of them is taught: what it can do already
teaches it nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distill.domains.base import Problem
from distill.identifier.error_types import RIGHT, kind_of
from distill.records import Answer, Probe, Split

SHARE = 0.5  # of a skill's items that are questions the student gets wrong; the rest are untried

Ask = Callable[[Sequence[Probe], Callable[[], None]], Sequence[Answer]]
"""Asks the student as it is now, greedily: N questions in, N graded answers out, in order. Calls
the second argument now and then.
"""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Who tries the domain's questions first, and how many are drawn for each item wanted."""

    ask: Ask
    drawn: int  # at least 2: see `failed_first`


@dataclass(frozen=True, slots=True)
class Chosen:
    """A problem that becomes an item, and what speaks for it."""

    problem: Problem
    aims: tuple[str, ...] = ()  # kinds of error: that the student makes, or made on this very one
    said: str = ""  # what it said to this very question, wrongly; empty where it was not asked


def failed_first(
    found: Sequence[Problem],
    n: int,
    *,
    ask: Ask,
    grader: str,
    alive: Callable[[], None] = lambda: None,
) -> list[Chosen]:
    """Choose `n` problems: half of them wrong answers of the student, as far as it makes so many.

    The other half comes as it was drawn, untried: a student that sees only its mistakes is taught
    that every case is one. Of the rest, as many are tried as it takes, a few at a time; where they
    run out, some that it can do fill the number, and then those whose grader failed: of them
    nothing is known.

    Returns them in the order in which they were found; fewer than `n` where there are not as many.
    Deterministic as far as the student is. Raises what `ask` and `alive` raise.

    Source: hard examples are those the model gets wrong now (Shrivastava et al. 2016, arXiv
    1604.03540). Ours: by its answer rather than its loss, and only half.
    """
    most = round(n * SHARE)
    untried, rest = found[: n - most], found[n - most :]
    failed: list[Chosen] = []
    able: list[Chosen] = []
    unknown: list[Chosen] = []
    done = 0
    while len(failed) < most and done < len(rest):
        wave = rest[done : done + most - len(failed)]
        done += len(wave)
        probes = [_probe(problem, grader) for problem in wave]
        for problem, probe, answer in zip(wave, probes, ask(probes, alive), strict=True):
            if answer.error:
                unknown.append(Chosen(problem))
            elif answer.grade >= RIGHT:
                able.append(Chosen(problem))
            else:
                kind = kind_of(probe, answer)
                failed.append(Chosen(problem, (str(kind),), answer.text))
    taken = [*(Chosen(p) for p in untried), *failed, *able, *unknown][:n]
    place = {problem.key: i for i, problem in enumerate(found)}
    return sorted(taken, key=lambda chosen: place[chosen.problem.key])


def _probe(problem: Problem, grader: str) -> Probe:
    """A question to teach with, in the words of one to measure with: it is graded alike."""
    return Probe(problem.key, problem.skill, Split.TRAIN, problem.question, problem.answer, grader)
