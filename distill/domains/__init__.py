"""What can be taught. `load` turns a name or a path into a domain."""

from __future__ import annotations

from distill.domains.base import Domain, Problem, question_key, split_of
from distill.domains.foundations import Foundations
from distill.errors import DomainError

__all__ = ["Domain", "Problem", "load", "question_key", "split_of"]


def load(spec: str) -> Domain:
    """Return the domain that `spec` names: "foundations".

    Raises DomainError with a sentence when there is none.
    """
    if spec == Foundations.id:
        return Foundations()
    raise DomainError(f"There is no domain “{spec}”. Give “foundations”.")
