"""Writing the items of a round for the student as it is now."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field

from distill.adapter.checks import Belongs, Fits, NotDuplicate, NotLeak, check, standard_checks
from distill.adapter.operations import Operation, levels
from distill.adapter.steering import DRAWN, steer
from distill.backends.base import Beat, no_beat
from distill.domains.base import Domain, Problem, question_key
from distill.errors import DomainError
from distill.grading import GRADERS, Graders
from distill.records import Item


@dataclass(frozen=True, slots=True)
class Order:
    """How many items of a skill a round wants, and for what student."""

    skill: str
    n: int
    mastery: float = 0.0  # r(k) in 0..1, measured last
    starts_small: bool = False  # a bridge: the stage begins with one, or two rounds have failed
    errors: Mapping[str, int] = field(default_factory=dict)  # kind -> wrong answers, see `steer`


ItemSink = Callable[[Item], None]


def write(
    domain: Domain,
    orders: Sequence[Order],
    *,
    seed: int,
    round_key: str,
    operations: Set[Operation],
    earlier: Collection[str] = (),
    leak: NotLeak | None = None,
    fits: Fits | None = None,
    graders: Graders = GRADERS,
    beat: Beat = no_beat,
    sink: ItemSink = lambda item: None,
) -> list[Item]:
    """Write and check the items of a round, from the domain's exact generators.

    Args:
        orders: one for each skill.
        seed: the run's; the same run and round give the same items.
        round_key: names stage and round; part of every item's key and of the draw.
        earlier: questions of the run's earlier items, which are asked again only where a skill
            has no others left; nothing else that is near to one of them passes.
        leak, fits: what the round's items are compared with, and what the student can take.
        graders: `grading.switched_on(run_code=True)` where programs may be run.

    Returns:
        Items skill by skill, smaller instances first, each with the results of its checks; no
        question twice, and so fewer than ordered where a skill has not as many. Sunk one by one
        as they are written.

    Raises `DomainError` when the domain cannot write items for a skill, and what `beat` raises.

    Source: He et al. 2026, section 3.3, operations decompose, limit load, one format.
    """
    total = sum(order.n for order in orders)
    taken = {question_key(question) for question in earlier}
    duplicate = NotDuplicate(earlier=earlier, again=taken)
    leak, belongs = leak or NotLeak(), Belongs(domain)
    items: list[Item] = []
    for order in orders:
        drawn = draw_problems(domain, order, f"{seed}:{round_key}", operations, taken)
        if not drawn and order.n:
            raise DomainError(
                f"Nothing can be written for {order.skill}: this domain has no generator for it "
                "and no items of its own. Choose a teacher that writes, or retire the skill."
            )
        checks = standard_checks(
            domain.grader(order.skill),
            duplicate=duplicate,
            leak=leak,
            fits=fits,
            belongs=belongs,
            graders=graders,
        )
        for problem, aims in drawn:
            item = _item(problem, round_key, operations)
            item = dataclasses.replace(item, aims=aims, checks=check(item, checks))
            sink(item)
            items.append(item)
            beat(len(items), total)
    return items


def draw_problems(
    domain: Domain, order: Order, seed: str, operations: Set[Operation], taken: Set[str]
) -> list[tuple[Problem, tuple[str, ...]]]:
    """Problems of the domain for an order, smaller ones first, each with the kinds of error it
    was chosen for. What is `taken` comes again only where nothing else is left; fewer than
    ordered where the domain has not as many. Pure.
    """
    sizes = (
        levels(order.n, order.mastery, starts_small=order.starts_small)
        if Operation.LIMIT_LOAD in operations
        else [3] * order.n
    )
    drawn: list[tuple[Problem, tuple[str, ...]]] = []
    missing = 0
    # small instances run out: larger ones step in; then questions of earlier rounds, once more
    for level, n, avoided in (
        (1, sizes.count(1), taken),
        (2, sizes.count(2), taken),
        (3, sizes.count(3), taken),
        (3, 0, frozenset[str]()),
    ):
        wanted = n + missing
        found = domain.problems(
            order.skill,
            wanted * (DRAWN if order.errors else 1),
            seed=number(f"{seed}:{level}"),
            level=level,
            exclude=avoided | {p.key for p, _ in drawn},
        )
        chosen = steer(found, order.errors, wanted)
        drawn += chosen
        missing = wanted - len(chosen)
    return drawn


def _item(problem: Problem, round_key: str, operations: Set[Operation]) -> Item:
    is_worked = Operation.DECOMPOSE in operations and problem.worked != problem.terse
    used = [Operation.ONE_FORMAT] if Operation.ONE_FORMAT in operations else []
    if is_worked:
        used.insert(0, Operation.DECOMPOSE)
    if Operation.LIMIT_LOAD in operations and problem.level < 3:
        used.append(Operation.LIMIT_LOAD)
    return Item(
        key=f"{round_key}-{problem.skill}-{problem.key[:16]}",
        skill=problem.skill,
        question=problem.question,
        solution=problem.worked if is_worked else problem.terse,
        answer=problem.answer,
        operations=tuple(used),
        level=problem.level,
        origin="procedural",
    )


def number(text: str) -> int:
    """A seed, 48 bits, that is the same for the same text in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
