"""Which column is which field of an item, guessed by its name, and a record as an item's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curriculum.exports.tabular import text_of

FIELDS: dict[str, tuple[str, str]] = {  # of an item: what a person is told
    "question": ("Question", "What the user says."),
    "solution": ("Solution", "What the student is trained to say."),
    "answer": ("Answer", "The bare reference, where the solution does not end in it."),
    "messages": ("Conversation", "Question and solution in one: messages, ShareGPT."),
    "skill": ("Skill", "By its key."),
    "level": ("Level", "1 (small) to 3 (full size). Left empty: 1."),
}
_NAMES: dict[str, tuple[str, ...]] = {
    "question": ("question", "instruction", "prompt", "problem", "query", "user"),
    "solution": ("solution", "output", "response", "completion", "rationale", "assistant"),
    "answer": ("answer", "final_answer", "reference", "label", "target"),
    "messages": ("messages", "conversations", "conversation"),
    "skill": ("skill", "skill_id", "skill_key", "topic"),
    "level": ("level", "difficulty"),
}
_USER, _ASSISTANT = ("user", "human"), ("assistant", "gpt")


@dataclass(frozen=True, slots=True)
class Words:
    """An item's words as they were in the file."""

    question: str
    solution: str
    answer: str
    skill: str
    level: int


def named_so(columns: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Field -> column, where a column has one of the field's `names`: the first of them, and of
    columns that are written alike the first.
    """
    by_name = {name.strip().casefold().replace(" ", "_"): name for name in reversed(columns)}
    return {
        field: by_name[name]
        for field, known in names.items()
        for name in reversed(known)
        if name in by_name
    }


def guess(columns: Sequence[str]) -> dict[str, str]:
    """Field -> column, where a column's name says it. A conversation wins over its parts."""
    found = named_so(columns, _NAMES)
    if "messages" in found:
        found.pop("question", None)
        found.pop("solution", None)
    return found


def words_of(
    record: Mapping[str, Any], columns: Mapping[str, str], *, skill: str = ""
) -> Words | str:
    """The item of a record, or what is wrong with it. `skill`: of rows that name none."""
    said: dict[str, str] = {}
    for field, column in columns.items():
        value = record.get(column)
        if field == "messages":
            turns = _turns(value)
            if turns is None:
                return f"“{column[:40]}” is not a question and its solution, and nothing else"
            said["question"], said["solution"] = turns
        elif (words := text_of(value)) is None:
            return f"“{column[:40]}” is not text"
        else:
            said[field] = words
    level = said.get("level") or "1"
    if not (level.isascii() and level.isdigit() and len(level) < 6 and int(level) >= 1):
        return f"the level “{level[:20]}” is not a whole number from 1"
    return Words(
        question=said.get("question", ""),
        solution=said.get("solution", ""),
        answer=said.get("answer", ""),
        skill=said.get("skill") or skill,
        level=int(level),
    )


def _turns(value: Any) -> tuple[str, str] | None:
    """Question and solution of a conversation of exactly these two."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    said = []
    for turn, roles in zip(value, (_USER, _ASSISTANT), strict=True):
        if not isinstance(turn, dict) or turn.get("role", turn.get("from")) not in roles:
            return None
        words = text_of(turn.get("content", turn.get("value")))
        if words is None:
            return None
        said.append(words)
    return said[0], said[1]
