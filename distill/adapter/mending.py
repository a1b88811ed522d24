"""A good question with a bad solution gets another: what the teacher says when it is only asked.

A weak model that writes question, steps and answer at once, in a form that is shown to it, often
gets wrong what it gets right when it is asked the question alone (docs/log.md).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from distill.adapter.checks import check
from distill.adapter.client import TeacherClient, Wanted, call_of
from distill.adapter.inspection import Checks, answer_result
from distill.adapter.operations import Operation
from distill.adapter.verifying import worked_out
from distill.adapter.writing import number
from distill.backends.base import Prompt
from distill.domains.base import Domain
from distill.domains.working import read_working
from distill.records import CheckResult, Example, Item
from distill.settings import Sampling, Writing

Examples = Mapping[str, tuple[Example, ...]]
"""By skill, of those that have any: how their solutions are to be written."""

MENDABLE = frozenset({"answer", "steps", "template", "fits"})
"""Faults of a solution. Those of a question stay: another solution makes it no other question."""
OF_QUESTION = frozenset({"duplicate", "leak"})
"""Checks that can tell of a question alone that it is of no use."""
ONCE = frozenset({"duplicate"})
"""Checks of the question alone that remember what they have seen: run again, an item would repeat
itself. Not `leak`: what is new in another solution may be what leaks."""
_FEWEST = 2  # answers that have to be there before most of them decide
_NEXT = re.compile(r"(?<=\n)Question:")
_ASKED = (
    "Work it out step by step, in a few short lines, each one small step with its numbers. Then "
    "end with a line “Answer: …” that has nothing but the answer."
)
_SHOWN = "Here is how it is done:"
_ALIKE = (
    "Now do this one with the same lines, each with its own numbers, down to the line “Answer: …”."
)


def mend(
    domain: Domain,
    items: Sequence[Item],
    client: TeacherClient,
    settings: Writing,
    checks: Checks,
    *,
    draw: str,
    examples: Examples,
    alive: Callable[[], object],
) -> list[Item]:
    """The same items; where a solution alone was at fault, with one of the teacher's independent
    answers in its place, if one of them passes every check.

    The question is put `settings.agreement` times, and twice at least where no program can work
    it out. An answer counts when it is the value that a program works out, or else when most of
    the answers say so, the item's own aside: two at least, as each is a vote on itself. Of those
    the shortest that has two steps or more is taken, else the shortest. The check of the answer
    says of which call the solution is.

    draw: names run, round and wave; the answers are drawn by it. Raises what the client raises.
    As deterministic as the teacher.

    Ours: in the paper whatever the teacher says is trained on. Choosing among a model's own
    answers those that are right is rejection sampling, as in Yuan et al. 2023 (arXiv 2308.01825).
    """
    if not settings.mends or Operation.DECOMPOSE not in settings.operations:
        return list(items)
    wanted = [
        (place, each)
        for place, item in enumerate(items)
        if is_mendable(item)
        for each in _questions(item, settings, draw, examples.get(item.skill, ()))
    ]
    calls = client.ask([each for _, each in wanted], alive)
    said: dict[int, list[tuple[str, str]]] = {}
    for (place, _), call in zip(wanted, calls, strict=True):
        said.setdefault(place, []).append((call.key, call.reply))
    mended = list(items)
    for place, replies in said.items():
        item = items[place]
        mended[place] = _mended(item, replies, domain.grader(item.skill), checks) or item
    return mended


def is_mendable(item: Item) -> bool:
    """Whether something is wrong with its solution, and with nothing else."""
    failed = {c.id for c in item.checks if not c.passed}
    return bool(failed) and failed <= MENDABLE


def ask_alone(
    item: Item, key: str, purpose: str, sampling: Sampling, examples: Sequence[Example] = ()
) -> Wanted:
    """A request that has nothing but the item's question, and asks for it to be worked out: as
    the examples are, where there are any.
    """
    if examples:
        # first, as what all prompts of a batch begin with is run once
        shown = "\n\n".join(f"Question: {e.question}\nSolution:\n{e.solution}" for e in examples)
        text = f"{_SHOWN}\n\n{shown}\n\n{_ALIKE}\n\nQuestion: {item.question}\nSolution:"
    else:
        text = f"{item.question}\n\n{_ASKED}"
    return (
        call_of(key, purpose, item.skill, text, sampling),
        Prompt(text, sampling, reference=item.answer, skill=item.skill),
    )


def answer_alone(reply: str) -> str:
    """What a reply says to the question that it was asked: a model that was shown examples may
    go on with others of its own. Pure.
    """
    return _NEXT.split(reply.lstrip(), maxsplit=1)[0]


def _questions(
    item: Item, settings: Writing, draw: str, examples: Sequence[Example]
) -> Iterator[Wanted]:
    least = 1 if worked_out(item.question) is not None else _FEWEST
    for i in range(max(least, settings.agreement)):
        sampling = Sampling(
            max_tokens=settings.max_answer_tokens,
            temperature=settings.temperature,
            seed=number(f"{draw}:mend") + i,
        )
        yield ask_alone(item, f"{item.key}-m{i}", "verify", sampling, examples)


def _mended(
    item: Item, replies: Sequence[tuple[str, str]], grader: str, checks: Checks
) -> Item | None:
    replies = [(key, answer_alone(reply)) for key, reply in replies]
    texts = [reply for _, reply in replies]
    drafts = [
        (key, draft) for key, reply in replies if (draft := read_working(item.question, reply))
    ]
    for key, draft in sorted(drafts, key=lambda d: (len(d[1].steps) < 2, len(d[1].worked))):
        found = dataclasses.replace(item, answer=draft.answer, solution=draft.worked)
        answer = answer_result(found, texts, grader, fewest=_FEWEST)
        if answer is None or not answer.passed:
            continue
        kept = {c.id: c for c in item.checks}
        ran = run_checks(found, checks, kept.keys() & ONCE)
        if all(result.passed for result in ran):
            told = dataclasses.replace(
                answer, detail=f"The solution is the teacher's answer {key}."
            )
            results = {**kept, **{r.id: r for r in ran}, told.id: told}
            return dataclasses.replace(found, checks=tuple(results.values()))
    return None


def run_checks(item: Item, checks: Checks, done: Set[str]) -> tuple[CheckResult, ...]:
    """The results of its skill's checks, less those that are done."""
    return check(item, [each for each in checks(item.skill) if each.id not in done])
