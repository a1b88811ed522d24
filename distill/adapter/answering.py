"""The domain puts the questions, and a language model works them out.

What is distilled is then what a teacher says to questions that are known to be good and whose
answers are known: a bank of questions, or a generator's. What it gets wrong is left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from distill.adapter.attempts import Attempts, Chosen
from distill.adapter.checks import AnswerVerified, check
from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.mending import (
    OF_QUESTION,
    ONCE,
    Examples,
    answer_alone,
    ask_alone,
    run_checks,
)
from distill.adapter.operations import Operation
from distill.adapter.tally import Count, Tally
from distill.adapter.writing import Order, draw_problems, number
from distill.domains.base import FULL_LEVEL, Domain
from distill.domains.working import read_working
from distill.records import Call, CheckResult, Example, Item
from distill.settings import Sampling, Writing

_ALIKE = Operation.ONE_FORMAT  # on items whose solution is like the examples that were shown


@dataclass(slots=True)
class Ordered:
    """What is still missing of an order, and what has been tried for it."""

    order: Order
    missing: int
    may_ask: int  # for so many questions still
    waves: int = 0
    shown: int = 0  # questions that were put with the skill's examples
    followed: int = 0  # of them, those that came out right
    in_own_words: bool = False  # without examples: there are none, or they are not followed
    asked: set[str] = field(default_factory=set)  # keys of questions
    failed: list[Item] = field(default_factory=list)
    counts: dict[int, Count] = field(default_factory=dict)  # by size

    def tallies(self) -> list[Tally]:
        return [
            count.tally(self.order.skill, level) for level, count in sorted(self.counts.items())
        ]


def waves(
    domain: Domain,
    orders: Sequence[Ordered],
    client: TeacherClient,
    *,
    teacher: str,
    draw: str,
    round_key: str,
    settings: Writing,
    checks: Checks,
    taken: Set[str],
    attempts: Attempts | None,
    examples: Examples,
    alive: Callable[[], None],
) -> Iterator[list[Item]]:
    """Put as many questions as are missing, until none is or enough were put; after each wave,
    the items that came of it, all checks passed.

    What fails is in the orders' `failed`, as far as there is a solution to show; they and their
    counts are brought up to date wave by wave.

    Each question is put alone: once for the teacher's likeliest answer, and, where that does not
    come to the domain's, `settings.agreement` times at its temperature. Where the skill has
    examples, they are shown, and what has fewer steps than they have is asked for again; a skill
    of which fewer than half comes out right that way is asked without them. Of a wave's solutions
    that are right and pass every check one of as many steps as the examples have is taken before
    others, one of two steps or more before the rest, and else the shortest.

    As deterministic as the teacher. Raises what the client raises. Source: a teacher's outputs as
    targets, Kim & Rush 2016 (arXiv 1606.07947); only those that are right, Yuan et al. 2023 (arXiv
    2308.01825).
    """
    while still := [each for each in orders if each.missing and each.may_ask > 0]:
        put = []
        for ordered in still:
            drawn = _drawn(domain, ordered, draw, settings, taken, attempts, alive)
            for chosen in drawn:
                if chosen.problem.key in taken:
                    checks.ask_again(chosen.problem.key)
                item = _item(chosen, round_key, settings, teacher)
                put.append((ordered, dataclasses.replace(item, checks=_of_question(item, checks))))
        good = []
        for (ordered, _), item in zip(
            put,
            _answered(put, domain, client, settings, checks, draw, examples, alive),
            strict=True,
        ):
            count = ordered.counts[item.level]
            if not item.is_flagged:
                count.kept += 1
                ordered.missing -= 1
                good.append(item)
                continue
            count.lost(item)
            if item.solution:
                ordered.failed.append(item)
        yield good


def _answered(
    put: Sequence[tuple[Ordered, Item]],
    domain: Domain,
    client: TeacherClient,
    settings: Writing,
    checks: Checks,
    draw: str,
    examples: Examples,
    alive: Callable[[], None],
) -> list[Item]:
    """The same items, each with the best solution that the teacher gave, if there is one."""
    items = [item for _, item in put]
    settled: set[int] = set()  # places of what is right, and like the examples that were shown
    for ordered, _ in put:
        ordered.in_own_words |= ordered.order.skill not in examples
    likeliest = {"0": Sampling(max_tokens=settings.max_answer_tokens, temperature=0.0, seed=0)}

    def ask(samplings: Mapping[str, Sampling], *, shown: bool) -> None:
        open_ = [
            (place, item)
            for place, (ordered, item) in enumerate(put)
            if ordered.in_own_words is not shown
            if not item.is_flagged and place not in settled
        ]
        wanted = []
        for name, sampling in samplings.items():
            for place, item in open_:
                like = examples[item.skill] if shown else ()
                key = f"{item.key}-{'b' if item.skill in examples and not shown else 'a'}{name}"
                wanted.append((place, ask_alone(item, key, "write", sampling, like)))
        calls = client.ask([each for _, each in wanted], alive)
        said: dict[int, list[Call]] = {}
        for (place, _), call in zip(wanted, calls, strict=True):
            said.setdefault(place, []).append(call)
        for place, item in open_:
            like = examples[item.skill] if shown else ()
            best = best_of(item, said[place], domain.grader(item.skill), checks, settings, like)
            if best and not (items[place].solution and best.is_flagged):
                items[place] = best
                if not best.is_flagged and not (shown and _ALIKE not in best.operations):
                    settled.add(place)

    for shown in (True, False):
        ask(likeliest, shown=shown)
        ask(_samplings(settings, draw), shown=shown)
        if shown:
            _note_followed(put, settled)
    return [item if item.solution or item.is_flagged else _unanswered(item) for item in items]


def _note_followed(put: Sequence[tuple[Ordered, Item]], settled: Set[int]) -> None:
    """Whether a teacher can follow the examples: where fewer than half of an order's questions, in
    all its waves, come out right that way, it is asked in its own words from here on.
    """
    for place, (ordered, item) in enumerate(put):
        if not (ordered.in_own_words or item.is_flagged):
            ordered.shown += 1
            ordered.followed += place in settled
    for ordered, _ in put:
        ordered.in_own_words |= 2 * ordered.followed < ordered.shown


def put_by_domain(domain: Domain, orders: Sequence[Order], settings: Writing) -> list[Ordered]:
    """The orders whose questions the domain is to put, and can."""
    return [
        Ordered(order, order.n, round(order.n * settings.requests_cap))
        for order in orders
        if settings.questions_of_domain and domain.problems(order.skill, 1, seed=0)
    ]


def _drawn(
    domain: Domain,
    ordered: Ordered,
    draw: str,
    settings: Writing,
    taken: Set[str],
    attempts: Attempts | None,
    alive: Callable[[], None],
) -> list[Chosen]:
    """Questions of the domain, no more than are missing; counted as asked."""
    order = dataclasses.replace(ordered.order, n=min(ordered.missing, ordered.may_ask))
    seed = f"{draw}:{ordered.waves}"
    taken = taken | ordered.asked
    operations = set(settings.operations)
    drawn = draw_problems(domain, order, seed, operations, taken, attempts=attempts, alive=alive)
    fresh = [chosen for chosen in drawn if chosen.problem.key not in ordered.asked]
    ordered.waves += 1
    ordered.may_ask = ordered.may_ask - order.n if fresh else 0
    for chosen in fresh:
        ordered.asked.add(chosen.problem.key)
        ordered.counts.setdefault(chosen.problem.level, Count()).asked += 1
    return fresh


def _item(chosen: Chosen, round_key: str, settings: Writing, teacher: str) -> Item:
    """A question as an item without a solution."""
    problem = chosen.problem
    used = [Operation.DECOMPOSE] if Operation.DECOMPOSE in settings.operations else []
    if Operation.LIMIT_LOAD in settings.operations and problem.level < FULL_LEVEL:
        used.append(Operation.LIMIT_LOAD)
    return Item(
        key=f"{round_key}-{problem.skill}-{problem.key[:16]}",
        skill=problem.skill,
        question=problem.question,
        solution="",
        answer=problem.answer,
        operations=tuple(used),
        level=problem.level,
        origin=teacher,
        aims=chosen.aims,
        said=chosen.said,
    )


def _samplings(settings: Writing, draw: str) -> dict[str, Sampling]:
    """By the name that ends the key of their calls."""
    most = settings.max_answer_tokens
    return {
        str(nth): Sampling(
            max_tokens=most,
            temperature=settings.temperature,
            seed=number(f"{draw}:answer") + nth if settings.temperature else 0,
        )
        for nth in range(1, 1 + settings.agreement)
    }


def best_of(
    item: Item,
    calls: Sequence[Call],
    grader: str,
    checks: Checks,
    settings: Writing,
    examples: Sequence[Example],
) -> Item | None:
    """The item with the best solution that could be read: first by whether it passes every check,
    then whether it has as many steps as one of the examples that were shown, of which the item
    says so (*one format*), then two steps or more, then the shortest.
    """
    verified = AnswerVerified(grader)
    fewest = min((len(e.solution.splitlines()) - 1 for e in examples), default=1)
    found = []
    for call in calls:
        reply = answer_alone(call.reply)
        is_right = verified.worth(item, reply)[0] == 1.0
        draft = read_working(item.question, reply, item.answer if is_right else None)
        if draft is None:
            continue
        is_alike = len(draft.steps) >= fewest
        used = [_ALIKE] if examples and is_alike else []
        is_worked = Operation.DECOMPOSE in settings.operations
        words = draft.worked if is_worked else draft.terse
        solved = dataclasses.replace(
            item, solution=words, call=call.key, operations=(*item.operations, *used)
        )
        wrong = "" if is_right else f"The answer is {item.answer}, not {draft.answer}."
        of_solution = run_checks(solved, checks, ONCE)
        looked_again = {result.id for result in of_solution}
        results = (
            *of_solution,
            CheckResult(verified.id, verified.version, is_right, wrong),
            *(result for result in item.checks if result.id not in looked_again),
        )
        solved = dataclasses.replace(solved, checks=results)
        rank = (solved.is_flagged, not is_alike, len(draft.steps) < 2, len(words))
        found.append((rank, solved))
    return min(found, key=lambda each: each[0])[1] if found else None


def _unanswered(item: Item) -> Item:
    """With a result that says so."""
    told = CheckResult(AnswerVerified.id, AnswerVerified.version, False, "Nothing could be read.")
    return dataclasses.replace(item, checks=(*item.checks, told))


def _of_question(item: Item, checks: Checks) -> tuple[CheckResult, ...]:
    return check(item, [each for each in checks(item.skill) if each.id in OF_QUESTION])
