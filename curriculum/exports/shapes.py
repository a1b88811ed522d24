"""What a column of JSON has to hold, so that every page can show it: of archives, whose rows
nobody here has written. Columns that are not named here are looked at elsewhere, or not shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from curriculum import engine
from curriculum.states import JobKind

Shape = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    return type(value) is int


def is_number(value: Any) -> bool:
    return type(value) in (int, float)


def is_table(value: Any) -> bool:
    return isinstance(value, dict)


def list_of(shape: Shape) -> Shape:
    return lambda value: isinstance(value, list) and all(shape(each) for each in value)


def record(needed: dict[str, Shape], more: dict[str, Shape] | None = None) -> Shape:
    """A table that has all of `needed`, and of `more` what it has; whatever else it has."""

    def fits(value: Any) -> bool:
        if not isinstance(value, dict) or not needed.keys() <= value.keys():
            return False
        known = needed | (more or {})
        return all(shape(value[name]) for name, shape in known.items() if name in value)

    return fits


def or_none(shape: Shape) -> Shape:
    return lambda value: value is None or shape(value)


def is_interval(value: Any) -> bool:
    return list_of(is_number)(value) and len(value) == 2


TEXTS = list_of(is_text)
CHECKS = list_of(
    record(
        {"id": is_text, "version": is_count, "passed": lambda v: type(v) is bool},
        {"detail": is_text},
    )
)
REPORT = record(
    {},
    {
        "retained": or_none(is_number),
        "retained_before": or_none(is_number),
        "retained_interval": or_none(is_interval),
        "items": is_count,
        "train_tokens": is_count,
        "teacher_tokens": is_count,
        "probes": is_count,
        "stages": list_of(record({}, {"rounds": is_count, "status": is_text})),
        "seconds": is_number,
        "forgotten": TEXTS,
    },
)
WORDS = record({"question": is_text, "solution": is_text, "answer": is_text, "checks": CHECKS})

EXAMPLES = list_of(record({"question": is_text, "solution": is_text}))
OUTCOMES = frozenset(map(str, engine.Outcome))
ANSWERS = list_of(
    record(
        {
            "question": is_text,
            "answer": is_text,
            "said": is_text,
            "shown": lambda v: type(v) is bool,
            "outcome": lambda v: v in OUTCOMES,
            "fault": is_text,
        }
    )
)

SHAPES: dict[str, Shape] = {
    "run.skill_filter": TEXTS,
    "run.notices": TEXTS,
    "run.report": REPORT,
    "skill.examples": EXAMPLES,
    "item.operations": TEXTS,
    "item.aims": TEXTS,
    "item.checks": CHECKS,
    "job.asked": is_table,
    "prompttrial.items": list_of(WORDS),
    "prompttrial.faults": TEXTS,
    "exampletrial.answers": ANSWERS,
    "writingtally.lost": lambda v: is_table(v) and all(is_count(n) for n in v.values()),
    "checkpoint.made_with": is_table,
    "auditentry.was": is_table,
    "auditentry.became": is_table,
    "auditentry.evidence": is_table,
}


ASKED: dict[str, Shape] = {  # of jobs, whose pages rely on it
    JobKind.TRY: record({"name": is_text, "source": is_text, "skill": is_text}),
    JobKind.EXAMPLES: record({"skill": is_text, "examples": EXAMPLES}),
}


def says_what(kind: str, asked: Any) -> bool:
    """Whether a job of this kind says what it was asked for."""
    return kind not in ASKED or ASKED[kind](asked)


def fits(column: str, value: Any) -> bool:
    """Whether `value` may stand in a column, named as "item.checks"."""
    shape = SHAPES.get(column)
    return shape is None or shape(value)
