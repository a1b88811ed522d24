"""A table of questions, and of skills, as the lines of a domain file: which column is what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curriculum.exports.mapping import named_so
from curriculum.exports.tabular import Record, text_of

FIELDS: dict[str, tuple[str, str]] = {  # of a row: what a person is told
    "skill": ("Skill", "By its id. Rows of one skill need not stand together."),
    "question": ("Question", "A row without one describes its skill."),
    "answer": ("Answer", "The reference that answers are graded against."),
    "solution": ("Solution", "Of a row to train on: the answer, worked out step by step."),
    "split": ("Split", "train, diagnose, gate or final. Left empty: a probe, dealt in turn."),
    "level": ("Size", "Of a row to train on: 1 (small) to 3 (full size). Left empty: 1."),
    "title": ("Skill's title", "What people call it. Left empty: its id."),
    "statement": ("Skill's statement", "What somebody can do who has it."),
    "area": ("Skill's area", ""),
    "prerequisites": ("Builds on", "Ids of skills, with commas between."),
    "grader": ("Grader", "exact, number, math, choice or rouge. Left empty: exact."),
}
_NAMES: dict[str, tuple[str, ...]] = {
    "skill": ("skill", "skill_id", "topic", "category"),
    "question": ("question", "prompt", "problem", "query", "instruction"),
    "answer": ("answer", "reference", "final_answer", "label", "target"),
    "solution": ("solution", "rationale", "output", "worked"),
    "split": ("split", "subset"),
    "level": ("level", "size"),
    "title": ("title", "name"),
    "statement": ("statement", "description"),
    "area": ("area",),
    "prerequisites": ("prerequisites", "builds_on", "requires", "parents"),
    "grader": ("grader", "answer_type"),
}
_OF_A_SKILL = ("title", "statement", "area", "grader")
TRAIN = "train"


@dataclass
class DomainLines:
    """Lines of a domain file in JSON Lines, the place in the table that each is from, and what
    could not be taken.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def in_the_table(self, sentence: str) -> str:
        """A fault of the file, by the rows of the table: "line 4" is where that line is from."""

        def place(found: re.Match[str]) -> str:
            at = int(found[1]) - 1
            return self.places[at] if 0 <= at < len(self.places) else found[0]

        return re.sub(r"\bline (\d+)", place, sentence)


def guess(columns: Sequence[str]) -> dict[str, str]:
    """Field -> column, where a column's name says it."""
    return named_so(columns, _NAMES)


def lines_of(
    records: Iterable[Record], columns: Mapping[str, str], *, name: str, title: str, skill: str = ""
) -> DomainLines:
    """The domain `name` that a table describes. `skill`: of rows that name none.

    A row with a question is a probe, or, where its split is "train", an item that may be trained
    on. What rows say of a skill itself is taken from the first that says it.
    """
    found = DomainLines()
    skills: dict[str, dict[str, Any]] = {}
    first: dict[str, str] = {}
    questions: list[tuple[str, dict[str, Any]]] = []
    for place, record in records:
        said = record if isinstance(record, str) else _said(record, columns)
        if isinstance(said, str):
            found.faults.append(f"{place}: {said}.")
            continue
        key = said["skill"] or skill
        if not key:
            found.faults.append(f"{place}: it names no skill.")
            continue
        first.setdefault(key, place)
        entry = skills.setdefault(key, {"id": key})
        for name_of in _OF_A_SKILL:
            if said[name_of]:
                entry.setdefault(name_of, said[name_of])
        if said["prerequisites"]:
            entry.setdefault("prerequisites", said["prerequisites"])
        if said["question"]:
            questions.append((place, _question(key, said)))
    head = {"domain": name, "title": title or name}
    found.lines = [head, *skills.values(), *(line for _, line in questions)]
    found.places = ["the file", *(first[key] for key in skills), *(place for place, _ in questions)]
    return found


def _question(skill: str, said: Mapping[str, Any]) -> dict[str, Any]:
    line = {"skill": skill, "question": said["question"]}
    if said["split"].casefold() == TRAIN:
        line["answer"] = said["answer"]
        more = {name: said[name] for name in ("solution", "level")}
    else:
        line["reference"] = said["answer"]
        more = {"split": said["split"].casefold()}
    return line | {name: value for name, value in more.items() if value}


def _said(record: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any] | str:
    """The row's words by field; or, as a sentence, what is wrong."""
    said: dict[str, Any] = dict.fromkeys(FIELDS, "")
    for name, column in columns.items():
        value = record.get(column)
        if name == "prerequisites":
            listed = value if isinstance(value, list) else re.split(r"[,;]", text_of(value) or "")
            words = [text_of(each) for each in listed]
            if None in words:
                return f"“{column[:40]}” is not a list of skills"
            said[name] = [word for word in words if word]
        elif (word := text_of(value)) is None:
            return f"“{column[:40]}” is not text"
        else:
            said[name] = word
    return said
