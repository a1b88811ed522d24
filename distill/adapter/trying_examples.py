"""Examples of a skill that are not in use yet, tried: does a teacher work its questions out so?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from distill.adapter.answering import best_of
from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.mending import OF_QUESTION, ask_alone
from distill.adapter.operations import Operation
from distill.adapter.writing import number
from distill.backends.base import Beat, no_beat
from distill.domains.base import FULL_LEVEL, Domain, question_key
from distill.records import Call, Example, Item
from distill.settings import Sampling, Writing


class Outcome(StrEnum):
    ALIKE = "alike"  # right, in as many steps as one of the examples or more
    USABLE = "usable"  # right, in fewer; without examples, however many
    UNUSABLE = "unusable"  # wrong, or no steps can be read, or a check of the solution fails


@dataclass(frozen=True, slots=True)
class TriedQuestion:
    call: Call
    question: str
    answer: str  # the domain's
    shown: bool  # whether the examples stood before it
    outcome: Outcome
    fault: str = ""  # a sentence on why it is of no use


def try_examples(
    domain: Domain,
    skill: str,
    examples: Sequence[Example],
    client: TeacherClient,
    *,
    settings: Writing,
    checks: Checks,
    key: str,
    n: int,
    seed: int,
    beat: Beat = no_beat,
) -> list[TriedQuestion]:
    """Put `n` of the domain's questions, each once for the teacher's likeliest answer: with the
    examples before it, as `answering.waves` does, and all of them in the teacher's own words.

    Questions of full size, the same for every trial of a seed, less those that are examples
    themselves; fewer than `n` where the domain has not as many. key: what the keys of the calls
    begin with, unique within their run; those that are kept are not made again. checks: what a
    question repeats or leaks is no fault here.

    Returns them in two runs of the same questions: shown (none where there are no examples), then
    not. As deterministic as the teacher. Raises what it and `beat` raise, and `BudgetSpent`.
    """
    problems = domain.problems(
        skill,
        n,
        seed=number(f"{seed}:examples"),
        level=FULL_LEVEL,
        exclude={question_key(example.question) for example in examples},
    )
    sampling = Sampling(max_tokens=settings.max_answer_tokens, temperature=0.0, seed=0)
    grader = domain.grader(skill)
    ways = [tuple(examples), ()] if examples else [()]
    total = len(ways) * len(problems)
    found: list[TriedQuestion] = []
    beat(0, total)
    for like in ways:  # one after the other: what all prompts of a batch begin with is run once
        items = [
            Item(
                key=f"{key}-{'a' if like else 'b'}{nth}",
                skill=skill,
                question=problem.question,
                solution="",
                answer=problem.answer,
                operations=(),
                level=problem.level,
                origin="",
            )
            for nth, problem in enumerate(problems)
        ]
        wanted = [ask_alone(item, item.key, "try", sampling, like) for item in items]
        calls = client.ask(wanted, lambda: beat(client.answered, total))
        for item, call in zip(items, calls, strict=True):
            outcome, fault = _judged(best_of(item, [call], grader, checks, settings, like))
            found.append(
                TriedQuestion(call, item.question, item.answer, bool(like), outcome, fault)
            )
    return found


def _judged(best: Item | None) -> tuple[Outcome, str]:
    if best is None:
        return Outcome.UNUSABLE, "No solution in steps could be read."
    for check in best.checks:
        if not check.passed and check.id not in OF_QUESTION:
            return Outcome.UNUSABLE, check.detail
    alike = Operation.ONE_FORMAT in best.operations
    return (Outcome.ALIKE if alike else Outcome.USABLE), ""
