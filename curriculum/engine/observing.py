"""What the checkpoints of this and earlier runs say of edges: Eq. 3 over rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from curriculum.engine.describe import settings_of
from curriculum.engine.passed import way_back
from curriculum.engine.planning import taught_skills
from curriculum.models import Run, Score, SnapshotItem
from distill.identifier.edges import MIN_SIDE, Checkpoint, Found, observe
from distill.records import Split

ROUNDS_NEEDED = 2 * MIN_SIDE  # some on each side of an edge: fewer can say nothing of any


@dataclass(frozen=True, slots=True)
class Seen:
    """What the history says of one edge."""

    source: str
    target: str
    holds: bool
    strength: float | None  # None: not enough evidence of this very edge
    n: int  # rounds behind it
    says: str


@dataclass(frozen=True, slots=True)
class History:
    n_runs: int
    n_rounds: int  # checkpoints that a round led to
    edges: tuple[Seen, ...]  # every ordered pair of skills; () where there are too few rounds

    @property
    def is_enough(self) -> bool:
        return self.n_rounds >= ROUNDS_NEEDED


def look_back(run: Run) -> History:
    """Look at the checkpoints of all runs of this student in this domain, this one included."""
    # Not those that came as a file: what it says was measured elsewhere, if at all.
    same = Run.objects.filter(domain=run.domain, student=run.student, origin=None).order_by("pk")
    lines = [line for line in map(checkpoints, same) if len(line) > 1]
    known = [checkpoint for line in lines for checkpoint in line]
    n_rounds = len(known) - len(lines)
    if n_rounds < ROUNDS_NEEDED:
        return History(len(lines), n_rounds, ())
    keys = [skill.key for skill in taught_skills(run)]
    found = observe(known, keys, settings_of(run).thresholds)
    return History(
        len(lines),
        n_rounds,
        tuple(
            Seen(i, j, o.found is Found.KEPT, o.strength, o.n_with + o.n_without, o.sentence)
            for (i, j), o in found.items()
        ),
    )


def checkpoints(run: Run) -> list[Checkpoint]:
    """The way to the run's student as it is now, the untaught one first; [] if not diagnosed.

    A round that was rolled back led elsewhere and is left out; one that was not assessed counts
    to the next. Scores are those of the gate, of the untaught student those of the diagnosis.
    """
    scores: dict[tuple[int | None, str], dict[str, float]] = defaultdict(dict)
    for who, split, key, mean in Score.objects.filter(skill__run=run).values_list(
        "checkpoint", "split", "skill__key", "mean"
    ):
        scores[who, split][key] = mean
    p_teacher = scores[None, Split.DIAGNOSE]
    way = way_back(run.checkpoints.all())[::-1]
    if not way or not scores[way[0].pk, Split.DIAGNOSE]:
        return []
    base, *rounds = way

    def seen(number: int, taught: Iterable[str], p: dict[str, float]) -> Checkpoint:
        ratios = {k: mean / p_teacher[k] for k, mean in p.items() if p_teacher.get(k)}
        return Checkpoint(str(run.pk), number, frozenset(taught), p, ratios)

    found = [seen(0, (), scores[base.pk, Split.DIAGNOSE])]
    taught: set[str] = set()
    taught_by = _taught_by(run)
    for number, row in enumerate(rounds, 1):
        taught |= taught_by[row.snapshot_id]
        if scores[row.pk, Split.GATE]:
            found.append(seen(number, taught, scores[row.pk, Split.GATE]))
            taught = set()
    return found


def _taught_by(run: Run) -> dict[int | None, set[str]]:
    """Snapshot -> the skills that its new items teach; rehearsal teaches nothing new."""
    new = SnapshotItem.objects.filter(snapshot__stage__run=run, is_rehearsal=False)
    found: dict[int | None, set[str]] = defaultdict(set)
    for snapshot, key in new.values_list("snapshot", "item__skill__key").distinct().order_by():
        found[snapshot].add(key)
    return found
