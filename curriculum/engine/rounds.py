"""What a round teaches and trains on: its own skills, what is beside them, what is rehearsed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curriculum.engine.describe import settings_of
from curriculum.engine.items import evidence_so_far, record, rehearsal_pool
from curriculum.engine.passed import left_behind, on_the_way
from curriculum.engine.planning import gaps_of
from curriculum.models import Checkpoint, Item, Run, Score, Snapshot, Stage, StageSkill
from curriculum.states import SkillStatus, StageStatus
from distill import records
from distill.organizer import mixture as organizer
from distill.organizer.footing import footing
from distill.organizer.stages import lacking
from distill.records import Gap, Split
from distill.verdicts import GateEvidence


@dataclass(frozen=True, slots=True)
class Teaches:
    """Skills with what each lacks, in 0..1."""

    need: dict[str, float]  # the stage's own
    later: dict[str, float]  # of stages that have not begun
    left: dict[str, float]  # by waived stages behind it: see `passed.left_behind`
    share: float  # of the mixture that is rehearsal: `mixture.rehearsal_share`

    @property
    def beside(self) -> dict[str, float]:
        return {k: v for k, v in (self.left | self.later).items() if k not in self.need}

    @property
    def lacks(self) -> dict[str, float]:
        return self.beside | self.need


def teaches(
    stage: Stage, rounds: Sequence[GateEvidence], known: Iterable[str] | None = None
) -> Teaches:
    """What the stage's round teaches after `rounds`, see `evidence_so_far`.

    known: the skills of the rehearsal pool, where the caller has them.
    """
    run, budget = stage.run, settings_of(stage.run).budget
    places = StageSkill.objects.filter(stage__run=run).order_by("stage__position", "pk")
    places = places.select_related("skill", "stage")
    own = [row.skill.key for row in places if row.stage_id == stage.pk]
    others = [row for row in places if row.skill.key not in own]
    later = dict.fromkeys(row.skill.key for row in others if _waits(row, stage))
    was_waived = any(row.stage.status == StageStatus.WAIVED for row in others)
    gaps = gaps_of(run) if later or was_waived or not rounds else {}
    left = left_behind(run, gaps) if was_waived else {}
    left = {k: v for k, v in left.items() if k not in later}
    if rounds:
        need = footing(rounds).need
    else:
        now = _measured_since(stage)
        need = {k: _lacking(gaps.get(k), now.get(k)) for k in own}
    means = _last_measured(run) if later else {}
    waiting = {k: _lacking(gap, means.get(k)) for k in later if (gap := gaps.get(k))}
    found = Teaches(need, waiting, left, 0.0)
    if known is None:
        pool = rehearsal_pool(stage, rounds).order_by()
        known = pool.values_list("skill__key", flat=True).distinct()
    share = organizer.rehearsal_share(budget, need, found.beside, known)
    return dataclasses.replace(found, share=share)


def _waits(place: StageSkill, stage: Stage) -> bool:
    return (
        place.stage.status == StageStatus.PLANNED
        and place.stage.position > stage.position
        and place.skill.status == SkillStatus.ACTIVE
    )


def _last_measured(run: Run) -> dict[str, float]:
    """The mean grade of each skill as last measured on the way to the current student, whatever
    students that were given up came to: skill -> 0..1.
    """
    scores = Score.objects.filter(skill__run=run, checkpoint__in=on_the_way(run))
    scores = scores.filter(split__in=[Split.DIAGNOSE, Split.GATE]).order_by("checkpoint", "pk")
    return dict(scores.values_list("skill__key", "mean"))


def counts(stage: Stage, planned: Teaches) -> dict[str, int]:
    """How many new items each skill gets in the round. Raises `BudgetSpent`."""
    budget = settings_of(stage.run).budget
    n = organizer.room_for_new(
        budget,
        planned.need,
        used=Snapshot.objects.filter(stage__run=stage.run_id).spent().n_items(),
        share=planned.share,
        beside=planned.beside,
        waiting=sum(planned.later.values()),
    )
    return organizer.dealt(planned.need, planned.beside, n, budget)


def spent_before(stage: Stage) -> float:
    """The share of the run's budget, in items, that was trained on before the stage's round."""
    run = stage.run
    spent = Snapshot.objects.filter(stage__run=run).spent()
    return spent.exclude(stage=stage, round=stage.round).n_items() / settings_of(run).budget.items


def mixture(stage: Stage, approved: Sequence[Item]) -> list[tuple[Item, bool]]:
    """What a round trains on, in its order: (item, is rehearsal). See `mixture.mix`.

    approved: the round's own items.
    """
    rounds = evidence_so_far(stage)
    rows = {i.pk: i for i in rehearsal_pool(stage, rounds).select_related("skill")}
    own = {i.pk: i for i in approved}
    mixed = organizer.mix(
        [_numbered(i) for i in own.values()],
        [_numbered(i) for i in rows.values()],
        lost=footing(rounds).lost if rounds else {},
        share=teaches(stage, rounds).share,
        seed=f"{stage.run.seed}:{stage.position}:{stage.round}",
    )
    everything = rows | own
    keys = (int(m.key.rsplit("#", 1)[1]) for m in mixed)
    return [(everything[pk], pk not in own) for pk in keys]


def _lacking(gap: Gap | None, now: float | None) -> float:
    """1 − r of a student that scores `now`, or as it was diagnosed; all, where nothing is known."""
    return 1.0 if gap is None else lacking(gap, now)


def _measured_since(stage: Stage) -> dict[str, float]:
    """What the student as it is now scored on the stage's skills: skill -> mean in 0..1."""
    scores = Score.objects.filter(
        skill__in=stage.stage_skills.values("skill"),
        split=Split.DIAGNOSE,
        checkpoint__in=Checkpoint.objects.filter(run=stage.run_id, is_current=True),
    )
    return dict(scores.values_list("skill__key", "mean"))


def _numbered(item: Item) -> records.Item:
    """A record whose key ends in the row's number, so that it can be found again."""
    return dataclasses.replace(record(item), key=f"{item.key}#{item.pk}")
