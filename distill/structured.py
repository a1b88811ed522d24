"""Reading what models say: the JSON in a reply, also where it is cut off or wrapped in prose.

A reply is hostile text: it is read with a parser and a schema, never run, never trusted.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError

from distill.grading.base import without_thinking

CAP_CHARACTERS = 400_000
"""More of a reply is not read: a skill with its probes takes about a thousand."""
CAP_TRIES = 64
"""Places at which JSON may begin and does not, before the reply is given up."""

_OPENING = re.compile(r'\{(?=\s*")|\[(?=\s*\{)')
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


def turns(text: str) -> list[str]:
    """The characters of the text that turn the direction of what follows, each once."""
    return sorted(_TURNS & set(text))


def without_turns(text: str) -> str:
    return "".join(character for character in text if character not in _TURNS)


def one_line(text: str, most: int) -> str:
    """The text on one line of at most `most` characters."""
    return " ".join(text[: 4 * most].split())[:most].strip()


def _words(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    return plain_text(value) if isinstance(value, str) else value


Words = Annotated[str, BeforeValidator(_words)]


def json_object(**properties: Any) -> dict[str, Any]:
    """Every property asked for and no other, as servers want it that keep to a schema."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Listing:
    """The elements of a list that a reply holds, whatever they are."""

    elements: list[Any] = field(default_factory=list)
    is_cut: bool = False  # the reply ends inside the list; its whole elements are here
    faults: tuple[str, ...] = ()


def read_list(text: str, *, name: str, element: str, marker: str) -> Listing:
    """The list `name` in a reply, `{"name": [...]}`, or a bare list of objects with a `marker`.

    element: what one of them is called in a sentence. Prose and code fences around the JSON are
    passed over; <think> blocks are not read. Of several lists the longest counts, the last of
    equals. Faults name fields and types, and repeat nothing of the reply. Pure, never raises,
    O(length).
    """
    said = without_thinking(text[:CAP_CHARACTERS])
    if said is None:
        return Listing(faults=("The reply never stopped thinking.",))
    named = re.compile(rf'"{name}"\s*:\s*\[')
    faults: list[str] = []
    is_cut = False
    whole = _whole_lists(said, name, marker)
    found: list[Any] = max(reversed(whole), key=len, default=[])  # the last of equals
    if len(named.findall(said)) > 1:
        faults.append(f"The reply holds more than one list “{name}”.")
    if not whole:
        found, is_cut, fault = _elements(said, named, element)
        faults += [fault] if fault else []
    if not found and not faults:
        faults.append(f"The reply holds no JSON object with a list “{name}”.")
    return Listing(found, is_cut, tuple(faults))


def _whole_lists(text: str, name: str, marker: str) -> list[list[Any]]:
    """The lists of that name among the JSON values of a text that are whole, none in another."""
    found: list[list[Any]] = []
    at, tries = 0, 0
    while tries < CAP_TRIES and (opening := _OPENING.search(text, at)):
        try:
            value, at = _decoder.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            at, tries = opening.end(), tries + 1
            continue
        listed = value.get(name) if isinstance(value, dict) else _bare(value, marker)
        if isinstance(listed, list) and listed:
            found.append(listed)
    return found


def _bare(value: Any, marker: str) -> Any:
    """A list without the object around it: one of its elements has the `marker`."""
    return value if any(isinstance(e, dict) and marker in e for e in value) else None


def _elements(text: str, named: re.Pattern[str], element: str) -> tuple[list[Any], bool, str]:
    """The whole elements of the list; whether it is cut off; or what is wrong in it."""
    opening = named.search(text) or _BARE_LIST.search(text)
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
            fault = f"The JSON is wrong in {element} {len(found) + 1}: {exc.msg}."
            return found, is_cut, "" if is_cut else fault
        except (ValueError, RecursionError):
            return found, False, f"The JSON of {element} {len(found) + 1} is nested too deeply."
        found.append(value)


def sentences(what: str, exc: ValidationError) -> Iterator[str]:
    """What is wrong with an element, by field; nothing of what it says."""
    for error in exc.errors(include_input=False, include_url=False):
        field = ".".join(str(part) for part in error["loc"])
        yield f"{what}: {f'“{field}”: ' if field else ''}{error['msg']}."
