"""The graph of skills as a drawing: layers from left to right, a box a skill, a line an edge.

Only places are computed here; the template draws them. The same is in the table beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from curriculum.models import Prerequisite, Skill
from curriculum.states import SkillStatus

WIDTH, HEIGHT, BETWEEN_LAYERS, BETWEEN_ROWS, EDGE = 168, 40, 56, 16, 1  # px


@dataclass(frozen=True, slots=True)
class Box:
    skill: Skill
    x: int
    y: int

    @property
    def state(self) -> str:
        """What the box means: its class in the drawing."""
        if self.skill.status == SkillStatus.RETIRED:
            return "retired"
        if self.skill.is_deficient is None:
            return "unknown"
        return "deficient" if self.skill.is_deficient else "known"

    @property
    def short(self) -> str:
        title = self.skill.title
        return title if len(title) <= 24 else f"{title[:23].rstrip()}…"


@dataclass(frozen=True, slots=True)
class Line:
    says: str
    path: str
    is_circle: bool = False
    is_refused: bool = False  # not an edge: what would close the circle


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    boxes: list[Box]
    lines: list[Line]
    box_width: int = WIDTH
    box_height: int = HEIGHT


def draw(
    skills: Sequence[Skill], edges: Iterable[Prerequisite], circle: Sequence[str] = ()
) -> Drawing:
    """Skills that nothing connects stand in the first layer, below the others.

    `circle` has the keys of skills that would require each other, the first one again at the end:
    its edges are marked, and the one that was refused is drawn as well.
    """
    edges = list(edges)
    layers = _layers(skills, edges)
    columns: dict[int, list[Skill]] = {}
    for skill in _by_neighbours(skills, edges, layers):
        columns.setdefault(layers[skill.pk], []).append(skill)
    boxes = {
        skill.pk: Box(
            skill,
            EDGE + layer * (WIDTH + BETWEEN_LAYERS),
            EDGE + row * (HEIGHT + BETWEEN_ROWS),
        )
        for layer, column in columns.items()
        for row, skill in enumerate(column)
    }
    lines = _lines(skills, edges, boxes, set(pairwise(circle)))
    deepest = max(columns, default=0)
    most = max((len(column) for column in columns.values()), default=0)
    return Drawing(
        width=2 * EDGE + deepest * (WIDTH + BETWEEN_LAYERS) + WIDTH,
        # a line back dips below the row of its boxes, which may be the last
        height=2 * EDGE + most * (HEIGHT + BETWEEN_ROWS) - (0 if circle else BETWEEN_ROWS),
        boxes=list(boxes.values()),
        lines=lines,
    )


def _lines(
    skills: Sequence[Skill],
    edges: Iterable[Prerequisite],
    boxes: Mapping[int, Box],
    circle: set[tuple[str, str]],
) -> list[Line]:
    keys = {skill.pk: skill.key for skill in skills}
    by_key = {skill.key: boxes[skill.pk] for skill in skills}
    lines, there = [], set()
    for edge in edges:
        pair = keys[edge.source_id], keys[edge.target_id]
        there.add(pair)
        path = _path(boxes[edge.source_id], boxes[edge.target_id])
        lines.append(Line(str(edge), path, is_circle=pair in circle))
    for source, target in sorted(circle - there):
        if source in by_key and target in by_key:
            path = _path_back(by_key[source], by_key[target])
            lines.append(Line(f"{source} → {target}, refused", path, True, is_refused=True))
    return lines


def _layers(skills: Sequence[Skill], edges: Sequence[Prerequisite]) -> dict[int, int]:
    """Skill pk -> the length of the longest way to it. Ends even if the edges had a cycle."""
    layers = {skill.pk: 0 for skill in skills}
    for _ in skills:
        for edge in edges:
            behind = min(layers[edge.source_id] + 1, len(skills) - 1)
            layers[edge.target_id] = max(layers[edge.target_id], behind)
    return layers


def _by_neighbours(
    skills: Sequence[Skill], edges: Sequence[Prerequisite], layers: dict[int, int]
) -> list[Skill]:
    """Layer by layer, each skill near the mean place of what it builds on: fewer crossings."""
    connected = {pk for edge in edges for pk in (edge.source_id, edge.target_id)}
    sources: dict[int, list[int]] = {}
    for edge in edges:
        sources.setdefault(edge.target_id, []).append(edge.source_id)
    place: dict[int, float] = {}
    ordered: list[Skill] = []
    for layer in range(max(layers.values(), default=0) + 1):
        column = [skill for skill in skills if layers[skill.pk] == layer]
        mean = {
            s.pk: sum(place[pk] for pk in sources[s.pk]) / len(sources[s.pk])
            if sources.get(s.pk) and all(pk in place for pk in sources[s.pk])
            else 0.0
            for s in column
        }
        column.sort(key=lambda s: (s.pk not in connected, mean[s.pk], s.pk))
        place |= {skill.pk: float(row) for row, skill in enumerate(column)}
        ordered += column
    return ordered


def _path(source: Box, target: Box) -> str:
    x1, y1 = source.x + WIDTH, source.y + HEIGHT // 2
    x2, y2 = target.x, target.y + HEIGHT // 2
    bend = max(24, (x2 - x1) // 2)
    return f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _path_back(source: Box, target: Box) -> str:
    """Around the boxes, from the left side of the one to the right side of the other."""
    x1, y1 = source.x, source.y + HEIGHT // 2
    x2, y2 = target.x + WIDTH, target.y + HEIGHT // 2
    if x1 < x2:  # the same layer, or the other way round: as any edge is drawn
        return _path(source, target)
    dip = HEIGHT // 2 + BETWEEN_ROWS // 2
    low = max(y1, y2) + dip
    return (
        f"M{x1} {y1}C{x1 - 24} {y1} {x1 - 24} {low} {(x1 + x2) // 2} {low}S{x2 + 24} {y2} {x2} {y2}"
    )
