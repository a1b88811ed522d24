"""How solutions of a skill are to be written: from rows to records, and whether they will do."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from curriculum.engine.checking import leak_check
from curriculum.engine.describe import load_domain, settings_of
from curriculum.errors import BadPrompt
from curriculum.models import Skill
from distill.adapter.checks import Belongs, check
from distill.adapter.inspection import answer_result
from distill.adapter.mending import ask_alone
from distill.adapter.prompting import shows_examples
from distill.adapter.verifying import StepsHold
from distill.domains.base import FULL_LEVEL
from distill.domains.working import MOST_EXAMPLES, fault_of, read_working
from distill.records import Example, Item
from distill.settings import Sampling

NOT_SHOWN = (
    "This run's teacher is shown no examples: its operations lack “decompose” or “one_format”."
)
NOT_PUT = "The teacher makes up the questions of this skill itself: there are none to try them on."


def examples_of(skill: Skill) -> tuple[Example, ...]:
    return tuple(Example(each["question"], each["solution"]) for each in skill.examples)


def examples_of_domain(skill: Skill) -> list[dict[str, str]]:
    """Those that came with the run's domain, as a row has them."""
    found = {s.id: s.examples for s in load_domain(skill.run.domain).skills}
    return [dataclasses.asdict(each) for each in found.get(skill.key, ())]


def check_examples(skill: Skill, rows: Sequence[Mapping[str, str]]) -> None:
    """Raise `BadPrompt`, with a sentence, where one cannot be read as steps, says what is not so,
    or asks what another skill asks or the student is measured with.
    """
    examples = [Example(**each) for each in rows]
    if len(examples) > MOST_EXAMPLES:
        raise BadPrompt(f"A skill has at most {MOST_EXAMPLES} examples; these are {len(examples)}.")
    domain = load_domain(skill.run.domain)
    checks = (StepsHold(), Belongs(domain), leak_check(skill.run))
    for place, example in enumerate(examples, start=1):
        if not (fault := fault_of(example)):
            item = _item(skill, example)
            results = [*check(item, checks), answer_result(item, (), domain.grader(skill.key))]
            fault = next((r.detail for r in results if r and not r.passed), "")
        if fault:
            raise BadPrompt(f"Example {place}: {fault}")


def asked_alone(skill: Skill) -> str:
    """The words with which the teacher is asked one question of the domain, as the skill's examples
    are now; "" where the domain puts no questions of this skill to it.
    """
    writing = settings_of(skill.run).writing
    problems = load_domain(skill.run.domain).problems(skill.key, 1, seed=skill.run.seed)
    if not (writing.questions_of_domain and problems):
        return ""
    item = _item(skill, Example(problems[0].question, ""))
    shown = examples_of(skill) if shows_examples(writing.operations) else ()
    call, _ = ask_alone(item, "", "write", Sampling(), shown)
    return call.prompt


def why_no_trial(skill: Skill) -> str:
    """A sentence, where a trial of the skill's examples would show nothing; else ""."""
    if not shows_examples(settings_of(skill.run).writing.operations):
        return NOT_SHOWN
    return "" if asked_alone(skill) else NOT_PUT


def _item(skill: Skill, example: Example) -> Item:
    working = read_working(example.question, example.solution)
    return Item(
        key="",
        skill=skill.key,
        question=example.question,
        solution=example.solution,
        answer=working.answer if working else "",
        operations=(),
        level=FULL_LEVEL,
        origin="",
    )
