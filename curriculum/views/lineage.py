"""Which checkpoint came from which, as a drawing: from left to right, what was rolled back below.

Pure over the checkpoints and gates of one run. Only places are computed here; the template draws
them, and lists the same beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curriculum import engine
from curriculum.models import Checkpoint, GateRecord
from curriculum.services.audit import name_of
from curriculum.states import DECIDED

WIDTH, HEIGHT, BETWEEN_COLUMNS, BETWEEN_LANES, EDGE, LETTERS = 132, 48, 32, 16, 2, 18  # px


@dataclass(frozen=True, slots=True)
class Node:
    checkpoint: Checkpoint
    gate: GateRecord | None
    parent: str
    is_kept: bool  # the current checkpoint, or one that it came from
    x: int
    y: int

    @property
    def name(self) -> str:
        return short_name(self.checkpoint)

    @property
    def place(self) -> str:
        """The name in words."""
        return place_of(self.checkpoint)

    @property
    def decision(self) -> str:
        if self.checkpoint.parent_id is None:
            return "as it came"
        return "no gate yet" if self.gate is None else DECIDED[self.gate.decision]

    @property
    def by(self) -> str:
        if self.gate is None or not self.gate.decision:
            return ""
        user = self.gate.decided_by
        if user is None:
            return self.gate.get_decided_as_display()
        return name_of(user)

    @property
    def short(self) -> str:
        says = f"{self.decision}, {self.by}" if self.by else self.decision
        return says if len(says) <= LETTERS else f"{says[: LETTERS - 1].rstrip()}…"

    @property
    def state(self) -> str:
        """What the box means: its class in the drawing."""
        if not self.is_kept:
            return "undone"
        return "current" if self.checkpoint.is_current else "kept"


@dataclass(frozen=True, slots=True)
class Line:
    path: str
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Tree:
    width: int
    height: int
    nodes: list[Node]
    lines: list[Line]
    box_width: int = WIDTH
    box_height: int = HEIGHT

    @property
    def n_undone(self) -> int:
        return sum(not node.is_kept for node in self.nodes)


def kept(checkpoints: Iterable[Checkpoint]) -> set[int]:
    """The current checkpoint and all it came from, by pk; what is left out was rolled back."""
    return {each.pk for each in engine.way_back(checkpoints)}


def tree(checkpoints: Sequence[Checkpoint], gates: Mapping[int, GateRecord]) -> Tree:
    """checkpoints: of one run, parents before children. gates: by the pk of the checkpoint."""
    way = kept(checkpoints)
    names = {each.pk: short_name(each) for each in checkpoints}
    places: dict[int, tuple[int, int]] = {}  # column, lane
    nodes, lines = [], []
    for each in checkpoints:
        parent = each.parent_id
        column = places[parent][0] + 1 if parent is not None else 0
        lane = 0 if each.pk in way else max(1, places[parent][1] if parent is not None else 1)
        while (column, lane) in places.values():
            lane += 1
        places[each.pk] = column, lane
        x, y = _corner(column, lane)
        name = names[parent] if parent is not None else ""
        nodes.append(Node(each, gates.get(each.pk), name, each.pk in way, x, y))
        if parent is not None:
            lines.append(Line(_path(_corner(*places[parent]), (x, y)), each.pk in way))
    x, y = _corner(
        max((column for column, _ in places.values()), default=0),
        max((lane for _, lane in places.values()), default=0),
    )
    return Tree(x + WIDTH + EDGE, y + HEIGHT + EDGE, nodes, lines)


def short_name(checkpoint: Checkpoint) -> str:
    stage = checkpoint.stage
    return "base" if stage is None else f"s{stage.position}r{checkpoint.round}"


def place_of(checkpoint: Checkpoint) -> str:
    """Which student it is, in words."""
    stage = checkpoint.stage
    if stage is None:
        return "the student as it came"
    return f"stage {stage.position}, round {checkpoint.round}"


def _corner(column: int, lane: int) -> tuple[int, int]:
    return EDGE + column * (WIDTH + BETWEEN_COLUMNS), EDGE + lane * (HEIGHT + BETWEEN_LANES)


def _path(parent: tuple[int, int], child: tuple[int, int]) -> str:
    x1, y1 = parent[0] + WIDTH, parent[1] + HEIGHT // 2
    x2, y2 = child[0], child[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
