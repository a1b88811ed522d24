"""From a teacher's reply to skills: the JSON in it, also where it is cut off or wrapped in prose.

A reply is hostile text: it is read with a parser and a schema, never run, never trusted.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from distill.grading.base import without_thinking

CAP_CHARACTERS = 400_000
"""More of a reply is not read: a skill with its probes takes about a thousand."""
CAP_TRIES = 64
"""Places at which JSON may begin and does not, before the reply is given up."""

_OPENING = re.compile(r'\{(?=\s*")|\[(?=\s*\{)')
_SKILLS = re.compile(r'"skills"\s*:\s*\[')
_BARE_LIST = re.compile(r"\[(?=\s*\{)")
_BETWEEN = re.compile(r"[\s,]*")
_NEAR_END = 8  # characters: a literal, an escape or the end of a code fence that was cut off

_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # of direction
_NO_TEXT = frozenset({"Cc", "Cs", "Co", "Cn"})  # control characters, halves, nobody's

# digits stay as they are written: "1.50" keeps its nought, and no number is too long
_decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def plain_text(text: str) -> str:
    """The text without control characters, halves of characters and turns of direction."""
    return "".join(
        c
        for c in text.replace("\r\n", "\n")
        if c in "\n\t" or not (c in _TURNS or unicodedata.category(c) in _NO_TEXT)
    ).strip()


def one_line(text: str, most: int) -> str:
    """The text on one line of at most `most` characters."""
    return " ".join(text[: 4 * most].split())[:most].strip()


def _words(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return plain_text(value) if isinstance(value, str) else value


def _plain_word(value: Any) -> Any:
    return value.strip().casefold() if isinstance(value, str) else value


def _nothing_is_none(value: Any) -> Any:
    return [] if value is None else value


Words = Annotated[str, BeforeValidator(_words)]


class ProbeWords(BaseModel):
    """A candidate probe as the teacher wrote it."""

    question: Words = Field(min_length=1)
    answer: Words = Field(min_length=1)
    grader: Annotated[Literal["number", "exact", "choice"], BeforeValidator(_plain_word)] = "exact"


class SkillWords(BaseModel):
    """A skill as the teacher wrote it; its probes are looked at one by one."""

    title: Words = Field(min_length=1)
    id: Words = ""
    statement: Words = ""
    area: Words = ""
    level: int = Field(1, ge=1, le=99)
    prerequisites: Annotated[list[Words], BeforeValidator(_nothing_is_none)] = []
    probes: Annotated[list[Any], BeforeValidator(_nothing_is_none)] = []


def _object(**properties: Any) -> dict[str, Any]:
    """Every property asked for and no other, as servers want it that keep to a schema."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = _object(
    skills={
        "type": "array",
        "items": _object(
            id=_TEXT,
            title=_TEXT,
            statement=_TEXT,
            area=_TEXT,
            level={"type": "integer"},
            prerequisites={"type": "array", "items": _TEXT},
            probes={
                "type": "array",
                "items": _object(
                    question=_TEXT,
                    answer=_TEXT,
                    grader={"type": "string", "enum": ["number", "exact", "choice"]},
                ),
            },
        ),
    }
)
"""The form that decompose.txt asks for, for backends that can hold a model to it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A valid skill of a reply, with those of its probes that are valid."""

    skill: SkillWords
    probes: tuple[ProbeWords, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reply gave. `faults` can be put right by asking again, `notices` need not be."""

    skills: tuple[Said, ...] = ()
    faults: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def read_reply(text: str) -> Reading:
    """Return the whole and valid skills of a reply, and sentences on what is wrong with the rest.

    Prose and code fences around the JSON are passed over; <think> blocks are not read. Of a list
    that is cut off the whole skills are kept, with a notice. Faults name fields and types, and
    repeat nothing of the reply. Pure, never raises, O(length).
    """
    said = without_thinking(text[:CAP_CHARACTERS])
    if said is None:
        return Reading(faults=("The reply never stopped thinking.",))
    faults: list[str] = []
    notices: tuple[str, ...] = ()
    whole = _whole_lists(said)
    found: list[Any] = max(reversed(whole), key=len, default=[])  # the last of equals
    if len(_SKILLS.findall(said)) > 1:
        faults.append("The reply holds more than one list “skills”.")
    if not whole:
        found, is_cut, fault = _elements(said)
        faults += [fault] if fault else []
        if is_cut and found:
            notices = (
                "The teacher's reply was cut off: the skills it had said whole were kept, "
                f"{len(found)} of them.",
            )
    if not found and not faults:
        faults.append("The reply holds no JSON object with a list “skills”.")
    skills, wrong = _valid(found)
    return Reading(tuple(skills), (*faults, *wrong), notices)


def _whole_lists(text: str) -> list[list[Any]]:
    """The lists of skills among the JSON values of a text that are whole, none inside another."""
    found: list[list[Any]] = []
    at, tries = 0, 0
    while tries < CAP_TRIES and (opening := _OPENING.search(text, at)):
        try:
            value, at = _decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            at, tries = opening.end(), tries + 1
            continue
        listed = value.get("skills") if isinstance(value, dict) else _bare(value)
        if isinstance(listed, list) and listed:
            found.append(listed)
    return found


def _bare(value: Any) -> Any:
    """A list of skills without the object around it; a list of probes has no titles."""
    return value if any(isinstance(e, dict) and "title" in e for e in value) else None


def _elements(text: str) -> tuple[list[Any], bool, str]:
    """The whole elements of the list of skills; whether it is cut off; or what is wrong in it."""
    opening = _SKILLS.search(text) or _BARE_LIST.search(text)
    if opening is None:
        return [], False, ""
    found: list[Any] = []
    at = opening.end()
    while True:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        if at >= len(text):
            return found, True, ""
        if text[at] == "]":
            return found, False, ""
        try:
            value, at = _decoder.raw_decode(text, at)
        except json.JSONDecodeError as exc:
            is_cut = exc.msg.startswith("Unterminated") or exc.pos >= len(text) - _NEAR_END
            fault = f"The JSON is wrong in skill {len(found) + 1}: {exc.msg}."
            return found, is_cut, "" if is_cut else fault
        except (ValueError, RecursionError):
            return found, False, f"The JSON of skill {len(found) + 1} is nested too deeply."
        found.append(value)


def _valid(listed: list[Any]) -> tuple[list[Said], list[str]]:
    """The elements that are skills, with those of their probes that are probes; and the faults."""
    skills: list[Said] = []
    faults: list[str] = []
    for place, element in enumerate(listed, start=1):
        try:
            skill = SkillWords.model_validate(element)
        except ValidationError as exc:
            faults += _sentences(f"Skill {place}", exc)
            continue
        usable = []
        for number, probe in enumerate(skill.probes, start=1):
            try:
                usable.append(ProbeWords.model_validate(probe))
            except ValidationError as exc:
                faults += _sentences(f"Skill {place}, probe {number}", exc)
        skills.append(Said(skill, tuple(usable)))
    return skills, faults


def _sentences(what: str, exc: ValidationError) -> Iterator[str]:
    for error in exc.errors(include_input=False, include_url=False):
        field = ".".join(str(part) for part in error["loc"])
        yield f"{what}: {f'“{field}”: ' if field else ''}{error['msg']}."
