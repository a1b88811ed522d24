"""Benchmarks: questions with known answers, to measure with and never to teach from.

A JSON Lines file with one question a line; docs/domains.md describes the format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from distill import grading
from distill.domains.base import FULL_LEVEL, UNLIMITED, Problem, drawn_from, question_key
from distill.domains.reading import Entry, Source, Told, json_entries, stop, text_of
from distill.errors import DomainError
from distill.grading.code import Unit
from distill.records import Edge, Probe, Skill, Split

PROMPTS_VERSION = 1
"""Of the words below: scores of different versions are not compared."""

GRADER_OF = {
    "number": "number",
    "latex": "math",
    "exact": "exact",
    "choice": "choice",
    "text": "rouge",
    "code": "code",
}
ASKED_FOR = {  # said after the question
    "number": 'End with "Answer: " and the number.',
    "latex": "Put the final answer in \\boxed{}.",
    "exact": 'End with "Answer: " and the answer, in as few words as it takes.',
    "choice": 'End with "Answer: " and the letter.',
    "text": "",
    "code": "Write it in Python, in one code block.",
}
SPLITS = {
    "": Split.FINAL,
    "test": Split.FINAL,
    "final": Split.FINAL,
    "dev": Split.DIAGNOSE,
    "validation": Split.DIAGNOSE,
    "diagnose": Split.DIAGNOSE,
}


@dataclass(frozen=True)
class Benchmark:
    """A domain that is only measured: every question is a probe, and none is ever a problem.

    Its skills are `is_transfer`, so that no plan takes them up.
    """

    id: str
    title: str
    version: str
    skills: tuple[Skill, ...]
    listed: dict[str, tuple[Probe, ...]]  # by skill, in the order of their hashes
    repeated: int = field(default=0)  # lines that ask and answer what an earlier one does

    @property
    def all_probes(self) -> list[Probe]:
        """Every question, in the order of their hashes: the first n are a fair sample."""
        return sorted((p for probes in self.listed.values() for p in probes), key=lambda p: p.id)

    def edges(self) -> tuple[Edge, ...]:
        return ()

    def grader(self, skill: str) -> str:
        self._check(skill)
        return self.listed[skill][0].grader

    def asks(self, skill: str, question: str) -> bool | None:
        """None: nothing is taught by a benchmark."""
        self._check(skill)
        return None

    def dealt_to(self, question: str) -> Split | None:
        """None: what it measures with is listed, see `leaks.questions_to_come`."""
        return None

    def probes(
        self, skill: str, split: Split, n: int, *, seed: int, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        self._check(skill)
        return drawn_from(self.listed[skill], skill, split, n, seed=seed, exclude=exclude)

    def size(self, skill: str, split: Split) -> int | None:
        self._check(skill)
        n = sum(probe.split is split for probe in self.listed[skill])
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
        """None, for ever: what is measured with may not be trained on."""
        self._check(skill)
        return []

    def _check(self, skill: str) -> None:
        if skill not in self.listed:
            known = ", ".join(self.listed)
            raise DomainError(f"{self.title} has no skill “{skill}”. It has: {known}.")


def is_benchmark(path: Path) -> bool:
    """Whether the first line of a file is a benchmark's. Reads no more than that."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = json.loads(next(line for line in file if line.strip()))
    except (OSError, ValueError, StopIteration, RecursionError):
        return False
    return isinstance(first, dict) and "answer_type" in first


def _is_domain(text: str) -> bool:
    try:
        first = json.loads(next(line for line in text.splitlines() if line.strip()))
    except (ValueError, StopIteration, RecursionError):
        return False
    return isinstance(first, dict) and "domain" in first and "answer_type" not in first


def load_benchmark(path: Path) -> Benchmark:
    """Read a benchmark. Raises DomainError with the first fault, its file and its line.

    A line that asks and answers the same as an earlier one is counted once.
    """
    return _load(path, stop)


def faults_of_benchmark(path: Path) -> list[DomainError]:
    """Every fault of a benchmark file, one for each line."""
    faults: list[DomainError] = []
    try:
        _load(path, faults.append)
    except DomainError as exc:
        faults.append(exc)
    return faults


def _load(path: Path, told: Told) -> Benchmark:
    source = Source(path)
    text = text_of(source)
    if path.suffix.lower() in (".yaml", ".yml") or _is_domain(text):
        raise source.fault(1, "This is a domain file, and a benchmark is wanted: docs/domains.md.")
    by_skill: dict[str, list[Probe]] = {}
    repeated = 0
    for probe in _probes(source, text, told):
        if probe is None:
            repeated += 1
        else:
            by_skill.setdefault(probe.skill, []).append(probe)
    if not by_skill:
        raise source.fault(1, "There are no questions that can be used.")
    content = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Benchmark(
        id=path.stem,
        title=path.stem,
        version=f"{content}, prompts {PROMPTS_VERSION}",
        skills=tuple(Skill(id, id, "", is_transfer=True) for id in by_skill),
        listed={k: tuple(sorted(found, key=lambda p: p.id)) for k, found in by_skill.items()},
        repeated=repeated,
    )


def _probes(source: Source, text: str, told: Told) -> Iterator[Probe | None]:
    """One for each line that is right; None where a line repeats an earlier one."""
    seen: dict[str, tuple[int, str]] = {}
    ids: dict[str, int] = {}
    for line, entry in json_entries(source, text, told):
        try:
            probe = _probe(source, line, entry)
            name = _text(source, line, entry, "id")
            if name in ids:
                raise source.fault(line, f"The id “{name}” is already on line {ids[name]}.")
            ids[name] = line
            first, reference = seen.setdefault(probe.id, (line, probe.reference))
            if reference != probe.reference:
                sentence = f"This asks the same as line {first}, and has another answer."
                raise source.fault(line, sentence)
        except DomainError as exc:
            told(exc)
        else:
            yield probe if first == line else None


def _probe(source: Source, line: int, entry: Entry) -> Probe:
    kind = _text(source, line, entry, "answer_type")
    if kind not in GRADER_OF:
        known = ", ".join(GRADER_OF)
        raise source.fault(line, f"There is no answer_type “{kind}”. Known: {known}.")
    split = _text(source, line, entry, "split", required=False)
    if split not in SPLITS:
        known = ", ".join(filter(None, SPLITS))
        sentence = f"There is no split “{split}” to measure with. Known: {known}."
        raise source.fault(line, sentence)
    question = _text(source, line, entry, "question")
    if extra := _text(source, line, entry, "input", required=False):
        question = f"{question}\n\n{extra}"
    asked, reference = _asked(source, line, entry, kind, question)
    probe = Probe(
        question_key(question),  # of the bare question: the same one in a domain has this id
        _text(source, line, entry, "skill"),
        SPLITS[split],
        asked,
        reference,
        GRADER_OF[kind],
    )
    if kind not in ("code", "text"):
        value, error = grading.grade(probe, f"Answer: {reference}")
        if value < 1.0:
            why = error or f"the grader “{probe.grader}” would not accept it."
            raise source.fault(line, f"The answer “{reference[:40]}” cannot be used: {why}")
    return probe


def _asked(source: Source, line: int, entry: Entry, kind: str, question: str) -> tuple[str, str]:
    """The words that are asked, and the reference that the grader takes."""
    if kind != "code":
        asked = f"{question}\n\n{ASKED_FOR[kind]}".strip()
        return asked, _text(source, line, entry, "answer")
    if stub_tests := _text(source, line, entry, "test", required=False):
        name = _text(source, line, entry, "entry_point")
        asked = f"Complete this function.\n\n```python\n{question}\n```\n\n{ASKED_FOR[kind]}"
        tests = f"{stub_tests}\ncheck({name})"
        stub = str(entry["question"]).rstrip("\n") + "\n"
        return asked, Unit(tests, stub=stub, entry_point=name).dump()
    listed = entry.get("tests")
    if not isinstance(listed, list) or not listed or not all(isinstance(t, str) for t in listed):
        raise source.fault(
            line, "A question about code needs “tests”, or “test” and “entry_point”."
        )
    tests = "\n".join(listed)
    setup = _text(source, line, entry, "test_setup", required=False)
    asked = f"{question}\n\n{ASKED_FOR[kind]} It has to pass:\n\n{tests}"
    return asked, Unit(tests, setup=setup).dump()


def _text(source: Source, line: int, entry: Entry, name: str, *, required: bool = True) -> str:
    value = entry.get(name, "")
    if not isinstance(value, str):
        raise source.fault(line, f"“{name}” has to be text.")
    if required and not value.strip():
        raise source.fault(line, f"This question has no “{name}”.")
    return value.strip("\n") if name == "question" else value.strip()
