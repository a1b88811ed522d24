"""The teacher puts the questions too: asked for items, several at a time, and checked on each.

What it says is read, checked, and its answers verified: worked out where they can be, else given
by most of several independent answers. What is nearly right is mended, see `mending`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from distill.adapter.checks import check
from distill.adapter.client import TeacherClient, Wanted, call_of
from distill.adapter.drafting import SCHEMA, item_of, read_items
from distill.adapter.inspection import Checks, answer_result
from distill.adapter.mending import Examples, mend
from distill.adapter.operations import Operation, levels
from distill.adapter.prompting import Learner, Templates, samples_of
from distill.adapter.tally import Count, Tally
from distill.adapter.verifying import worked_out
from distill.adapter.writing import Order, number
from distill.backends.base import Prompt
from distill.domains.base import FULL_LEVEL, Domain
from distill.records import Call, Item
from distill.settings import Sampling, Writing

SAMPLES = 3  # questions of the domain that a request shows, where it has any


@dataclass(slots=True)
class Slot:
    """Items of one skill and size that are still wanted, and what has been tried for them."""

    order: Order
    level: int
    missing: int
    may_ask: int  # for so many items still
    asked: int = 0  # requests
    failed: list[Item] = field(default_factory=list)
    count: Count = field(default_factory=Count)

    def tally(self) -> Tally:
        return self.count.tally(self.order.skill, self.level)


def slots_of(orders: Sequence[Order], settings: Writing) -> list[Slot]:
    """The orders by size, smaller ones first where the student is to begin small."""
    found = []
    for order in orders:
        sizes = (
            levels(order.n, order.mastery, starts_small=order.starts_small)
            if Operation.LIMIT_LOAD in settings.operations
            else [FULL_LEVEL] * order.n
        )
        for level in (1, 2, 3):
            if n := sizes.count(level):
                found.append(Slot(order, level, n, math.ceil(n * settings.requests_cap)))
    return found


def waves(
    domain: Domain,
    slots: Sequence[Slot],
    learners: Mapping[str, Learner],
    client: TeacherClient,
    *,
    words: Templates,
    teacher: str,
    seed: int,
    round_key: str,
    settings: Writing,
    checks: Checks,
    taken: Set[str],
    examples: Examples,
    alive: Callable[[], None],
) -> Iterator[list[Item]]:
    """Ask for as many items as are missing, until none is or enough were asked for; after each
    wave, the items that came of it, all checks passed.

    What fails is in the slots' `failed`; they and their counts are brought up to date wave by wave.
    What repeats another item is in neither: there is nothing in it for a person to decide.

    As deterministic as the teacher. Raises what the client raises, and `BadTemplate`.
    """
    wave = 0
    while still := [s for s in slots if s.missing and s.may_ask > 0]:
        draw = f"{seed}:{round_key}:{wave}"
        wanted = [
            (slot, each)
            for slot in still
            for each in _requests(
                domain, slot, learners[slot.order.skill], words, settings, seed, round_key, taken
            )
        ]
        calls = client.ask([each for _, each in wanted], alive)
        looked = _looked_at(
            (
                (slot, item)
                for (slot, _), call in zip(wanted, calls, strict=True)
                for item in _items(call, slot, teacher, round_key, settings)
            ),
            checks,
        )
        fresh = [(slot, item) for slot, item in looked if not _repeats(item)]
        verified = _verified(domain, fresh, client, settings, draw, alive)
        mended = mend(
            domain,
            [item for _, item in verified],
            client,
            settings,
            checks,
            draw=draw,
            examples=examples,
            alive=alive,
        )
        for slot, item in looked:
            if _repeats(item):
                slot.count.lost(item)
        yield _kept((slot, item) for (slot, _), item in zip(verified, mended, strict=True))
        wave += 1


def _kept(written: Iterable[tuple[Slot, Item]]) -> list[Item]:
    """What passes every check and is still missing; the slots count all of it."""
    good = []
    for slot, item in written:
        if item.is_flagged:
            slot.count.lost(item)
            slot.failed.append(item)
        elif slot.missing:
            slot.missing -= 1
            slot.count.kept += 1
            good.append(item)
        else:
            slot.count.spare += 1
    return good


def _requests(
    domain: Domain,
    slot: Slot,
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
        samples = samples_of(
            learner.skill, shown[i * SAMPLES : (i + 1) * SAMPLES], settings.operations
        )
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
    call: Call, slot: Slot, teacher: str, round_key: str, settings: Writing
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


def _looked_at(drafted: Iterable[tuple[Slot, Item]], checks: Checks) -> list[tuple[Slot, Item]]:
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
    fresh: Sequence[tuple[Slot, Item]],
    client: TeacherClient,
    settings: Writing,
    draw: str,
    alive: Callable[[], None],
) -> list[tuple[Slot, Item]]:
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
