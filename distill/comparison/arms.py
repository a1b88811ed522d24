"""The methods that are compared, and what each may know of the student.

Every arm but `ioa` is a choice of skills for the next items and an order for them; who writes,
checks, trains and asks is the same for all.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from distill.errors import DistillError
from distill.records import Edge, Item, Skill

IOA = "ioa"
BARE, AVERAGED = "-bare", "-averaged"
DEFAULT = ("uniform", "easy-to-hard", "gap", "llm2llm", IOA)


@dataclass(frozen=True, slots=True)
class Known:
    """What an arm may look at before it chooses.

    lacking: skill -> share of what the teacher can do that the student cannot, in 0..1, as last
    measured; empty for arms that never ask. deficient: the skills whose gap is over τ_gap.
    """

    skills: Sequence[Skill]  # those that may be taught
    edges: Sequence[Edge]
    seed: int
    round: int
    lacking: Mapping[str, float] = field(default_factory=dict)
    deficient: frozenset[str] = frozenset()


Choose = Callable[[Known], dict[str, float]]
"""Weights of the skills in the next items; skills without a weight get none."""
Arrange = Callable[[Sequence[Item], Known], list[Item]]
"""The items of a training in the order the student sees them."""


def evenly(known: Known) -> dict[str, float]:
    return dict.fromkeys((s.id for s in known.skills), 1.0)


def by_gap(known: Known) -> dict[str, float]:
    """Deficient skills in proportion to what is missing of them (Eq. 2)."""
    return {k: v for k, v in known.lacking.items() if k in known.deficient and v > 0}


def at_whim(known: Known) -> dict[str, float]:
    """A mixture drawn at random: what a teacher writes of who knows no student and no plan.

    Dirichlet with parameter 1: every mixture is as likely as any other.
    """
    draw = random.Random(f"whim:{known.seed}")
    return {s.id: draw.expovariate(1.0) for s in known.skills}


def by_errors(known: Known) -> dict[str, float]:
    """First everything alike; then only what the student got wrong, as often as it did."""
    if known.round == 0:
        return evenly(known)
    return {k: v for k, v in known.lacking.items() if v > 0}


def shuffled(items: Sequence[Item], known: Known) -> list[Item]:
    mixed = sorted(items, key=lambda i: i.key)
    random.Random(f"order:{known.seed}:{known.round}").shuffle(mixed)
    return mixed


def easiest_first(items: Sequence[Item], known: Known) -> list[Item]:
    """By the length of the longest chain of prerequisites, then the domain's level."""
    levels = {s.id: s.level for s in known.skills}
    deep = depths(levels, known.edges)
    return sorted(shuffled(items, known), key=lambda i: (deep[i.skill], levels[i.skill]))


def depths(skills: Mapping[str, object], edges: Sequence[Edge]) -> dict[str, int]:
    """Skill -> edges in the longest chain that leads to it; 0 for skills that need nothing.

    A cycle ends after as many steps as there are skills. Pure.
    """
    deep = dict.fromkeys(skills, 0)
    inside = [e for e in edges if e.source in deep and e.target in deep]
    for _ in deep:
        for edge in inside:
            deep[edge.target] = min(len(deep), max(deep[edge.target], deep[edge.source] + 1))
    return deep


@dataclass(frozen=True, slots=True)
class Arm:
    name: str
    says: str  # what it is, in one sentence
    choose: Choose = evenly
    arrange: Arrange = shuffled
    asks_before: bool = False  # whether it measures the student as it came
    asks_between: bool = False  # whether it works in rounds, and measures the student after each
    is_bare: bool = False  # whether its items are the answers alone, without worked steps
    is_averaged: bool = False  # whether one training has the product's average, and no cosine


@dataclass(frozen=True, slots=True)
class Ablation:
    """`ioa`, or `ioa` less one part; see `distill.comparison.ablations`."""

    name: str
    says: str
    without: str = ""


ARMS: dict[str, Arm | Ablation] = {
    arm.name: arm
    for arm in (
        Arm("uniform", "Every skill alike, shuffled, one training with one schedule."),
        Arm(
            "easy-to-hard",
            "Every skill alike, by depth in the graph of prerequisites, one training.",
            arrange=easiest_first,
        ),
        Arm(
            "gap",
            "Deficient skills in proportion to their gap, shuffled, one training.",
            choose=by_gap,
            asks_before=True,
        ),
        Arm(
            "self-instruct",
            "A mixture of skills drawn at random, whatever the student knows, one training.",
            choose=at_whim,
        ),
        Arm(
            "llm2llm",
            "In rounds: first every skill alike, then only what the student got wrong, "
            "with problems that invite the same mistakes.",
            choose=by_errors,
            asks_between=True,
        ),
        Ablation(IOA, "The product: its whole loop on autopilot."),
        Ablation(
            "ioa-identifier", "ioa without the diagnosis: all gaps taken for 1.", "identifier"
        ),
        Ablation("ioa-organizer", "ioa with all skills in one stage.", "organizer"),
        Ablation(
            "ioa-adapter",
            "ioa with bare answers of full size, not chosen by the student's mistakes.",
            "adapter",
        ),
        Ablation(
            "ioa-remediation", "ioa with one round a stage, whatever the gate says.", "rounds"
        ),
        Ablation("ioa-rehearsal", "ioa that repeats nothing of what is mastered.", "rehearsal"),
        Ablation(
            "ioa-average",
            "ioa with an optimiser and a falling rate for each round, and no average.",
            "average",
        ),
    )
}


def find(name: str) -> Arm | Ablation:
    """The arm called `name`. A baseline with “-bare” behind it is trained on answers alone, one of
    a single training with “-averaged” behind it as the product trains: see `lora.average`.

    Raises `DistillError`.
    """
    if name in ARMS:
        return ARMS[name]
    plain = ARMS.get(name.removesuffix(BARE).removesuffix(AVERAGED))
    if isinstance(plain, Arm) and name == plain.name + BARE:
        says = f"{plain.says} Answers without worked steps."
        return dataclasses.replace(plain, name=name, says=says, is_bare=True)
    if isinstance(plain, Arm) and name == plain.name + AVERAGED and not plain.asks_between:
        says = f"{plain.says} Its weights are averaged, as the product's are."
        return dataclasses.replace(plain, name=name, says=says, is_averaged=True)
    raise DistillError(
        f"There is no arm “{name}”. There are: {', '.join(ARMS)}; uniform{BARE} and so on, which "
        f"train on answers without worked steps; and uniform{AVERAGED} and so on, which average "
        "their weights as the product does."
    )
