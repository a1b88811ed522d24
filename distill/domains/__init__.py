"""What can be taught, or measured. `load` turns a name or a path into a domain."""

from __future__ import annotations

from pathlib import Path

from distill.domains.base import Domain, Problem, question_key, split_of
from distill.domains.benchmarks import (
    Benchmark,
    faults_of_benchmark,
    is_benchmark,
    load_benchmark,
)
from distill.domains.export import export
from distill.domains.files import faults_of_file, load_file
from distill.domains.foundations import Foundations
from distill.domains.gym import Gym
from distill.domains.reading import SUFFIXES
from distill.errors import DomainError

__all__ = [
    "SUFFIXES",
    "Benchmark",
    "Domain",
    "Problem",
    "built_in",
    "export",
    "faults",
    "load",
    "load_benchmark",
    "question_key",
    "split_of",
]


def built_in() -> tuple[str, ...]:
    """The names that `load` takes, besides paths. “gym” needs the extra of that name."""
    return (Foundations.id, Gym.id)


def load(spec: str, *, to_teach: bool = True) -> Domain:
    """Return the domain that `spec` names: "foundations", "gym", or the path of a domain file.

    Raises DomainError with a sentence; for a file it names the line. Two of its kinds are
    CyclicPrerequisites and UnknownGrader. A benchmark is refused unless `to_teach` is False: it
    is there to be measured with.
    """
    if spec == Foundations.id:
        return Foundations()
    if spec == Gym.id:
        return Gym()
    path = Path(spec)
    if path.suffix.lower() not in SUFFIXES:
        raise DomainError(
            f"There is no domain “{spec}”. Give “{Foundations.id}”, “{Gym.id}”, or the path of "
            f"a file that ends in {', '.join(SUFFIXES)}."
        )
    if not is_benchmark(path):
        return load_file(path)
    if to_teach:
        raise DomainError(
            f"{path.name} is a benchmark: it is measured with, and nothing of it may be trained "
            f"on. Use “ioa assess --data {spec}”."
        )
    return load_benchmark(path)


def faults(path: Path) -> list[DomainError]:
    """Everything that is wrong with a file, each a sentence with its line; [] for a right one."""
    return faults_of_benchmark(path) if is_benchmark(path) else faults_of_file(path)
