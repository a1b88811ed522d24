"""What an item has to pass before a person sees it. Each check leaves its result on the item."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Set
from typing import Protocol

from distill.domains.base import question_key
from distill.grading import grade
from distill.records import CheckResult, Item, Probe, Split

MAX_CHARACTERS = 4000  # of a question or a solution; more is no item for a small student


class Check(Protocol):
    """One thing that must hold of an item. Ids and versions are kept with the results."""

    id: str
    version: int

    def problem(self, item: Item) -> str:
        """A sentence saying what is wrong; "" when the item passes."""
        ...


class Parses:
    """Question, solution and answer are there, of a sane length, and printable."""

    id, version = "parses", 1

    def problem(self, item: Item) -> str:
        for name, text in (("question", item.question), ("solution", item.solution)):
            if not text.strip():
                return f"The {name} is empty."
            if len(text) > MAX_CHARACTERS:
                return f"The {name} has {len(text)} characters, over {MAX_CHARACTERS}."
            if bad := sorted({c for c in text if not _may_be_shown(c)}):
                return f"The {name} has unprintable characters: {', '.join(map(ascii, bad[:5]))}."
        return "" if item.answer.strip() else "The answer is empty."


def _may_be_shown(character: str) -> bool:
    """Letters, signs and any kind of space; no control characters, surrogates or the like."""
    is_space = unicodedata.category(character) == "Zs"  # str.isprintable knows the plain one only
    return character.isprintable() or is_space or character in "\n\t"


class AnswerVerified:
    """The solution, graded as the student will be, gives the reference answer.

    For generated items the reference was recomputed by the generator; the grader is the skill's.
    """

    id, version = "answer", 1

    def __init__(self, grader: str) -> None:
        self._grader = grader

    def problem(self, item: Item) -> str:
        probe = Probe(
            item.key, item.skill, Split.DIAGNOSE, item.question, item.answer, self._grader
        )
        worth, error = grade(probe, item.solution)
        if worth == 1.0:
            return ""
        return error or f"The solution does not end in the answer {item.answer}."


class NotDuplicate:
    """The question was not asked by another item: one of `taken`, or earlier in this call."""

    id, version = "duplicate", 1

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def problem(self, item: Item) -> str:
        key = question_key(item.question)
        if key in self._taken:
            return "Another item asks the same question."
        self._taken.add(key)
        return ""


class NotLeak:
    """The question is no probe's: such an item would teach the test. There is no override."""

    id, version = "leak", 1

    def __init__(self, probe_keys: Set[str]) -> None:
        self._probe_keys = probe_keys

    def problem(self, item: Item) -> str:
        is_leak = question_key(item.question) in self._probe_keys
        return "This is a question that the student is measured with." if is_leak else ""


def check(item: Item, checks: Iterable[Check]) -> tuple[CheckResult, ...]:
    """Run every check on an item; nothing that an item says makes this raise."""
    results = []
    for each in checks:
        problem = each.problem(item)
        results.append(CheckResult(each.id, each.version, not problem, problem))
    return tuple(results)
