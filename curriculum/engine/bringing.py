"""Files of skills and questions that people bring, before a run is made of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from curriculum.engine.describe import load_domain
from curriculum.errors import BadDomain, BadModel
from distill import domains as distill_domains
from distill import roster
from distill.domains.benchmarks import is_benchmark
from distill.domains.files import faults_of_file, load_file
from distill.records import Split

NAMED = 8  # skills in a refusal
SPLITS = (Split.TRAIN, Split.DIAGNOSE, Split.GATE, Split.FINAL)


@dataclass(frozen=True, slots=True)
class SkillCount:
    """A skill and how many questions there are for it; None: many."""

    key: str
    title: str
    builds_on: tuple[str, ...]
    is_transfer: bool
    counts: tuple[int | None, ...]  # by `SPLITS`

    @property
    def is_measured_only(self) -> bool:
        """Whether there is no question to teach from, so that only a model can write items."""
        return not self.is_transfer and self.counts[SPLITS.index(Split.TRAIN)] == 0


@dataclass(frozen=True, slots=True)
class DomainLook:
    """What a domain file holds, or everything that is wrong with it."""

    title: str = ""
    version: str = ""
    skills: tuple[SkillCount, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def measured_only(self) -> list[str]:
        return [skill.key for skill in self.skills if skill.is_measured_only]


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
    bare = [k for k in _look(load_domain(spec)).measured_only if not skills or k in skills]
    if bare:
        told = ", ".join(bare[:NAMED]) + (f" and {len(bare) - NAMED} more" if bare[NAMED:] else "")
        raise BadModel(
            f"The procedural teacher can write nothing for {told}: the domain has no generator and "
            "no training items for them. Choose a teacher that writes, add training items to the "
            "domain, or leave these skills out."
        )


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
    )
