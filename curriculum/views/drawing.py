"""The graph of skills as a drawing: layers from left to right, a box a skill, a line an edge.

No line passes behind a box: `layered` keeps a gap for it in each layer between. Only places are
computed here; the template draws them. The same is in the table beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from unicodedata import category, east_asian_width

from curriculum.models import Prerequisite, Skill
from curriculum.states import SkillStatus
from curriculum.views import layered

WIDTH, HEIGHT, BETWEEN_LAYERS, BETWEEN_ROWS, EDGE = 168, 40, 56, 16, 1  # px
PITCH = WIDTH + BETWEEN_LAYERS
TITLE, KEY, KEY_BY_GAP = 24, 19, 11  # letters of a line, as `shortened` counts them


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
    def key(self) -> str:
        return shortened(self.skill.key, KEY if self.skill.gap is None else KEY_BY_GAP)

    @property
    def title(self) -> str:
        return shortened(self.skill.title, TITLE)


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


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and “…”, within `most` letters: a wide one is two, a mark none."""
    ends = list(accumulate(map(_letters, text)))
    if not ends or ends[-1] <= most:
        return text
    n_kept = sum(end < most for end in ends)
    return f"{text[:n_kept].rstrip()}…"


def _letters(character: str) -> int:
    if category(character) in ("Mn", "Me", "Cf"):  # stands on the letter before it, or is unseen
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def draw(
    skills: Sequence[Skill], edges: Iterable[Prerequisite], circle: Sequence[str] = ()
) -> Drawing:
    """Skills that nothing connects stand in the first layer, below the others.

    `circle` has the keys of skills that would require each other, the first one again at the end:
    its edges are marked, and the one that was refused is drawn as well.
    """
    edges = list(edges)
    pairs = [(edge.source_id, edge.target_id) for edge in edges]
    layers = layered.longest_ways([skill.pk for skill in skills], pairs)
    layout = layered.arrange(layers, pairs, tall=HEIGHT, air=BETWEEN_ROWS)
    boxes = {
        skill.pk: Box(
            skill,
            EDGE + layers[skill.pk] * PITCH,
            EDGE + layout.nodes[skill.pk] - HEIGHT // 2,
        )
        for skill in skills
    }
    steps = set(pairwise(circle))
    lines = _lines(edges, boxes, layout.lines, steps)
    refused = _refused(edges, boxes, layout.lines, steps)
    return Drawing(
        width=2 * EDGE + max(layers.values(), default=0) * PITCH + WIDTH,
        height=2 * EDGE + layout.height + (BETWEEN_ROWS if refused else 0),
        boxes=list(boxes.values()),
        lines=[*lines, *refused],
    )


def _lines(
    edges: Sequence[Prerequisite],
    boxes: Mapping[int, Box],
    passed: Sequence[Sequence[int]],
    circle: set[tuple[str, str]],
) -> list[Line]:
    lines = []
    for edge, rows in zip(edges, passed, strict=True):
        source, target = boxes[edge.source_id], boxes[edge.target_id]
        is_circle = (source.skill.key, target.skill.key) in circle
        lines.append(Line(str(edge), _path(source, target, rows), is_circle=is_circle))
    return lines


def _refused(
    edges: Sequence[Prerequisite],
    boxes: Mapping[int, Box],
    passed: Sequence[Sequence[int]],
    circle: set[tuple[str, str]],
) -> list[Line]:
    """Steps of the circle that are no edges."""
    feet = [(box.x, box.y + HEIGHT) for box in boxes.values()]
    for edge, rows in zip(edges, passed, strict=True):
        x = boxes[edge.source_id].x
        feet += [(x + n * PITCH, EDGE + row) for n, row in enumerate(rows, start=1)]
    by_key = {box.skill.key: box for box in boxes.values()}
    there = {(boxes[e.source_id].skill.key, boxes[e.target_id].skill.key) for e in edges}
    return [
        Line(
            f"{source} → {target}, refused",
            _path_back(by_key[source], by_key[target], feet),
            is_circle=True,
            is_refused=True,
        )
        for source, target in sorted(circle - there)
        if source in by_key and target in by_key
    ]


def _path(source: Box, target: Box, rows: Iterable[int]) -> str:
    """At the levels of `rows` through the layers between; it bends outside of layers alone."""
    x, y = source.x + WIDTH, source.y + HEIGHT // 2
    path = f"M{x} {y}"
    for row in rows:
        path += _bend(x, y, x + BETWEEN_LAYERS, EDGE + row)
        x, y = x + BETWEEN_LAYERS + WIDTH, EDGE + row
        path += f"H{x}"
    return path + _bend(x, y, target.x, target.y + HEIGHT // 2)


def _bend(x1: int, y1: int, x2: int, y2: int) -> str:
    bend = max(24, (x2 - x1) // 2)
    return f"C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _path_back(source: Box, target: Box, feet: Iterable[tuple[int, int]]) -> str:
    """From the left side of the one to the right side of the other, below all between.

    feet: where the boxes and lines of each layer end: the layer's x, and the y.
    """
    x1, y1 = source.x, source.y + HEIGHT // 2
    x2, y2 = target.x + WIDTH, target.y + HEIGHT // 2
    if source == target:
        wide, low = WIDTH // 3, BETWEEN_ROWS
        return f"M{x1 + wide} {source.y + HEIGHT}c0 {low} {wide} {low} {wide} 0"
    between = [y for x, y in feet if target.x < x < source.x]
    low = max(source.y + HEIGHT, target.y + HEIGHT, *between) + BETWEEN_ROWS // 2
    r = BETWEEN_LAYERS // 4  # there are two corners to a gap
    return (
        f"M{x1} {y1}q{-r} 0 {-r} {r}V{low - r}q0 {r} {-r} {r}"
        f"H{x2 + 2 * r}q{-r} 0 {-r} {-r}V{y2 + r}q0 {-r} {-r} {-r}"
    )
