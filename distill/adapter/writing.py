"""Writing the items of a round for the student as it is now."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field

from distill.adapter.attempts import Attempts, Chosen, failed_first
from distill.adapter.checks import Belongs, Fits, NotDuplicate, NotLeak, check, standard_checks
from distill.adapter.operations import Operation, levels
from distill.adapter.steering import DRAWN, steer
from distill.backends.base import Beat, no_beat
from distill.domains.base import FULL_LEVEL, Domain, question_key
from distill.errors import DomainError
from distill.grading import GRADERS, Graders
from distill.records import Item

NAMED = 8  # skills in a refusal


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
    attempts: Attempts | None = None,
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
        attempts: who tries questions first; none: they are chosen by `steer`.

    Returns:
        Items skill by skill, smaller instances first, each with the results of its checks; no
        question twice, and so fewer than ordered where a skill has not as many. Sunk one by one
        as they are written.

    Raises `DomainError` when the domain cannot write items for a skill, and what `beat` and the
    student's attempts raise.

    Source: He et al. 2026, section 3.3, operations decompose, limit load, one format.
    """
    total = sum(order.n for order in orders)
    taken = {question_key(question) for question in earlier}
    duplicate = NotDuplicate(earlier=earlier, again=taken)
    leak, belongs = leak or NotLeak(), Belongs(domain)
    items: list[Item] = []
    for order in orders:
        draw = f"{seed}:{round_key}"
        drawn = draw_problems(
            domain,
            order,
            draw,
            operations,
            taken,
            attempts=attempts,
            alive=lambda: beat(len(items), total),
        )
        if not drawn and order.n:
            raise DomainError(nothing_for([order.skill]))
        checks = standard_checks(
            domain.grader(order.skill),
            duplicate=duplicate,
            leak=leak,
            fits=fits,
            belongs=belongs,
            graders=graders,
        )
        for chosen in drawn:
            item = _item(chosen, round_key, operations)
            item = dataclasses.replace(item, checks=check(item, checks))
            sink(item)
            items.append(item)
            beat(len(items), total)
    if len(items) < total:
        beat(len(items), len(items))  # these are all there are
    return items


def draw_problems(
    domain: Domain,
    order: Order,
    seed: str,
    operations: Set[Operation],
    taken: Set[str],
    *,
    attempts: Attempts | None = None,
    alive: Callable[[], None] = lambda: None,
) -> list[Chosen]:
    """Problems of the domain for an order, smaller ones first, each with what it was chosen for.
    What is `taken` comes again only where nothing else is left; fewer than ordered where the
    domain has not as many. Small ones are tried by nobody. Pure, but for the student's attempts.
    """
    sizes = (
        levels(order.n, order.mastery, starts_small=order.starts_small)
        if Operation.LIMIT_LOAD in operations
        else [3] * order.n
    )
    grader = domain.grader(order.skill)
    drawn: list[Chosen] = []
    missing = 0
    # small instances run out: larger ones step in; then questions of earlier rounds, once more
    for level, n, avoided in (
        (1, sizes.count(1), taken),
        (2, sizes.count(2), taken),
        (3, sizes.count(3), taken),
        (3, 0, frozenset[str]()),
    ):
        wanted = n + missing
        tried = attempts if level == FULL_LEVEL else None
        found = domain.problems(
            order.skill,
            wanted * (tried.drawn if tried else DRAWN if order.errors else 1),
            seed=number(f"{seed}:{level}"),
            level=level,
            exclude=avoided | {c.problem.key for c in drawn},
        )
        if tried:
            chosen = failed_first(found, wanted, ask=tried.ask, grader=grader, alive=alive)
        else:
            chosen = [Chosen(p, aims) for p, aims in steer(found, order.errors, wanted)]
        drawn += chosen
        missing = wanted - len(chosen)
    return drawn


def _item(chosen: Chosen, round_key: str, operations: Set[Operation]) -> Item:
    problem = chosen.problem
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
        aims=chosen.aims,
        said=chosen.said,
    )


def unwritable(domain: Domain, skills: Collection[str] = ()) -> list[str]:
    """The skills, of these or of all, that are to be taught and of which the domain itself has
    neither a generator nor training items: only a teacher that writes can teach them. Pure.
    """
    taught = [s.id for s in domain.skills if not s.is_transfer and (not skills or s.id in skills)]
    return [skill for skill in taught if not domain.problems(skill, 1, seed=0)]


def nothing_for(skills: Sequence[str]) -> str:
    """What a person is told of skills that are `unwritable`. Pure."""
    told = ", ".join(skills[:NAMED])
    if len(skills) > NAMED:
        told += f" and {len(skills) - NAMED} more"
    return (
        f"Nothing can be written for {told}: the domain has no generator and no training items of "
        "its own. A new run needs a teacher that writes, training items in the domain's file, or "
        "to go without."
    )


def number(text: str) -> int:
    """A seed, 48 bits, that is the same for the same text in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
