"""From a teacher's reply to skills, with what is wrong in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from distill.structured import Words, json_object, read_list, sentences


def _plain_word(value: Any) -> Any:
    return value.strip().casefold() if isinstance(value, str) else value


def _nothing_is_none(value: Any) -> Any:
    return [] if value is None else value


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


_TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = json_object(
    skills={
        "type": "array",
        "items": json_object(
            id=_TEXT,
            title=_TEXT,
            statement=_TEXT,
            area=_TEXT,
            level={"type": "integer"},
            prerequisites={"type": "array", "items": _TEXT},
            probes={
                "type": "array",
                "items": json_object(
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
    listing = read_list(text, name="skills", element="skill", marker="title")
    notices: tuple[str, ...] = ()
    if listing.is_cut and listing.elements:
        notices = (
            "The teacher's reply was cut off: the skills it had said whole were kept, "
            f"{len(listing.elements)} of them.",
        )
    skills, wrong = _valid(listing.elements)
    return Reading(tuple(skills), (*listing.faults, *wrong), notices)


def _valid(listed: list[Any]) -> tuple[list[Said], list[str]]:
    """The elements that are skills, with those of their probes that are probes; and the faults."""
    skills: list[Said] = []
    faults: list[str] = []
    for place, element in enumerate(listed, start=1):
        try:
            skill = SkillWords.model_validate(element)
        except ValidationError as exc:
            faults += sentences(f"Skill {place}", exc)
            continue
        usable = []
        for number, probe in enumerate(skill.probes, start=1):
            try:
                usable.append(ProbeWords.model_validate(probe))
            except ValidationError as exc:
                faults += sentences(f"Skill {place}, probe {number}", exc)
        skills.append(Said(skill, tuple(usable)))
    return skills, faults
