"""How a student learnt: a small drawing a skill, its mean grade after each training over the items
that trainings had seen by then. So what was forgotten shows as well.

Only places are computed here; the template draws them, and the table below has the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curriculum import engine
from curriculum.models import Checkpoint, Run, Score, Skill, SnapshotItem
from curriculum.views import lineage
from curriculum.views.rounds import FOOT, LEFT, TOP, height

WIDTH, PLOT, EDGE, RADIUS = 176, 80, 8, 4  # px


@dataclass(frozen=True, slots=True)
class Column:
    """A student of the run, and how many items its trainings had seen, repeated ones as well."""

    checkpoint: Checkpoint
    items: int

    @property
    def name(self) -> str:
        return lineage.short_name(self.checkpoint)

    @property
    def place(self) -> str:
        return lineage.place_of(self.checkpoint)


@dataclass(frozen=True, slots=True)
class Mark:
    """`low` and `high` are the ends of the interval, `y` its mean."""

    score: Score
    is_taught: bool  # with new items, in the training before
    says: str
    x: int
    y: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Curve:
    skill: Skill
    cells: list[Mark | None]  # one a column
    threshold: int | None  # None: the teacher was not asked
    items: int  # at the right end
    left: int = LEFT
    top: int = TOP
    bottom: int = TOP + PLOT
    right: int = LEFT + WIDTH
    width: int = LEFT + WIDTH + EDGE
    height: int = TOP + PLOT + FOOT
    radius: int = RADIUS

    @property
    def marks(self) -> list[Mark]:
        return [mark for mark in self.cells if mark is not None]

    @property
    def path(self) -> str:
        return "M" + "L".join(f"{mark.x} {mark.y}" for mark in self.marks)

    @property
    def says(self) -> str:
        return f"{self.skill.key}: " + ", ".join(mark.says for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Learning:
    columns: list[Column]
    curves: list[Curve]


def learning(run: Run) -> Learning:
    """Students that were asked, on the way to the current one, and the skills that were asked of
    more than one of them. No curves before the first gate. Five queries.

    Of a student that answered gate probes of a skill, these count; of skills that are ahead, and
    of the student as it came, those of the diagnosis.
    """
    known = Checkpoint.objects.filter(run=run).select_related("stage", "snapshot")
    columns = _columns(reversed(engine.way_back(known.order_by("pk"))))
    scores = _scores(run)
    asked = {who for _, who in scores}
    columns = [each for each in columns if each.checkpoint.pk in asked]
    if len(columns) < 2:
        return Learning([], [])
    teacher = _of_teacher(run)
    taught = _taught(run)
    skills = Skill.objects.filter(run=run).order_by("pk")
    curves = [_curve(skill, columns, scores, taught, teacher.get(skill.pk)) for skill in skills]
    begun = {curve.skill.pk: _begun(curve) for curve in curves}
    shown = [curve for curve in curves if len(curve.marks) > 1]
    return Learning(columns, sorted(shown, key=lambda c: (begun[c.skill.pk], c.skill.pk)))


def _columns(way: Iterable[Checkpoint]) -> list[Column]:
    found, items = [], 0
    for each in way:
        items += each.snapshot.n_items if each.snapshot is not None else 0
        found.append(Column(each, items))
    return found


def _scores(run: Run) -> dict[tuple[int, int], Score]:
    """(skill, checkpoint) -> what it scored on the way; both by pk."""
    rows = Score.objects.filter(skill__run=run, split__in=["diagnose", "gate"])
    return {
        (row.skill_id, row.checkpoint_id): row
        for row in rows.order_by("split")  # of both, gate is the later
        if row.checkpoint_id is not None  # the teacher
    }


def _of_teacher(run: Run) -> dict[int, float]:
    """skill pk -> the score that it has to come near."""
    mastery = engine.settings_of(run).thresholds.mastery
    rows = Score.objects.filter(skill__run=run, checkpoint=None, split="diagnose")
    return {skill: mastery * mean for skill, mean in rows.values_list("skill", "mean")}


def _taught(run: Run) -> set[tuple[int, int]]:
    """(snapshot, skill) by pk, where a training had new items of the skill."""
    new = SnapshotItem.objects.filter(snapshot__stage__run=run, is_rehearsal=False)
    return set(new.order_by().values_list("snapshot", "item__skill").distinct())


def _curve(
    skill: Skill,
    columns: Sequence[Column],
    scores: Mapping[tuple[int, int], Score],
    taught: set[tuple[int, int]],
    threshold: float | None,
) -> Curve:
    most = columns[-1].items
    cells = [
        _mark(score, each, most, (each.checkpoint.snapshot_id, skill.pk) in taught)
        if (score := scores.get((skill.pk, each.checkpoint.pk)))
        else None
        for each in columns
    ]
    return Curve(skill, cells, None if threshold is None else height(threshold, PLOT), most)


def _mark(score: Score, column: Column, most: int, is_taught: bool) -> Mark:
    return Mark(
        score,
        is_taught,
        f"{score.mean:.0%} after {column.items} items",
        LEFT + round(WIDTH * column.items / most) if most else LEFT,
        height(score.mean, PLOT),
        height(score.low, PLOT),
        height(score.high, PLOT),
    )


def _begun(curve: Curve) -> int:
    """The column before which it was first taught; after all others where it never was."""
    found = [n for n, mark in enumerate(curve.cells) if mark is not None and mark.is_taught]
    return min(found, default=len(curve.cells))
