"""Words that are not in use yet, tried: what a teacher would be asked, and what it makes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence, Set
from dataclasses import dataclass

from distill.adapter.checks import Check, check
from distill.adapter.client import TeacherClient, call_of
from distill.adapter.drafting import SCHEMA, item_of, read_items
from distill.adapter.inspection import answer_result
from distill.adapter.prompting import Learner, Templates, samples_of
from distill.adapter.requesting import SAMPLES
from distill.adapter.writing import number
from distill.backends.base import Beat, Prompt, no_beat
from distill.domains.base import Domain
from distill.records import Call, Item
from distill.settings import Sampling, Writing


@dataclass(frozen=True, slots=True)
class Tried:
    call: Call
    items: tuple[Item, ...]  # with the results of their checks
    faults: tuple[str, ...]  # sentences on what could not be read


def words_for(
    domain: Domain,
    learner: Learner,
    templates: Templates,
    settings: Writing,
    *,
    n: int,
    level: int,
    seed: int,
    taken: Set[str] = frozenset(),
) -> str:
    """The whole prompt for `n` items of size `level`, as `teach` would ask for the first of them.

    seed, taken: as in `teach`. Raises `BadTemplate`. Pure: asks nobody.
    """
    skill = learner.skill.id
    draw = number(f"{seed}:{skill}:{level}")
    shown = domain.problems(skill, SAMPLES, seed=draw, level=level, exclude=taken)
    return templates.prompt(
        learner,
        n=n,
        level=level,
        samples=samples_of(learner.skill, shown, settings.operations),
        operations=settings.operations,
        shown=settings.shown,
    )


def try_out(
    domain: Domain,
    learner: Learner,
    templates: Templates,
    client: TeacherClient,
    *,
    settings: Writing,
    checks: Sequence[Check],
    key: str,
    teacher: str,
    n: int,
    level: int,
    seed: int,
    taken: Set[str] = frozenset(),
    beat: Beat = no_beat,
) -> Tried:
    """Ask the teacher once, for `n` items of the learner's skill, and look at what it says.

    key: of the call, unique within its run; one that is kept under it is not made again. Answers
    are worked out where a program can, and else not asked about: that would take more calls.

    Raises what the teacher and `beat` raise, `BadTemplate` and `BudgetSpent`.
    """
    text = words_for(domain, learner, templates, settings, n=n, level=level, seed=seed, taken=taken)
    sampling = Sampling(
        max_tokens=settings.max_reply_tokens, temperature=settings.temperature, seed=seed
    )
    skill = learner.skill.id
    wanted = (
        call_of(key, "try", skill, text, sampling, templates.version),
        Prompt(text, sampling, skill=skill, schema=SCHEMA),
    )
    beat(0, 1)
    (call,) = client.ask([wanted], lambda: beat(0, 1))
    drafts = read_items(call.reply)
    items = []
    for draft in drafts.drafts:
        item = item_of(
            draft, call, key=key, level=level, operations=settings.operations, origin=teacher
        )
        results = check(item, checks)
        answer = answer_result(item, (), domain.grader(skill))
        items.append(dataclasses.replace(item, checks=(*results, answer) if answer else results))
    beat(1, 1)
    return Tried(call, tuple(items), drafts.faults)
