"""From a teacher's reply to drafts of items: what it wrote, read and put into one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from distill.adapter.operations import Operation
from distill.domains.base import FULL_LEVEL, question_key
from distill.domains.drafts import Draft
from distill.domains.working import MOST_STEPS
from distill.grading.base import marked_answer
from distill.records import Call, Item
from distill.structured import Words, json_object, plain_text, read_list, sentences


def _lines(value: Any) -> Any:
    """One step a line; a teacher may also say them in one text, or number them."""
    if value is None:
        return []
    if isinstance(value, str):
        return [line for line in plain_text(value).splitlines() if line.strip()]
    return value


class _Written(BaseModel):
    """An item as the teacher wrote it."""

    question: Words = Field(min_length=1)
    answer: Words = Field(min_length=1)
    steps: Annotated[list[Words], BeforeValidator(_lines), Field(max_length=MOST_STEPS)] = []


_TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = json_object(
    items={
        "type": "array",
        "items": json_object(question=_TEXT, steps={"type": "array", "items": _TEXT}, answer=_TEXT),
    }
)
"""The form that items.jinja asks for, for backends that can hold a model to it."""


@dataclass(frozen=True, slots=True)
class Drafts:
    drafts: tuple[Draft, ...] = ()
    faults: tuple[str, ...] = ()


def read_items(text: str) -> Drafts:
    """The whole and valid items of a reply, and sentences on what is wrong with the rest.

    A reply that is cut off gives the items that it said whole. Steps lose the full stop at their
    end, and the last one the answer, where it repeats that: `Draft.worked` says both. Pure, never
    raises.
    """
    listing = read_list(text, name="items", element="item", marker="question")
    drafts: list[Draft] = []
    faults = list(listing.faults)
    for place, element in enumerate(listing.elements, start=1):
        try:
            drafts.append(_draft(_Written.model_validate(element)))
        except ValidationError as exc:
            faults += sentences(f"Item {place}", exc)
    return Drafts(tuple(drafts), tuple(faults))


def item_of(
    draft: Draft,
    call: Call,
    *,
    key: str,
    level: int,
    operations: Sequence[Operation],
    origin: str,
) -> Item:
    """An item of a draft, without results of checks: `operations` are those that were asked for;
    it names them, less those that did not come about. Its key begins with `key`. Pure.
    """
    is_worked = bool(draft.steps) and Operation.DECOMPOSE in operations
    used = [
        each
        for each in operations
        if (each is not Operation.DECOMPOSE or is_worked)
        and (each is not Operation.LIMIT_LOAD or level < FULL_LEVEL)
    ]
    return Item(
        key=f"{key}-{call.skill}-{question_key(draft.question)[:16]}",
        skill=call.skill,
        question=draft.question,
        solution=draft.worked if is_worked else draft.terse,
        answer=draft.answer,
        operations=tuple(used),
        level=level,
        origin=origin,
        call=call.key,
    )


def _draft(written: _Written) -> Draft:
    answer = " ".join(written.answer.split())
    steps = [" ".join(step.split()).rstrip(". ") for step in written.steps]
    steps = [step for step in steps if step]
    if steps:
        last = _without_answer(steps.pop(), answer)
        steps += [last] if last else []
    return Draft(written.question, answer, tuple(steps))


def _without_answer(step: str, answer: str) -> str:
    """The step, less an "Answer: 47" at its end that says what the item's answer says."""
    if step.casefold() == answer.casefold():
        return ""
    if (marked_answer(step) or "").strip().casefold() != answer.casefold():
        return step
    return step[: step.casefold().rindex("answer")].rstrip(" .,;:*_")
