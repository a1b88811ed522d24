"""Eq. 3 over the history of checkpoints: what j does when i sits, and when it does not.

Skills rise together when all are taught, so that Eq. 3 as printed finds an edge between almost
any two (docs/method.md has the figures). Four corrections, each against one way to be fooled:

- An observation is one round in which j was *taught* while it did not sit: what nobody taught
  says nothing of what it needs.
- i is looked at *before* the round: what j needs must have been there when j was learnt.
- Rounds count for i only where the *other* things that j needs sit as well. Which those are is
  found first: the set whose presence best explains in which rounds j rose.
- What a chain explains, A → B → C, is no edge of its own: A → C is told as indirect.

What no history can tell apart stays "not enough evidence": skills that are always taught in the
same rounds, and an i in whose place another skill explains about as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from distill.organizer.graph import without_cycles
from distill.records import Edge, EvidenceKind
from distill.settings import Thresholds
from distill.statistics import is_over, normal_quantile

LOW = 0.7  # τ_low: r below it, a skill does not sit; from τ_mastery on it does
EPSILON = 0.05  # ε of Eq. 3, in units of P_S: below it a score is as good as nothing
MIN_SIDE = 5  # rounds on each side below which nothing is said
MIN_USABLE = 2  # rounds a side from which a skill may explain others: less would let a bystander
ROSE = 0.25  # share of what was missing that a round has to bring for j to have risen
PENALTY = 6.0  # nats of log-likelihood that a further prerequisite has to explain
MARGIN = 2.0  # nats by which it has to explain more than any other skill in its place

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A student at one moment of a run, on the skills that it was asked."""

    run: str  # or a part of one, in which each builds on the one before
    number: int  # 0: the student as it came, or as it was when another round was to go on from it
    taught: Set[str]  # skills with items in the round that led here
    scores: Mapping[str, float]  # P_S(k), in 0..1
    ratios: Mapping[str, float]  # r(k) = P_S(k)/P_T(k)


class Found(StrEnum):
    KEPT = "kept"  # Dep > τ_dep
    NOT_KEPT = "not_kept"  # the interval lies below τ_dep
    INDIRECT = "indirect"  # a chain of edges that were kept explains it
    NOT_ENOUGH = "not_enough_evidence"  # too few rounds, or too little to rule out chance


@dataclass(frozen=True, slots=True)
class Observed:
    """Eq. 3 for one pair. `dependency`, `low`, `high` are None without enough evidence."""

    source: str
    target: str
    found: Found
    dependency: float | None  # below 0 where j does better without i
    low: float | None
    high: float | None
    n_with: int  # rounds that taught j while i, and what else j needs, sat
    n_without: int  # rounds that taught j while i did not sit
    given: tuple[str, ...] = ()  # what else j needs

    @property
    def strength(self) -> float | None:
        """For evidence: in 0..1; None where nothing is known of this very edge."""
        if self.dependency is None or self.found in (Found.NOT_ENOUGH, Found.INDIRECT):
            return None
        return min(1.0, max(0.0, self.dependency))

    @property
    def sentence(self) -> str:
        counts = f"{self.n_with} rounds with {self.source}, {self.n_without} without"
        if self.dependency is None:
            return f"Not enough evidence: {counts}; {MIN_SIDE} on each side are needed."
        given = f", given {', '.join(self.given)}" if self.given else ""
        return f"Dep = {self.dependency:.2f} [{self.low:.2f} {self.high:.2f}]{given}: {counts}."


def observe(
    checkpoints: Iterable[Checkpoint], skills: Sequence[str], thresholds: Thresholds
) -> dict[tuple[str, str], Observed]:
    """Eq. 3 for every ordered pair of skills: (i, j) -> what the history says of i → j.

    checkpoints: of any number of runs of one student family, in any order. C rounds, S skills.
    A skill that was not asked counts as it was last, unless it was taught since.

    Dep(i→j) = (A − B)/(A + ε): A is the mean P_S(j) after rounds that taught j with i and all
    else that j needs at r ≥ τ_mastery, B after rounds with i at r < 0.7, both only where j was
    at r < 0.7 before. Kept iff Dep > τ_dep and its 95 % interval (delta method on
    (B + ε)/(A + ε), rounds taken as independent) is above 0, with at least 5 rounds a side.

    Error control: a prerequisite enters the explanation of j only for 6 nats of likelihood
    (χ² = 12, p = 0.0005), and counts only where it explains 2 nats more than any other would in
    its place, and was left untaught in 5 rounds that taught j. What precision and recall that
    gives is measured in tests.

    Pure and deterministic. About O(S² · C · p) for p prerequisites of a skill.

    Source: He et al. 2026, Eq. 3. Ours: the four corrections above, interval and minimum.
    """
    rounds = _Rounds.of(checkpoints, skills, thresholds.mastery)
    pairs: dict[tuple[str, str], Observed] = {}
    for j in range(len(skills)):
        pairs |= _into(j, rounds, skills, thresholds.dependency)
    return _without_indirect(pairs)


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Arrays over C rounds and S skills; a skill of unknown state neither sits nor lacks."""

    taught: Mask  # (C, S)
    sits: Mask  # (C, S): before the round
    lacks: Mask  # (C, S): before it, and not sitting after it either
    before: NDArray[np.float64]  # (C, S): r; nan where unknown
    after: NDArray[np.float64]  # (C, S): P_S
    after_ratio: NDArray[np.float64]  # (C, S)

    @classmethod
    def of(cls, checkpoints: Iterable[Checkpoint], skills: Sequence[str], high: float) -> _Rounds:
        taught, before, after, ratio = [], [], [], []
        state: dict[str, float] = {}
        last: Checkpoint | None = None
        for c in sorted(checkpoints, key=lambda c: (c.run, c.number)):
            if last is None or c.run != last.run:
                state = dict(c.ratios)
            else:
                taught.append([k in c.taught for k in skills])
                before.append([state.get(k, math.nan) for k in skills])
                after.append([c.scores.get(k, math.nan) for k in skills])
                ratio.append([c.ratios.get(k, math.nan) for k in skills])
                known = {k: r for k, r in state.items() if k not in c.taught}
                state = known | dict(c.ratios)
            last = c
        shape = len(taught), len(skills)
        was = np.array(before, dtype=float).reshape(shape)
        now = np.array(ratio, dtype=float).reshape(shape)
        return cls(
            np.array(taught, dtype=bool).reshape(shape),
            was >= high - 1e-9,
            (was < LOW) & ~(now >= high - 1e-9),
            was,
            np.array(after, dtype=float).reshape(shape),
            now,
        )


def _into(
    j: int, rounds: _Rounds, skills: Sequence[str], threshold: float
) -> dict[tuple[str, str], Observed]:
    """What the history says of every edge into skill number `j`."""
    could = rounds.taught[:, j] & (rounds.before[:, j] < LOW) & ~np.isnan(rounds.after[:, j])
    sits, lacks, score = rounds.sits[could], rounds.lacks[could], rounds.after[could, j]
    missing = 1.0 - rounds.before[could, j]
    rose = rounds.after_ratio[could, j] - rounds.before[could, j] >= ROSE * missing
    needs, clear = _explanation(rose, sits, lacks, exclude=j)
    found = {}
    for i in range(len(skills)):
        if i == j:
            continue
        others = sorted(needs - {i})
        rest = sits[:, others].all(axis=1)
        with_i = score[sits[:, i] & rest]
        # a prerequisite bars j whatever else there is; any other skill has to show that it
        # matters where all that is known to matter is there
        without = score[lacks[:, i]] if i in needs else score[lacks[:, i] & rest]
        given = tuple(skills[k] for k in others)
        pair = _compare(skills[i], skills[j], with_i, without, given, threshold)
        is_apart = (~rounds.taught[could, i]).sum() >= MIN_SIDE  # else they rise in lockstep
        if pair.found is Found.KEPT and not (i in clear and is_apart):
            pair = replace(pair, found=Found.NOT_ENOUGH)
        found[skills[i], skills[j]] = pair
    return found


def _explanation(
    rose: Mask, sits: Mask, lacks: Mask, *, exclude: int
) -> tuple[frozenset[int], frozenset[int]]:
    """The skills whose sitting together best explains in which rounds j rose, and those of them
    that no other skill could stand in for: skills that always rise together cannot be told apart.

    rose (C,), sits and lacks (C, S). Greedy: adds, drops or exchanges one skill as long as the
    likelihood, less PENALTY for each skill, gets better.
    """
    usable = [
        i
        for i in range(sits.shape[1])
        if i != exclude and min(sits[:, i].sum(), lacks[:, i].sum()) >= MIN_USABLE
    ]
    if not usable or min(rose.sum(), (~rose).sum()) < MIN_SIDE:
        return frozenset(), frozenset()

    def worth(needs: frozenset[int]) -> float:
        return _likelihood(rose, sits, lacks, needs) - PENALTY * len(needs)

    best: frozenset[int] = frozenset()
    value = worth(best)
    while True:
        moves = [best | {i} for i in usable if i not in best]
        moves += [best - {i} for i in sorted(best)]
        moves += [best - {i} | {k} for i in sorted(best) for k in usable if k not in best]
        top = max(moves, key=worth)
        if worth(top) <= value + 1e-9:
            break
        best, value = top, worth(top)
    others = [k for k in usable if k not in best]
    clear = {i for i in best if all(value - worth(best - {i} | {k}) >= MARGIN for k in others)}
    return best, frozenset(clear)


def _likelihood(rose: Mask, sits: Mask, lacks: Mask, needs: frozenset[int]) -> float:
    """Log-likelihood, in nats, of j's rises with one chance where all of `needs` sits, one where
    some of it lacks, and one where that is not known. Refuses sets that do not help: −∞.
    """
    chosen = sorted(needs)
    all_sit = sits[:, chosen].all(axis=1)
    some_lack = lacks[:, chosen].any(axis=1)
    groups = [rose[all_sit], rose[some_lack], rose[~all_sit & ~some_lack]]
    if needs and _mean(groups[0]) <= _mean(groups[1]):
        return -math.inf
    return sum(_binomial(int(g.sum()), len(g)) for g in groups)


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _binomial(k: int, n: int) -> float:
    if k in (0, n):
        return 0.0
    return k * math.log(k / n) + (n - k) * math.log(1 - k / n)


def _compare(
    source: str,
    target: str,
    with_i: NDArray[np.float64],
    without: NDArray[np.float64],
    given: tuple[str, ...],
    threshold: float,
) -> Observed:
    n, m = len(with_i), len(without)
    if min(n, m) < MIN_SIDE:
        return Observed(source, target, Found.NOT_ENOUGH, None, None, None, n, m, given)
    a, b = float(with_i.mean()) + EPSILON, float(without.mean()) + EPSILON
    # a side whose rounds all came out alike is not known exactly: its spread counts as ε at least
    spread = [max(float(s.std(ddof=1)), EPSILON) / math.sqrt(len(s)) for s in (with_i, without)]
    half = normal_quantile(0.975) * math.hypot(spread[0] / a, spread[1] / b)
    dependency, low, high = 1 - b / a, 1 - b / a * math.exp(half), 1 - b / a * math.exp(-half)
    found = Found.NOT_ENOUGH
    if is_over(dependency, threshold) and low > 0:
        found = Found.KEPT
    elif not is_over(high, threshold):
        found = Found.NOT_KEPT
    return Observed(source, target, found, dependency, low, high, n, m, given)


def _without_indirect(pairs: dict[tuple[str, str], Observed]) -> dict[tuple[str, str], Observed]:
    """Mark what chains of kept edges explain; of a cycle the weakest edge is not kept."""
    kept = [
        Edge(p.source, p.target, p.strength or 0.0, EvidenceKind.OBSERVED)
        for p in pairs.values()
        if p.found is Found.KEPT
    ]
    acyclic, removed = without_cycles(kept)
    graph: nx.DiGraph = nx.DiGraph([(e.source, e.target) for e in acyclic])
    direct = set(nx.transitive_reduction(graph).edges)
    marked = dict(pairs)
    for edges, found in ((removed, Found.NOT_ENOUGH), (acyclic, Found.INDIRECT)):
        for e in edges:
            if (e.source, e.target) not in direct:
                marked[e.source, e.target] = replace(pairs[e.source, e.target], found=found)
    return marked
