"""Domains written by people: a YAML or JSON Lines file of skills, probes and items.

docs/domains.md describes the format. Whatever is wrong is one sentence with its file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from pathlib import Path
from random import Random

from distill.domains.base import (
    FULL_LEVEL,
    UNLIMITED,
    Problem,
    declared_edges,
    drawn_from,
    question_key,
)
from distill.domains.entries import SkillEntry, skill_entries
from distill.domains.reading import Source, read
from distill.errors import CyclicPrerequisites, DomainError
from distill.records import Edge, Probe, Skill, Split

MEASURED = (Split.DIAGNOSE, Split.GATE, Split.FINAL)


@dataclass(frozen=True)
class FileDomain:
    """Skills with the probes and items a file lists; nothing is generated."""

    id: str
    title: str
    version: str
    skills: tuple[Skill, ...]
    graders: dict[str, str]
    listed_probes: dict[str, tuple[Probe, ...]]  # by skill; sorted, so the file's order is free
    listed_problems: dict[str, tuple[Problem, ...]]

    def edges(self) -> tuple[Edge, ...]:
        return declared_edges(self.skills)

    def grader(self, skill: str) -> str:
        self._check(skill)
        return self.graders[skill]

    def asks(self, skill: str, question: str) -> bool | None:
        """Of questions that the file lists for this skill, or for others alone."""
        self._check(skill)
        of = self._skills_of.get(question_key(question))
        return None if of is None else skill in of

    @cached_property
    def _skills_of(self) -> Mapping[str, Set[str]]:
        """Skills that ask a question, by its key."""
        found: dict[str, set[str]] = {}
        for skill, probes in self.listed_probes.items():
            asked = [p.question for p in probes]
            asked += [p.question for p in self.listed_problems[skill]]
            for question in asked:
                found.setdefault(question_key(question), set()).add(skill)
        return found

    def dealt_to(self, question: str) -> Split | None:
        """None: what it measures with is listed, see `leaks.questions_to_come`."""
        return None

    def probes(
        self, skill: str, split: Split, n: int, *, seed: int, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        self._check(skill)
        return drawn_from(self.listed_probes[skill], skill, split, n, seed=seed, exclude=exclude)

    def size(self, skill: str, split: Split) -> int | None:
        self._check(skill)
        if split is Split.TRAIN:
            n = len(self.listed_problems[skill])
        else:
            n = sum(probe.split is split for probe in self.listed_probes[skill])
        return n if n < UNLIMITED else None

    def problems(
        self,
        skill: str,
        n: int,
        *,
        seed: int,
        level: int = FULL_LEVEL,
        exclude: Set[str] = frozenset(),
    ) -> list[Problem]:
        """Up to `n` of the skill's items whose level is at most `level`."""
        self._check(skill)
        listed = [p for p in self.listed_problems[skill] if p.level <= level]
        Random(f"{skill}:{seed}:{level}").shuffle(listed)
        return list(islice((p for p in listed if p.key not in exclude), n))

    def _check(self, skill: str) -> None:
        if skill not in self.listed_probes:
            known = ", ".join(self.listed_probes)
            raise DomainError(f"{self.title} has no skill “{skill}”. It has: {known}.")


def load_file(path: Path) -> FileDomain:
    """Read a domain file. Raises DomainError with the first fault, its file and its line.

    A file without a `version` is versioned by the hash of its bytes.
    """
    source = Source(path)
    head, entries = skill_entries(source, read(source))
    for fault in _faults_between(source, entries):
        raise fault
    return FileDomain(
        id=head.id or path.stem,
        title=head.title or head.id or path.stem,
        version=head.version or hashlib.sha256(path.read_bytes()).hexdigest()[:12],
        skills=tuple(entry.skill for entry in entries),
        graders={entry.skill.id: entry.grader for entry in entries},
        listed_probes={
            entry.skill.id: tuple(sorted((p for _, p in entry.probes), key=lambda p: p.id))
            for entry in entries
        },
        listed_problems={
            entry.skill.id: tuple(sorted((p for _, p in entry.problems), key=lambda p: p.key))
            for entry in entries
        },
    )


def faults_of_file(path: Path) -> list[DomainError]:
    """Every fault of a domain file: one for each entry, and of those between entries, as soon as
    the entries are right themselves.
    """
    source, faults = Source(path), list[DomainError]()
    try:
        _, entries = skill_entries(source, read(source, faults.append), faults.append)
    except DomainError as exc:
        return [*faults, exc]
    return faults or list(_faults_between(source, entries))


def _faults_between(source: Source, entries: Sequence[SkillEntry]) -> Iterator[DomainError]:
    yield from _faults_of_graph(source, entries)
    yield from _faults_of_questions(source, entries)
    yield from _faults_of_splits(source, entries)


def _faults_of_graph(source: Source, entries: Sequence[SkillEntry]) -> Iterator[DomainError]:
    lines: dict[str, int] = {}
    for entry in entries:
        if entry.skill.id in lines:
            sentence = f"The skill “{entry.skill.id}” is already on line {lines[entry.skill.id]}."
            yield source.fault(entry.line, sentence)
        lines.setdefault(entry.skill.id, entry.line)
    for entry in entries:
        for name in entry.skill.prerequisites:
            if name not in lines:
                sentence = f"“{entry.skill.id}” builds on “{name}”, and there is no such skill."
                yield source.fault(entry.line, sentence)
    graph = {entry.skill.id: entry.skill.prerequisites for entry in entries}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as exc:
        cycle = CyclicPrerequisites(exc.args[1])
        cycle.args = (f"{source.where(lines[cycle.cycle[0]])}: {cycle}",)
        yield cycle


def _faults_of_questions(source: Source, entries: Sequence[SkillEntry]) -> Iterator[DomainError]:
    """A question is measured once or taught, never both, in whichever skills it stands."""
    measured: dict[str, int] = {}
    for line, probe in (found for entry in entries for found in entry.probes):
        if probe.id in measured:
            sentence = f"This probe asks the same as the one on line {measured[probe.id]}."
            yield source.fault(line, sentence)
        measured.setdefault(probe.id, line)
    for entry in entries:
        for line, example in entry.examples:
            if (key := question_key(example.question)) in measured:
                sentence = f"This example asks the same as the probe on line {measured[key]}"
                yield source.fault(line, f"{sentence}, so it may not be shown.")
        taught: dict[str, int] = {}
        for line, item in entry.problems:
            if item.key in measured:
                sentence = f"This item asks the same as the probe on line {measured[item.key]}"
                yield source.fault(line, f"{sentence}, so it may not be trained on.")
            elif item.key in taught:
                sentence = f"This item asks the same as the one on line {taught[item.key]}."
                yield source.fault(line, sentence)
            taught.setdefault(item.key, line)


def _faults_of_splits(source: Source, entries: Sequence[SkillEntry]) -> Iterator[DomainError]:
    for entry in entries:
        has = {probe.split for _, probe in entry.probes}
        wanted = (Split.FINAL,) if entry.skill.is_transfer else MEASURED
        missing = [split.value for split in wanted if split not in has]
        if missing:
            yield source.fault(
                entry.line,
                f"“{entry.skill.id}” has no probe for {', '.join(missing)}. Give each split at "
                "least one; probes without a “split” are dealt, from three on one to each.",
            )
