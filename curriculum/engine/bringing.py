"""Files of skills and questions that people bring, before a run is made of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from curriculum.engine.describe import load_domain
from curriculum.errors import BadDomain, BadModel
from distill import domains as distill_domains
from distill import roster
from distill.adapter.writing import nothing_for, unwritable
from distill.domains.benchmarks import is_benchmark
from distill.domains.files import faults_of_file, load_file
from distill.records import Split

SPLITS = (Split.TRAIN, Split.DIAGNOSE, Split.GATE, Split.FINAL)


@dataclass(frozen=True, slots=True)
class SkillCount:
    """A skill and how many questions there are for it; None: many."""

    key: str
    title: str
    builds_on: tuple[str, ...]
    is_transfer: bool
    counts: tuple[int | None, ...]  # by `SPLITS`


@dataclass(frozen=True, slots=True)
class DomainLook:
    """What a domain file holds, or everything that is wrong with it."""

    title: str = ""
    version: str = ""
    skills: tuple[SkillCount, ...] = ()
    measured_only: tuple[str, ...] = ()  # taught, and only a teacher that writes can do it
    faults: tuple[str, ...] = ()


def look_at_file(path: Path) -> DomainLook:
    """Read a domain file, as `ioa domains check` does. Never raises for what is in it."""
    if is_benchmark(path):
        return DomainLook(
            faults=(
                "This is a benchmark: questions to measure with, and never to teach from. A domain "
                "file names skills, and questions to teach with.",
            )
        )
    if faults := faults_of_file(path):
        return DomainLook(faults=tuple(str(fault) for fault in faults))
    return _look(load_file(path))


def look_at_domain(spec: str) -> DomainLook:
    """The same of a domain of this installation: see `load_domain`. Never raises `BadDomain`."""
    try:
        return _look(load_domain(spec))
    except BadDomain as exc:
        return DomainLook(faults=(str(exc),))


def check_written(spec: str, teacher: str, skills: Collection[str] = ()) -> None:
    """Raise `BadModel`, with the skills, where that teacher has nothing to write items from.

    skills: those of the run; none are all of the domain.
    """
    if teacher != roster.PROCEDURAL:
        return
    if bare := unwritable(load_domain(spec), skills):
        raise BadModel(nothing_for(bare))


def _look(domain: distill_domains.Domain) -> DomainLook:
    return DomainLook(
        title=domain.title,
        version=domain.version,
        skills=tuple(
            SkillCount(
                s.id,
                s.title,
                tuple(s.prerequisites),
                s.is_transfer,
                tuple(domain.size(s.id, split) for split in SPLITS),
            )
            for s in domain.skills
        ),
        measured_only=tuple(unwritable(domain)),
    )
