"""A language model writes the items of a round, for this student as it is now.

Wave by wave: ask for what is missing, read it, check it, have its answers verified; until nothing
is missing or enough was asked. Where the domain puts the questions, see `answering`. Every request
has a key and is kept with its reply, so that a call that was killed, and is made again, repeats no
request and comes to the same items.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from distill.adapter import answering
from distill.adapter.attempts import Attempts
from distill.adapter.checks import check
from distill.adapter.client import TeacherClient, Wanted, call_of
from distill.adapter.drafting import SCHEMA, item_of, read_items
from distill.adapter.inspection import Checks, answer_result
from distill.adapter.mending import mend
from distill.adapter.operations import Operation, levels
from distill.adapter.prompting import Learner, Sample, Templates, built_in
from distill.adapter.tally import Count, TallySink
from distill.adapter.verifying import worked_out
from distill.adapter.writing import ItemSink, Order, number
from distill.backends.base import Beat, Prompt, no_beat
from distill.domains.base import FULL_LEVEL, Domain
from distill.records import Call, Item
from distill.settings import Sampling, Writing

SAMPLES = 3  # questions of the domain that a request shows, where it has any


@dataclass(slots=True)
class _Slot:
    """Items of one skill and size that are still wanted, and what has been tried for them."""

    order: Order
    level: int
    missing: int
    may_ask: int  # for so many items still
    asked: int = 0  # requests
    failed: list[Item] = field(default_factory=list)
    count: Count = field(default_factory=Count)


def teach(
    domain: Domain,
    orders: Sequence[Order],
    learners: Mapping[str, Learner],
    client: TeacherClient,
    *,
    teacher: str,
    seed: int,
    round_key: str,
    settings: Writing,
    checks: Checks,
    taken: Set[str] = frozenset(),
    templates: Templates | None = None,
    attempts: Attempts | None = None,
    beat: Beat = no_beat,
    sink: ItemSink = lambda item: None,
    tell: TallySink = lambda tallies: None,
) -> list[Item]:
    """Have a language model write and verify the items of a round.

    Args:
        orders, seed, round_key, attempts, beat, sink: as in `writing.write`.
        taken: `question_key`s of earlier items: the domain's questions that are not shown or put.
        learners: what the teacher is told of the student, for each skill that is ordered.
        client: asks the teacher, and keeps what it says.
        teacher: its name, which the items carry as their origin.
        checks: of a skill; that of duplicates remembers.
        templates: the words; those that come with the program unless others are given.
        tell: takes, after each wave, what became of all that was asked for, seen or not.

    Returns:
        Items wave by wave, each with the results of its checks. Those that could not be got right
        within `requests_cap` follow, flagged, no more than wanted; unreadable and repeated do not.

    Raises what the teacher, `beat` and `sink` raise, `BadTemplate` and `BudgetSpent`.

    With the calls that are kept, and a teacher that is deterministic, always the same. Source:
    He et al. 2026, section 3.3. Ours: the answer is worked out where it can be, and else has to be
    given by most of several independent answers.
    """
    words = templates or built_in()
    put = answering.put_by_domain(domain, orders, settings)
    by_domain = {ordered.order.skill for ordered in put}
    slots = list(_slots([o for o in orders if o.skill not in by_domain], settings))
    total = sum(order.n for order in orders)
    good: list[Item] = []

    def alive() -> None:
        beat(len(good), total)

    def tell_all() -> None:
        counted = [slot.count.tally(slot.order.skill, slot.level) for slot in slots]
        tell([*counted, *(tally for ordered in put for tally in ordered.tallies())])

    alive()
    for found in answering.waves(
        domain,
        put,
        client,
        teacher=teacher,
        draw=f"{seed}:{round_key}",
        round_key=round_key,
        settings=settings,
        checks=checks,
        taken=taken,
        attempts=attempts,
        alive=alive,
    ):
        good += found
        for item in found:
            sink(item)
        tell_all()
        alive()
    wave = 0
    while open_slots := [s for s in slots if s.missing and s.may_ask > 0]:
        wanted = [
            (slot, each)
            for slot in open_slots
            for each in _requests(
                domain, slot, learners[slot.order.skill], words, settings, seed, round_key, taken
            )
        ]
        calls = client.ask([each for _, each in wanted], alive)
        drafted = [
            (slot, item)
            for (slot, _), call in zip(wanted, calls, strict=True)
            for item in _items(call, slot, teacher, round_key, settings)
        ]
        looked = _looked_at(drafted, checks)
        fresh = [(slot, item) for slot, item in looked if not _repeats(item)]
        verified = _verified(domain, fresh, client, settings, f"{seed}:{round_key}:{wave}", alive)
        mended = mend(
            domain,
            [item for _, item in verified],
            client,
            settings,
            checks,
            draw=f"{seed}:{round_key}:{wave}",
            alive=alive,
        )
        verified = [(slot, item) for (slot, _), item in zip(verified, mended, strict=True)]
        for slot, item in looked:
            if _repeats(item):
                slot.count.lost(item)
        for slot, item in verified:
            if item.is_flagged:
                slot.count.lost(item)
                slot.failed.append(item)
            elif slot.missing:
                slot.missing -= 1
                slot.count.kept += 1
                good.append(item)
                sink(item)
            else:
                slot.count.spare += 1
        tell_all()
        alive()
        wave += 1
    tried = [(each.failed, each.missing) for each in put]
    tried += [(slot.failed, slot.missing) for slot in slots]
    flagged = [item for failed, missing in tried for item in _best(failed, missing)]
    for item in flagged:
        sink(item)
    beat(total, total)
    return good + flagged


def _slots(orders: Sequence[Order], settings: Writing) -> Iterator[_Slot]:
    for order in orders:
        sizes = (
            levels(order.n, order.mastery, starts_small=order.starts_small)
            if Operation.LIMIT_LOAD in settings.operations
            else [FULL_LEVEL] * order.n
        )
        for level in (1, 2, 3):
            if n := sizes.count(level):
                yield _Slot(order, level, n, math.ceil(n * settings.requests_cap))


def _requests(
    domain: Domain,
    slot: _Slot,
    learner: Learner,
    words: Templates,
    settings: Writing,
    seed: int,
    round_key: str,
    taken: Set[str],
) -> Iterator[Wanted]:
    """One request for each `items_per_request` items that are missing, as far as one may ask."""
    wanted = min(slot.missing, slot.may_ask)
    n_requests = math.ceil(wanted / settings.items_per_request)
    skill = slot.order.skill
    draw = number(f"{seed}:{round_key}:{skill}:{slot.level}:{slot.asked}")
    shown = domain.problems(skill, n_requests * SAMPLES, seed=draw, level=slot.level, exclude=taken)
    for i in range(n_requests):
        n = min(settings.items_per_request, wanted - i * settings.items_per_request)
        samples = [Sample(p.question, p.worked) for p in shown[i * SAMPLES : (i + 1) * SAMPLES]]
        text = words.prompt(
            learner,
            n=n,
            level=slot.level,
            samples=samples,
            operations=settings.operations,
            shown=settings.shown,
        )
        sampling = Sampling(
            max_tokens=settings.max_reply_tokens,
            temperature=settings.temperature,
            seed=number(f"{seed}:{round_key}") + slot.asked + i,  # the words may be the same
        )
        key = f"{round_key}-{skill}-{slot.level}-{slot.asked + i}"
        yield (
            call_of(key, "write", skill, text, sampling, words.version),
            Prompt(text, sampling, skill=skill, schema=SCHEMA),
        )
    slot.asked += n_requests
    slot.may_ask -= wanted
    slot.count.asked += wanted


def _items(
    call: Call, slot: _Slot, teacher: str, round_key: str, settings: Writing
) -> Iterator[Item]:
    for draft in read_items(call.reply).drafts:
        yield item_of(
            draft,
            call,
            key=round_key,
            level=slot.level,
            operations=settings.operations,
            origin=teacher,
        )


def _looked_at(drafted: Sequence[tuple[_Slot, Item]], checks: Checks) -> list[tuple[_Slot, Item]]:
    """The items with the results of their checks."""
    return [
        (slot, dataclasses.replace(item, checks=check(item, checks(item.skill))))
        for slot, item in drafted
    ]


def _repeats(item: Item) -> bool:
    """Such an item is left out, not shown: there is nothing in it for a person to decide."""
    return any(c.id == "duplicate" and not c.passed for c in item.checks)


def _verified(
    domain: Domain,
    fresh: Sequence[tuple[_Slot, Item]],
    client: TeacherClient,
    settings: Writing,
    draw: str,
    alive: Callable[[], None],
) -> list[tuple[_Slot, Item]]:
    """The same items, with what is known of their answers. Only clean ones are asked about."""
    asked: dict[str, list[Call]] = {}
    wanted = []
    for _, item in fresh:
        if not item.is_flagged and worked_out(item.question) is None:
            wanted += [(item.key, each) for each in _samples(item, settings, draw)]
    calls = client.ask([each for _, each in wanted], alive)
    for (key, _), call in zip(wanted, calls, strict=True):
        asked.setdefault(key, []).append(call)
    found = []
    for slot, item in fresh:
        said = [call.reply for call in asked.get(item.key, [])]
        result = answer_result(item, said, domain.grader(item.skill))
        if result is not None:
            item = dataclasses.replace(item, checks=(*item.checks, result))
        found.append((slot, item))
    return found


def _samples(item: Item, settings: Writing, draw: str) -> Iterator[Wanted]:
    for i in range(settings.agreement):
        sampling = Sampling(
            max_tokens=settings.max_answer_tokens,
            temperature=settings.temperature,
            seed=number(draw) + i,
        )
        text = f"{item.question}\n\nWork it out, then end with a line “Answer: …”."
        yield (
            call_of(f"{item.key}-v{i}", "verify", item.skill, text, sampling),
            Prompt(text, sampling, reference=item.answer, skill=item.skill),
        )


def _best(failed: Sequence[Item], missing: int) -> list[Item]:
    """As many of those that failed as are missing: first what failed fewest checks."""
    return sorted(failed, key=lambda item: sum(not c.passed for c in item.checks))[:missing]
