"""Where the nodes and the lines of a layered drawing stand. Pure over numbers; draws nothing.

K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Trans. SMC 11 (1981): an edge over several layers has a narrow place of its own,
a slot, in each layer between. Slots are ordered and placed as nodes are, so that lines go through
gaps. Ours differs at the end: a layer is placed by isotonic regression, not by priorities.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import floor

ROUNDS = 6  # there and back; more straightens little
STRAIGHT = 8.0  # a slot's weight against a node's: rather move a node than bend a line

Edge = tuple[int, int]
Column = list[int]  # what stands in a layer, from the top: nodes, and slots, which are below 0
Beside = dict[int, list[int]]  # whom it is joined to in the layer on one side


@dataclass(frozen=True, slots=True)
class Layout:
    """Middles, in px from the top: of each node, and of each edge in the layers that it passes."""

    nodes: dict[int, int]
    lines: list[list[int]]  # one for each edge, in their order
    height: int


@dataclass(frozen=True, slots=True)
class _Net:
    columns: list[Column]
    left: Beside
    right: Beside

    def sweeps(self) -> Iterator[tuple[Column, Column, Beside]]:
        """There and back: a column, the one before it, and who is joined to whom in that one."""
        yield from ((b, a, self.left) for a, b in pairwise(self.columns))
        yield from ((a, b, self.right) for a, b in reversed([*pairwise(self.columns)]))


def longest_ways(nodes: Iterable[int], edges: Sequence[Edge]) -> dict[int, int]:
    """Node -> its layer, the length of the longest way to it. Ends even if there is a cycle."""
    layers = dict.fromkeys(nodes, 0)
    for _ in range(len(layers)):
        was = dict(layers)
        for source, target in edges:
            behind = min(layers[source] + 1, len(layers) - 1)
            layers[target] = max(layers[target], behind)
        if layers == was:
            break
    return layers


def arrange(layers: Mapping[int, int], edges: Sequence[Edge], *, tall: int, air: int) -> Layout:
    """The same for the same arguments. Nothing is nearer than `air` to what is in its layer.

    layers: node, from 0 -> its layer, as `longest_ways` gives them. tall: the height of a node, in
    px; a slot has none. Nodes without edges stand in the first layer, below the others.
    """
    ends = {node for edge in edges for node in edge}
    net, passed = _net({node: layer for node, layer in layers.items() if node in ends}, edges)
    _order(net)
    middles = _places(net, tall, air)
    low = max((middles[node] for node in net.columns[0]), default=0.0)
    for node in layers:
        if node not in ends:
            low += tall + air
            middles[node] = low
    top = min((y - _half(node, tall) for node, y in middles.items()), default=0.0)
    bottom = max((y + _half(node, tall) for node, y in middles.items()), default=0.0)
    # halves all one way, unlike round(): what is `air` apart stays so
    px = {node: floor(y - top + 0.5) for node, y in middles.items()}
    return Layout(
        {node: px[node] for node in layers},
        [[px[slot] for slot in slots] for slots in passed],
        floor(bottom - top + 0.5),
    )


def _net(layers: Mapping[int, int], edges: Sequence[Edge]) -> tuple[_Net, list[Column]]:
    """And the slots of each edge."""
    net = _Net([[] for _ in range(max(layers.values(), default=0) + 1)], {}, {})
    for node, layer in layers.items():
        net.columns[layer].append(node)
    passed: list[Column] = []
    n_slots = 0
    for source, target in edges:
        slots = []
        for layer in range(layers[source] + 1, layers[target]):
            n_slots += 1
            slots.append(-n_slots)
            net.columns[layer].append(-n_slots)
        passed.append(slots)
        if layers[source] < layers[target]:  # in a cycle some are not
            for a, b in pairwise([source, *slots, target]):
                net.right.setdefault(a, []).append(b)
                net.left.setdefault(b, []).append(a)
    return net, passed


def _order(net: _Net) -> None:
    """Fewer crossings: each column by the mean place of its neighbours, there and back."""
    fewest, best = _n_crossings(net), [list(column) for column in net.columns]
    for _ in range(ROUNDS):
        for column, before, beside in net.sweeps():
            _sort(column, before, beside)
        n = _n_crossings(net)
        if n < fewest:
            fewest, best = n, [list(column) for column in net.columns]
    net.columns[:] = best


def _sort(column: Column, before: Column, beside: Beside) -> None:
    """In place. What has no neighbours there stays where it is."""
    place = {node: float(row) for row, node in enumerate(before)}
    rows = [row for row, node in enumerate(column) if node in beside]
    mean = {column[row]: _mean(place, beside[column[row]]) for row in rows}
    for row, node in zip(rows, sorted(mean, key=mean.__getitem__), strict=True):
        column[row] = node


def _mean(place: Mapping[int, float], nodes: Sequence[int]) -> float:
    return sum([place[node] for node in nodes]) / len(nodes)


def _n_crossings(net: _Net) -> int:
    n = 0
    for column, after in pairwise(net.columns):
        place = {node: row for row, node in enumerate(after)}
        above: list[int] = []  # where the lines of the nodes above end, in order
        for node in column:
            ends = [place[other] for other in net.right.get(node, ())]
            n += sum(len(above) - bisect_right(above, end) for end in ends)
            for end in ends:
                insort(above, end)
    return n


def _half(node: int, tall: int) -> float:
    return tall / 2 if node >= 0 else 0.0


def _places(net: _Net, tall: int, air: int) -> dict[int, float]:
    """Near the mean of the neighbours: first of those on one side, then of both."""
    middles: dict[int, float] = {}
    for column in net.columns:
        middles |= zip(column, _apart(column, tall, air), strict=True)
    for _ in range(ROUNDS):
        for column, _before, beside in net.sweeps():
            _settle(column, beside, middles, tall, air)
    both = {node: net.left.get(node, []) + net.right.get(node, []) for node in middles}
    both = {node: beside for node, beside in both.items() if beside}
    for _ in range(ROUNDS):
        for column, _before, _beside in net.sweeps():
            _settle(column, both, middles, tall, air)
    return middles


def _apart(column: Column, tall: int, air: int) -> list[float]:
    """From the first one's middle down, as close as may be."""
    steps = (_half(a, tall) + air + _half(b, tall) for a, b in pairwise(column))
    return list(accumulate(steps, initial=0.0))[: len(column)]


def _settle(column: Column, beside: Beside, middles: dict[int, float], tall: int, air: int) -> None:
    """As near to where each would be as may be (least squares), in this order and apart."""
    if not column:
        return
    from scipy.optimize import isotonic_regression  # at the top, it costs each start half a second

    closest = _apart(column, tall, air)
    wishes = [_mean(middles, beside[one]) if one in beside else middles[one] for one in column]
    spare = [wish - least for wish, least in zip(wishes, closest, strict=True)]
    weights = [1.0 if one >= 0 else STRAIGHT for one in column]
    rises = isotonic_regression(spare, weights=weights).x.tolist()
    for one, rise, least in zip(column, rises, closest, strict=True):
        middles[one] = rise + least
