"""What a round trains on: what is not mastered yet, and rehearsal of what is."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from distill.errors import BudgetSpent
from distill.records import Item
from distill.settings import Budget
from distill.statistics import in_proportion
from distill.verdicts import GateAnswer, GateEvidence

SMALLEST_SHARE = 0.5  # of `items_per_skill`, for a skill that lacks little
FEWEST = 32  # items of a skill and round, however many wait: fewer are too few steps to matter
LEAST_OF_LEFT = 1 / 6  # of what is left, for a round that teaches many skills beside its stage's
FAILS_BEFORE_BRIDGE = 2  # rounds in a row, after which a skill is begun small again

EMPTY: Mapping[str, float] = MappingProxyType({})


def weight_of(lack: float) -> float:
    """What a skill weighs that lacks so much, in 0..1: 1 from a half on, and never under a half.

    In proportion to what is lacking, a skill that nearly sits would get nothing and be unlearned
    (docs/log.md: A2 from 0.94 to 0.56 beside skills that lacked all).
    """
    return min(1.0, max(SMALLEST_SHARE, 2 * lack))


def new_items(need: Mapping[str, float], n: int) -> dict[str, int]:
    """Deal `n` new items to the skills of a round, by `weight_of` what each still lacks.

    need: skill -> what is missing, in 0..1 (1 − r); skills that lack nothing leave the mixture.
    When nothing is missing by the numbers (all unclear), the skills share alike. Sums to n.

    Pure; ties by name. Ours: a skill leaves the mixture as soon as it sits.
    """
    lacking = {k: weight_of(v) for k, v in need.items() if v > 0}
    return in_proportion(lacking or dict.fromkeys(need, 1.0), n)


def dealt(
    need: Mapping[str, float], beside: Mapping[str, float], n: int, budget: Budget
) -> dict[str, int]:
    """Deal `n` new items to the stage's own skills, and to those of other stages beside them.

    need, beside: skill -> what it lacks, in 0..1; those beside in the order in which they come.
    Of its weight a skill beside has `budget.preview_weight`; together they weigh no more than
    `budget.broad_skills` of a stage, so that where hundreds wait the next ones have a share.
    Without anything beside this is `new_items`. Sums to n.

    Pure; ties by name. Ours: docs/decisions/0022 and 0033.
    """
    others = _beside(need, beside, budget)
    if not others:
        return new_items(need, n)
    return in_proportion({k: weight_of(v) for k, v in need.items()} | others, n)


def _beside(
    need: Mapping[str, float], beside: Mapping[str, float], budget: Budget
) -> dict[str, float]:
    found: dict[str, float] = {}
    room = math.inf if budget.broad_skills is None else float(budget.broad_skills)
    for skill, lack in beside.items():
        weight = budget.preview_weight * weight_of(lack)
        if skill in need or lack <= 0 or not weight:
            continue
        room -= weight
        if room < 0:
            break
        found[skill] = weight
    return found


def rehearsal_share(
    budget: Budget, need: Mapping[str, float], beside: Mapping[str, float], known: Iterable[str]
) -> float:
    """ρ of a round: what of it repeats earlier items, in 0..<1.

    known: the skills of which there are such items. Each that is not taught anew weighs
    `rehearsal_weight`, beside what the others weigh that are: few known skills take little, many
    take most of a round that has little to teach. At most `budget.rehearsal_share`; and where new
    items are of many skills, no more than `budget.broad_share` or than what makes up for those that
    `budget.broad_skills` has more of. So nothing is bounded where there are no more skills in all.

    Pure. Ours: docs/decisions/0032.
    """
    others = _beside(need, beside, budget)
    anew = need.keys() | others.keys()
    taught = sum(map(weight_of, need.values())) + sum(others.values())

    def share(n: int) -> float:
        """Of a round in which so many are repeated."""
        weight = budget.rehearsal_weight * n
        return weight / (weight + taught) if weight else 0.0

    most = budget.rehearsal_share
    if budget.broad_skills is not None:
        most = min(most, max(budget.broad_share, share(max(0, budget.broad_skills - len(anew)))))
    return min(most, share(len(set(known) - anew)))


def rehearsal_count(n_new: int, share: float) -> int:
    """How many rehearsal items make up `share` (ρ, 0..<1) of a mixture with `n_new` new ones."""
    return round(n_new * share / (1.0 - share))


def rehearsal(loss: Mapping[str, float], n: int) -> dict[str, int]:
    """Deal `n` rehearsal items to mastered skills, more to those that are losing more.

    loss: skill -> (was − now)/was, the share of its mastery it has lost; negative counts as 0.
    Every mastered skill gets something: each weighs 0.05 and its loss, so that an equal share
    is the answer where nothing is being lost. Sums to n, or to 0 without mastered skills. Pure.
    """
    if not loss:
        return {}
    return in_proportion({k: 0.05 + max(0.0, v) for k, v in loss.items()}, n)


def rehearsed(
    sizes: Mapping[str, int], new: Mapping[str, int], *, lost: Mapping[str, float], share: float
) -> dict[str, int]:
    """How many trained items of each skill a round rehearses beside its new ones.

    sizes: skill -> how many trained items there are of it; a skill gets no more than that. new:
    skill -> its new items; what is taught anew is not rehearsed as well, or a remedy of what was
    forgotten leaves nothing for what sits (decisions/0008). lost: see `still_needed`; a skill
    without an entry has lost nothing. share: ρ, of all. Pure.
    """
    weights = {k: lost.get(k, 0.0) for k in sizes if not new.get(k)}
    counts = rehearsal(weights, rehearsal_count(sum(new.values()), share))
    return {k: min(n, sizes[k]) for k, n in counts.items()}


def room_for_new(
    budget: Budget,
    need: Mapping[str, float],
    *,
    used: int,
    share: float,
    beside: Mapping[str, float] = EMPTY,
    waiting: float = 0.0,
) -> int:
    """How many new items a round may write, leaving room for its rehearsal; at least 1.

    need, beside: skill -> what it still lacks, in 0..1, see `dealt`. A skill that lacks half or
    more takes `items_per_skill`, one that lacks less fewer, down to half as many: a remedy of what
    nearly sits is short, and disturbs little; one beside takes its part of that. used: items that
    trainings have seen so far. share: see `rehearsal_share`. New items and their share of rehearsal
    fit the room, but where it is down to one item. waiting: what the skills of later stages lack,
    summed: of what is left, a round takes the share that its skills have in all that is lacking
    (decisions/0020), and where it teaches others beside them not less than a sixth.

    Raises `BudgetSpent` when none are left.
    """
    left = budget.items - used
    room = min(budget.items_per_round, left)
    if room <= 0:
        raise BudgetSpent(
            f"All {budget.items} items of this run's budget are spent. Raise the budget, waive "
            "the stage with a reason, or stop the run."
        )
    others = _beside(need, beside, budget)
    if budget.fair_shares and waiting > 0:
        lacks = sum(need.values())
        fair = round(left * max(lacks / (lacks + waiting), LEAST_OF_LEFT if others else 0.0))
        room = min(room, max(fair, FEWEST * len(need)))
    room = max(1, int(room * (1.0 - share)))
    weight = sum(map(weight_of, need.values())) + sum(others.values())
    return max(1, min(room, round(budget.items_per_skill * weight)))


def still_needed(evidence: GateEvidence) -> tuple[dict[str, float], dict[str, float]]:
    """What the next round has to teach, and what it has to rehearse harder.

    Returns (need, lost). need: skill -> 1 − r for the stage's skills that are not mastered, and
    for forgotten ones the share that was lost: they are taught again with new items. Where nothing
    is missing and another round is wanted all the same: every skill of the stage. lost: skill
    -> (was − now)/was for all mastered skills, for the weights of `rehearsal`.
    """
    lost = {v.skill: (v.was - v.now) / v.was if v.was else 0.0 for v in evidence.retention}
    need = {
        v.skill: max(0.0, 1.0 - v.ratio)
        for v in evidence.stage
        if v.answer is not GateAnswer.MASTERED
    }
    need |= {k: lost[k] for k in evidence.forgotten}
    return need or {v.skill: max(0.0, 1.0 - v.ratio) for v in evidence.stage}, lost


def sitting(evidence: GateEvidence) -> set[str]:
    """The skills of a stage that this evidence calls mastered and a remedy no longer teaches.

    So it has to rehearse them, as it does the skills of earlier stages: a stage that has not
    passed forgets like any other.
    """
    need, _ = still_needed(evidence)
    return {v.skill for v in evidence.stage if v.answer is GateAnswer.MASTERED} - need.keys()


def bridged(rounds: Sequence[GateEvidence]) -> set[str]:
    """The skills whose next items begin with smaller instances: a bridge down.

    rounds: the evidence of a stage's rounds so far, first to last. A skill that was not mastered
    at the last `FAILS_BEFORE_BRIDGE` of them has not been reached by more of the same. Pure.
    """
    last = rounds[-FAILS_BEFORE_BRIDGE:]
    if len(last) < FAILS_BEFORE_BRIDGE:
        return set()
    failed = (
        {v.skill for v in evidence.stage if v.answer is not GateAnswer.MASTERED}
        for evidence in last
    )
    return set.intersection(*failed)


def mix(
    new: Sequence[Item],
    pool: Sequence[Item],
    *,
    lost: Mapping[str, float],
    share: float,
    seed: str,
) -> list[Item]:
    """A round's items in training order: the new ones, and rehearsal drawn from `pool`.

    pool: trained items of skills that are to be kept; see `rehearsed`. lost: see `still_needed`; a
    skill without an entry has lost nothing. share: ρ, of the whole mixture, at most: what a skill
    has too few items for is not dealt to the others. Pure; the same for the same arguments in every
    process.

    Ours: the paper replays nothing.
    """
    by_skill: dict[str, list[Item]] = {}
    for item in pool:
        by_skill.setdefault(item.skill, []).append(item)
    sizes = {k: len(items) for k, items in by_skill.items()}
    rng = random.Random(seed)
    drawn: list[Item] = []
    anew = Counter(item.skill for item in new)
    for skill, n in rehearsed(sizes, anew, lost=lost, share=share).items():
        drawn += rng.sample(sorted(by_skill[skill], key=lambda i: i.key), n)
    return _arrange(new, drawn, rng)


def _arrange(new: Sequence[Item], rehearsed: Sequence[Item], rng: random.Random) -> list[Item]:
    """Each skill spread evenly over the round, its small instances first; rehearsal as well.

    So every stretch of the round has the mixture of the whole: see docs/decisions/0022.
    """
    by_skill: dict[str, list[Item]] = {}
    for item in new:
        by_skill.setdefault(item.skill, []).append(item)
    lanes = [by_skill[skill] for skill in sorted(by_skill)]
    for lane in lanes:
        rng.shuffle(lane)
        lane.sort(key=lambda i: i.level)
    rehearsal = list(rehearsed)
    rng.shuffle(rehearsal)
    placed: list[tuple[float, int, Item]] = []
    for number, lane in enumerate((*lanes, rehearsal)):
        offset = rng.random()  # or all lanes would begin at once
        placed += [((at + offset) / len(lane), number, item) for at, item in enumerate(lane)]
    return [item for _, _, item in sorted(placed, key=lambda p: p[:2])]
