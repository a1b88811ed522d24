"""What can be taught. `load` turns a name or a path into a domain."""

from __future__ import annotations

from pathlib import Path

from distill.domains.base import Domain, Problem, question_key, split_of
from distill.domains.export import export
from distill.domains.files import load_file
from distill.domains.foundations import Foundations
from distill.domains.reading import SUFFIXES
from distill.errors import DomainError

__all__ = ["SUFFIXES", "Domain", "Problem", "export", "load", "question_key", "split_of"]


def load(spec: str) -> Domain:
    """Return the domain that `spec` names: "foundations", or the path of a domain file.

    Raises DomainError with a sentence; for a file it names the line. Two of its kinds are
    CyclicPrerequisites and UnknownGrader.
    """
    if spec == Foundations.id:
        return Foundations()
    if Path(spec).suffix.lower() in SUFFIXES:
        return load_file(Path(spec))
    raise DomainError(
        f"There is no domain “{spec}”. Give “{Foundations.id}”, or the path of a file that ends "
        f"in {', '.join(SUFFIXES)}."
    )
