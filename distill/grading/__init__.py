"""Is it right? Versioned graders, and one function that asks them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from distill.backends.base import Backend
from distill.errors import BackendUnavailable, DistillError, UnknownGrader
from distill.grading.base import Grader, GraderOfProbes, without_thinking
from distill.grading.choice import Choice
from distill.grading.code import Code
from distill.grading.exact import Exact
from distill.grading.judge import Judge
from distill.grading.math import Math
from distill.grading.number import Number
from distill.grading.rouge import Rouge
from distill.records import Probe

__all__ = ["GRADERS", "Grader", "Graders", "check_grader", "grade", "switched_on", "version_of"]

Graders = Mapping[str, Grader | GraderOfProbes]

GRADERS: Graders = MappingProxyType(
    {g.id: g for g in (Exact(), Number(), Math(), Choice(), Rouge(), Code(), Judge())}
)
"""By name. `code` runs nothing and `judge` asks nobody: see `switched_on`."""


def switched_on(*, run_code: bool = False, judge: Backend | None = None) -> Graders:
    """`GRADERS`, with `code` allowed to run programs, and with somebody who judges."""
    return MappingProxyType({**GRADERS, Code.id: Code(is_on=run_code), Judge.id: Judge(judge)})


def version_of(name: str) -> str:
    """Return "number@1" for "number". Raises UnknownGrader."""
    check_grader(name)
    return f"{name}@{GRADERS[name].version}"


def check_grader(name: str) -> None:
    """Raise UnknownGrader when there is no grader of that name."""
    if name not in GRADERS:
        raise UnknownGrader(name, list(GRADERS))


def grade(probe: Probe, text: str, *, graders: Graders = GRADERS) -> tuple[float, str]:
    """Return (grade in 0..1, error). A grader that fails grades 0 and says why.

    Raises `BackendUnavailable` alone: a judge who is away has said nothing of the reply.
    Reasoning in <think> is not graded; a reply that never stops thinking grades 0.
    """
    if probe.grader not in graders:
        return 0.0, str(UnknownGrader(probe.grader, list(graders)))
    grader = graders[probe.grader]
    try:
        said = without_thinking(text)
        if said is None:
            return 0.0, ""
        if isinstance(grader, GraderOfProbes):
            value = float(grader.grade_probe(probe, said))
        else:
            value = float(grader.grade(probe.reference, said))
    except BackendUnavailable:
        raise
    except DistillError as exc:
        return 0.0, str(exc)
    except Exception as exc:
        return 0.0, f"The grader “{probe.grader}” failed: {type(exc).__name__}: {exc}."
    if not 0.0 <= value <= 1.0:  # also nan
        return 0.0, f"The grader “{probe.grader}” gave {value}, which is not in 0..1."
    return value, ""
