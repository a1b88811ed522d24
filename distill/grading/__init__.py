"""Is it right? Versioned graders, and one function that never raises."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from distill.errors import UnknownGrader
from distill.grading.base import Grader, without_thinking
from distill.grading.exact import Exact
from distill.grading.number import Number
from distill.records import Probe

__all__ = ["GRADERS", "Grader", "check_grader", "grade", "version_of"]

GRADERS: Mapping[str, Grader] = MappingProxyType({g.id: g for g in (Exact(), Number())})


def version_of(name: str) -> str:
    """Return "number@1" for "number". Raises UnknownGrader."""
    check_grader(name)
    return f"{name}@{GRADERS[name].version}"


def check_grader(name: str) -> None:
    """Raise UnknownGrader when there is no grader of that name."""
    if name not in GRADERS:
        raise UnknownGrader(name, list(GRADERS))


def grade(probe: Probe, text: str, *, graders: Mapping[str, Grader] = GRADERS) -> tuple[float, str]:
    """Return (grade in 0..1, error). Never raises: a grader that fails grades 0 and says why.

    Reasoning in <think> is not graded; a reply that never stops thinking grades 0.
    """
    if probe.grader not in graders:
        return 0.0, str(UnknownGrader(probe.grader, list(graders)))
    try:
        said = without_thinking(text)
        if said is None:
            return 0.0, ""
        value = float(graders[probe.grader].grade(probe.reference, said))
    except Exception as exc:
        return 0.0, f"The grader “{probe.grader}” failed: {type(exc).__name__}: {exc}."
    if not 0.0 <= value <= 1.0:  # also nan
        return 0.0, f"The grader “{probe.grader}” gave {value}, which is not in 0..1."
    return value, ""
