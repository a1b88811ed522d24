"""From a file's mappings to skills, probes and problems, each with its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from distill import grading
from distill.domains.base import FULL_LEVEL, Problem, question_key
from distill.domains.reading import Entry, Source, Told, stop
from distill.domains.working import MOST_EXAMPLES, fault_of
from distill.errors import DomainError, UnknownGrader
from distill.grading.base import marked_answer
from distill.records import Example, Probe, Skill, Split
from distill.structured import turns

HEAD = ("domain", "title", "version", "skills")
SKILL = (
    *("id", "title", "statement", "area", "level", "prerequisites", "is_transfer", "grader"),
    *("examples", "probes", "items"),
)
EXAMPLE = ("question", "solution")
PROBE = ("question", "reference", "grader", "split")
ITEM = ("question", "answer", "solution", "level")
DEALT = (Split.DIAGNOSE, Split.GATE, Split.FINAL)

LONGEST = {"id": 40, "title": 160, "area": 80}  # characters
NAMED = ("domain", "skill")  # beside whose words others stand
DEFAULT_GRADER = "exact"


@dataclass(frozen=True, slots=True)
class Head:
    id: str
    title: str
    version: str


@dataclass(frozen=True, slots=True)
class SkillEntry:
    line: int
    skill: Skill
    grader: str
    examples: tuple[tuple[int, Example], ...]
    probes: tuple[tuple[int, Probe], ...]
    problems: tuple[tuple[int, Problem], ...]


def skill_entries(source: Source, root: Entry, told: Told = stop) -> tuple[Head, list[SkillEntry]]:
    """Return the head and the skills of a file, without those that are wrong: `told` has them."""
    form = _Form(source, root, HEAD, "domain")
    head = Head(form.text("domain"), form.text("title"), form.text("version"))
    skills = form.entries("skills")
    if not skills:
        raise source.fault(root.line, "There are no skills. List at least one under “skills:”.")
    found = []
    for entry in skills:
        try:
            found.append(_skill_entry(source, entry, told))
        except DomainError as exc:
            told(exc)
    return head, found


class _Form:
    """Reads the fields of one mapping, and complains in sentences."""

    def __init__(self, source: Source, entry: Entry, known: tuple[str, ...], kind: str) -> None:
        self.source, self.entry, self.kind = source, entry, kind
        for name in entry:
            if name not in known:
                self.refuse(f"A {kind} has no field “{name}”. It may have: {', '.join(known)}.")

    def refuse(self, sentence: str) -> None:
        raise self.source.fault(self.entry.line, sentence)

    def text(self, name: str, *, required: bool = False) -> str:
        value = self.entry.get(name, "")
        if not isinstance(value, str):
            self.refuse(f"The {self.kind}'s “{name}” has to be text.")
        words = str(value).strip()
        if required and not words:
            self.refuse(f"This {self.kind} has no {name}.")
        if len(words) > LONGEST.get(name, len(words)):
            self.refuse(f"The {self.kind}'s {name} is longer than {LONGEST[name]} characters.")
        if self.kind in NAMED and (found := turns(words)):
            codes = ", ".join(f"U+{ord(character):04X}" for character in found)
            self.refuse(f"The {self.kind}'s {name} has characters that reorder text: {codes}.")
        return words

    def number(self, name: str, default: int, most: int) -> int:
        words = self.text(name) or str(default)
        if not (words.isascii() and words.isdigit() and len(words) < 6 and 1 <= int(words) <= most):
            self.refuse(f"The {self.kind}'s {name} has to be a whole number from 1 to {most}.")
        return int(words)

    def flag(self, name: str) -> bool:
        words = self.text(name).casefold() or "false"
        if words not in ("true", "false"):
            self.refuse(f"The {self.kind}'s {name} has to be true or false.")
        return words == "true"

    def listed(self, name: str) -> list[Any]:
        value = self.entry.get(name) or []
        if not isinstance(value, list):
            self.refuse(f"The {self.kind}'s “{name}” has to be a list.")
        return list(value)

    def names(self, name: str) -> tuple[str, ...]:
        values = self.listed(name)
        if not all(isinstance(value, str) and value.strip() for value in values):
            self.refuse(f"The {self.kind}'s “{name}” has to be a list of skill ids.")
        return tuple(dict.fromkeys(value.strip() for value in values))

    def entries(self, name: str) -> list[Entry]:
        values = self.listed(name)
        if not all(isinstance(value, Entry) for value in values):
            self.refuse(f"Each entry of “{name}” has to be a mapping of fields.")
        return values

    def grader(self, default: str) -> str:
        name = self.text("grader") or default
        try:
            grading.check_grader(name)
        except UnknownGrader as exc:
            exc.args = (f"{self.source.where(self.entry.line)}: {exc}",)
            raise
        return name


def _skill_entry(source: Source, entry: Entry, told: Told) -> SkillEntry:
    form = _Form(source, entry, SKILL, "skill")
    skill = Skill(
        id=form.text("id", required=True),
        title=form.text("title") or form.text("id"),
        statement=form.text("statement"),
        area=form.text("area"),
        level=form.number("level", 1, 99),
        prerequisites=form.names("prerequisites"),
        is_transfer=form.flag("is_transfer"),
    )
    grader = form.grader(DEFAULT_GRADER)
    shown = _examples(source, form.entries("examples"), told)
    if len(shown) > MOST_EXAMPLES:
        form.refuse(f"A skill has at most {MOST_EXAMPLES} examples; this one has {len(shown)}.")
    skill = replace(skill, examples=tuple(example for _, example in shown))
    items = form.entries("items")
    if items and skill.is_transfer:
        form.refuse(f"“{skill.id}” is for transfer, never trained: it may have no items.")
    return SkillEntry(
        line=entry.line,
        skill=skill,
        grader=grader,
        examples=shown,
        probes=_probes(source, skill.id, grader, form.entries("probes"), told),
        problems=_problems(source, skill.id, grader, items, told),
    )


def _probes(
    source: Source, skill: str, grader: str, entries: list[Entry], told: Told
) -> tuple[tuple[int, Probe], ...]:
    """A skill's probes with their lines; `deal` says the split of those that name none."""
    found: list[tuple[int, Probe]] = []
    undealt: list[str] = []
    for entry in entries:
        try:
            probe = _probe(source, skill, grader, entry)
        except DomainError as exc:
            told(exc)
            continue
        if not str(entry.get("split", "")).strip():
            undealt.append(probe.id)
        found.append((entry.line, probe))
    dealt = deal(undealt)
    return tuple((line, replace(p, split=dealt.get(p.id, p.split))) for line, p in found)


def deal(keys: Iterable[str]) -> dict[str, Split]:
    """One to each measuring split in turn, in the order of the keys, so that theirs is free."""
    return {key: DEALT[place % len(DEALT)] for place, key in enumerate(sorted(keys))}


def _probe(source: Source, skill: str, grader: str, entry: Entry) -> Probe:
    form = _Form(source, entry, PROBE, "probe")
    question = form.text("question", required=True)
    reference = form.text("reference", required=True)
    split = form.text("split") or DEALT[0]
    if split not in DEALT:
        form.refuse(f"There is no split “{split}” for probes. Known: {', '.join(DEALT)}.")
    key = question_key(question)
    probe = Probe(key, skill, Split(split), question, reference, form.grader(grader))
    _check_reference(form, probe)
    return probe


def _check_reference(form: _Form, probe: Probe) -> None:
    value, error = grading.grade(probe, f"Answer: {probe.reference}")
    if value < 1.0:
        why = error or f"the grader “{probe.grader}” would not accept it."
        form.refuse(f"The reference “{probe.reference[:40]}” cannot be used: {why}")


def _examples(source: Source, entries: list[Entry], told: Told) -> tuple[tuple[int, Example], ...]:
    found: list[tuple[int, Example]] = []
    for entry in entries:
        try:
            found.append((entry.line, _example(source, entry)))
        except DomainError as exc:
            told(exc)
    return tuple(found)


def _example(source: Source, entry: Entry) -> Example:
    form = _Form(source, entry, EXAMPLE, "example")
    example = Example(form.text("question", required=True), form.text("solution", required=True))
    if fault := fault_of(example):
        form.refuse(fault)
    return example


def _problems(
    source: Source, skill: str, grader: str, entries: list[Entry], told: Told
) -> tuple[tuple[int, Problem], ...]:
    found: list[tuple[int, Problem]] = []
    for entry in entries:
        try:
            found.append((entry.line, _problem(source, skill, grader, entry)))
        except DomainError as exc:
            told(exc)
    return tuple(found)


def _problem(source: Source, skill: str, grader: str, entry: Entry) -> Problem:
    form = _Form(source, entry, ITEM, "item")
    question = form.text("question", required=True)
    answer = form.text("answer", required=True)
    terse, key = f"Answer: {answer}", question_key(question)
    worked = form.text("solution") or terse
    if marked_answer(worked) is None:
        worked += ("\n" if "\n" in worked else " ") + terse
    probe = Probe(key, skill, Split.TRAIN, question, answer, grader)
    _check_reference(form, probe)
    if grading.grade(probe, worked)[0] < 1.0:
        form.refuse(f"The solution does not end in the item's answer, “{answer[:40]}”.")
    level = form.number("level", 1, FULL_LEVEL)
    return Problem(key, skill, question, answer, worked, terse, level)
