"""The words a teacher is asked with: one template, and a part of it for each operation.

Templates may come from people. They are rendered in Jinja's sandbox, from plain values alone, and
what they are given of models and people is quoted: nothing in it can pose as an instruction.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from distill.adapter.operations import Operation
from distill.domains.base import Problem
from distill.errors import DistillError
from distill.records import Example, Skill

MAIN = "items"
NAMES = (MAIN, *Operation)
QUOTED_CHARACTERS = 300  # of one thing that is shown; the rest is left out
LONGEST_TEMPLATE = 20_000  # characters
LONGEST_PROMPT = 60_000

_VERSION = re.compile(r"\A\{#\s*version:\s*(\S{1,40})\s*#\}\n?")


class BadTemplate(DistillError):
    """A template of somebody's that cannot be used; the sentence says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A question that the student got wrong. Of `diagnose` probes only, never of a gate's."""

    question: str
    reference: str
    said: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A question of the domain, and how it is worked out: the one format of the skill."""

    question: str
    solution: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    question: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Learner:
    """What the teacher is told of the student, and of what people said, on one skill."""

    skill: Skill
    builds_on: tuple[Skill, ...] = ()
    mastery: float = 0.0  # r(k) in 0..1, measured last
    slips: tuple[tuple[str, int], ...] = ()  # what wrong answers have in common; how many
    wrong: tuple[Wrong, ...] = ()
    approved: tuple[str, ...] = ()  # questions
    refused: tuple[Refused, ...] = ()
    changed: tuple[Changed, ...] = ()


@dataclass(frozen=True, slots=True)
class Templates:
    """Sources by name (`NAMES`), and the version that a prompt of theirs carries."""

    sources: Mapping[str, str] = field(hash=False)

    @property
    def version(self) -> str:
        """What the main template calls itself, and six digits of a hash of all of them."""
        said = _VERSION.match(self.sources[MAIN])
        everything = json.dumps(dict(self.sources), sort_keys=True)
        digits = hashlib.sha256(everything.encode()).hexdigest()[:6]
        return f"{said[1] if said else 'unnamed'}-{digits}"

    def changed(self, sources: Mapping[str, str]) -> Templates:
        """These with some sources in place of others. Raises `BadTemplate` unless all render."""
        if unknown := sorted(set(sources) - set(NAMES)):
            raise BadTemplate(f"There is no template “{unknown[0]}”.")
        new = Templates({**self.sources, **sources})
        for name, source in sources.items():
            _check_form(name, source)
            if len(source) > LONGEST_TEMPLATE:
                raise BadTemplate(
                    f"The template “{name}” has {len(source):,} characters, over "
                    f"{LONGEST_TEMPLATE:,}."
                )
        for learner in _EXTREMES:
            for level in (1, 2, 3):
                new.prompt(
                    learner,
                    n=2,
                    level=level,
                    samples=(Sample("1 + 1?", "Answer: 2"),),
                    operations=tuple(Operation),
                )
        return new

    def prompt(
        self,
        learner: Learner,
        *,
        n: int,
        level: int,
        samples: Sequence[Sample],
        operations: Sequence[Operation],
        shown: int = 4,
    ) -> str:
        """The words of one request for `n` items of size `level` (1 smallest to 3).

        samples: questions that show how they are put and worked out. shown: how many of each kind
        of thing the learner brings along. Raises `BadTemplate`. Pure.
        """
        values = {
            "skill": learner.skill,
            "builds_on": learner.builds_on,
            "percent": round(100 * min(1.0, max(0.0, learner.mastery))),
            "slips": learner.slips[:shown],
            "wrong": learner.wrong[:shown],
            "samples": tuple(samples),
            "approved": learner.approved[-shown:] if shown else (),
            "refused": learner.refused[-shown:] if shown else (),
            "changed": learner.changed[-shown:] if shown else (),
            "operations": [str(each) for each in operations],
            "is_worked": Operation.DECOMPOSE in operations,
            "level": level,
            "n": n,
        }
        try:
            words: str = _compiled(tuple(sorted(self.sources.items()))).render(values)
        except (TemplateError, TypeError, ValueError, LookupError) as exc:
            raise _bad(exc, MAIN) from exc
        if len(words) > LONGEST_PROMPT:
            raise BadTemplate(f"A prompt of this template has over {LONGEST_PROMPT:,} characters.")
        return f"{words.strip()}\n"


@cache
def built_in() -> Templates:
    """The templates that come with the program."""
    folder = resources.files("distill.adapter").joinpath("prompts")
    return Templates(
        {name: folder.joinpath(f"{name}.jinja").read_text("utf-8") for name in map(str, NAMES)}
    )


def shows_examples(operations: Collection[str]) -> bool:
    """Where solutions are to be worked, and all of a skill in one format. Pure."""
    return {Operation.DECOMPOSE, Operation.ONE_FORMAT} <= set(operations)


def shown_examples(skill: Skill, operations: Collection[str]) -> tuple[Example, ...]:
    """Those that a teacher is shown. Pure."""
    return skill.examples if shows_examples(operations) else ()


def samples_of(
    skill: Skill, problems: Sequence[Problem], operations: Collection[str]
) -> list[Sample]:
    """How questions of the skill are put, and worked out: as its examples say, where they are
    shown, else as the problems do. Pure.
    """
    examples = shown_examples(skill, operations)
    shown = [Sample(e.question, ". ".join(e.solution.splitlines())) for e in examples]
    return shown + [Sample(p.question, "" if shown else p.worked) for p in problems]


def quoted(value: object) -> str:
    """As a JSON string on one line, cut off where it is long: it ends where it says it ends.

    >>> quoted('5 "apples"')
    '"5 \\\\"apples\\\\""'
    """
    text = " ".join(str(value)[: 4 * QUOTED_CHARACTERS].split())
    cut = f"{text[:QUOTED_CHARACTERS]} …" if len(text) > QUOTED_CHARACTERS else text
    return json.dumps(cut, ensure_ascii=False)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Shows values. What could take long, or much memory, is not there."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def call(self, context: Any, obj: Any, *args: Any, **named: Any) -> Any:
        raise BadTemplate("A template shows values; it cannot call anything.")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        raise BadTemplate(f"A template shows values; it cannot calculate ({operator}).")


def _check_form(name: str, source: str) -> None:
    """Text, values, conditions, and loops that are not in another; no part includes another."""
    try:
        tree = _environment({}).parse(source, name)
    except (TemplateError, RecursionError) as exc:
        raise _bad(exc, name) from exc
    allowed = _TAGS if name == MAIN else _TAGS - {nodes.Include}
    for node in tree.find_all(nodes.Stmt):
        if type(node) not in allowed:
            raise BadTemplate(
                f"“{name}”, line {node.lineno}: a template cannot hold "
                f"“{type(node).__name__.lower()}” here."
            )
        if isinstance(node, nodes.For) and (node.recursive or any(node.find_all(nodes.For))):
            raise BadTemplate(f"“{name}”, line {node.lineno}: a loop cannot be in another.")


def _bad(exc: Exception, name: str) -> BadTemplate:
    line = getattr(exc, "lineno", None)
    where = f" (line {line} of “{getattr(exc, 'name', None) or name}”)" if line else ""
    said = str(exc).strip().rstrip(".") or type(exc).__name__
    return BadTemplate(f"This template cannot be used{where}: {said}.")


def _environment(sources: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        loader=DictLoader(dict(sources)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the words go to a model, never to a browser
    )
    environment.filters = {"quoted": quoted, "length": len}
    environment.globals = {}
    environment.tests = {"defined": environment.tests["defined"]}
    return environment


@lru_cache(
    maxsize=8
)  # a round has hundreds of prompts, and to compile takes longer than to fill in
def _compiled(sources: tuple[tuple[str, str], ...]) -> Template:
    parts = {name: _VERSION.sub("", text).strip() for name, text in sources}
    main = parts.pop(MAIN)  # which nothing can include: it would be without end
    return _environment(parts).from_string(main)


_TAGS = {nodes.Output, nodes.For, nodes.If, nodes.Include}

_EXTREMES = (
    Learner(Skill("A", "A skill", "Does it.")),
    Learner(
        Skill("A", "A skill", "Does it."),
        builds_on=(Skill("B", "Another", "Does that."),),
        mastery=0.5,
        slips=(("Leaves out a carry.", 3),),
        wrong=(Wrong("1 + 1?", "2", "3"),),
        approved=("1 + 2?",),
        refused=(Refused("1 + 3?", "too easy"),),
        changed=(Changed("1 + 4?", "2 + 4?"),),
    ),
)
