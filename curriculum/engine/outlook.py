"""What one more round of a stage would train on, cost and gain: before anybody asks for it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from django.db.models import Count

from curriculum.engine.items import (
    evidence_record,
    evidence_so_far,
    rehearsal_pool,
    stands_on,
)
from curriculum.engine.rounds import counts, teaches
from curriculum.engine.steering import planned_aims
from curriculum.models import Checkpoint, GateRecord, Item, Job, Run, Skill, SnapshotItem
from curriculum.states import JobKind, JobStatus
from distill import outlook
from distill.errors import BudgetSpent
from distill.organizer import mixture
from distill.organizer.footing import footing
from distill.outlook import Case, Cost, Guess, Took
from distill.verdicts import GateAnswer, GateEvidence


@dataclass(frozen=True, slots=True)
class NextRound:
    """Items by skill; what to expect is of skills that do not sit yet."""

    new: dict[str, int]
    rehearsal: dict[str, int]
    now: dict[str, float]  # ratios of the stage's skills
    mastered: frozenset[str]  # of these
    expected: dict[str, Guess]
    n_cases: int  # that `expected` stands on; 0: not enough evidence
    are_remedies: bool
    cost: Cost | None
    begins_small: list[str]  # skills that begin with smaller instances
    from_round: int  # whose student it would go on from
    beside: list[str]  # skills of other stages among those of `new`
    aims: list[tuple[str, int, str]]  # skill, about how many of its items, for what error

    @property
    def n_new(self) -> int:
        return sum(self.new.values())

    @property
    def n_items(self) -> int:
        return self.n_new + self.rehearsal_count

    @property
    def rehearsal_count(self) -> int:
        return sum(self.rehearsal.values())


def next_round(gate: GateRecord) -> NextRound | None:
    """The round that a remedy at this gate would begin; None where the budget is spent.

    A guess: checks may reject items, and a skill may have fewer questions left.
    """
    run, footed = gate.stage.run, stands_on(gate)
    stage = copy.copy(gate.stage)  # as a remedy would have it; never saved
    stage.round = gate.round + 1
    rounds = evidence_so_far(stage)
    pool = dict(
        rehearsal_pool(stage, rounds).order_by().values_list("skill__key").annotate(n=Count("pk"))
    )
    planned = teaches(stage, rounds, pool)
    try:
        new = counts(stage, planned)
    except BudgetSpent:
        return None
    n_new = sum(new.values())
    rehearsal = mixture.rehearsed(
        pool,
        new,
        lost=footing(rounds).lost,
        share=planned.share,
    )
    cases = outlook.basis(cases_of(run))
    evidence = evidence_record(footed.evidence)
    not_yet = _not_yet(evidence)
    expected = {
        k: guess
        for k, ratio in not_yet.items()
        if k in new and (guess := outlook.expect(cases, ratio, new[k])) is not None
    }
    n_items = n_new + sum(rehearsal.values())
    return NextRound(
        new=new,
        rehearsal={k: n for k, n in rehearsal.items() if n},
        now={v.skill: v.ratio for v in evidence.stage},
        mastered=frozenset(v.skill for v in evidence.stage if v.skill not in not_yet),
        expected=expected,
        n_cases=len(cases),
        are_remedies=all(case.is_remedy for case in cases),
        cost=outlook.cost(_took(run), n_new=n_new, n_items=n_items),
        begins_small=sorted(mixture.bridged(rounds)),
        from_round=footed.round,
        beside=sorted(planned.beside.keys() & new.keys()),
        aims=planned_aims(run, {k: n for k, n in new.items() if k in planned.need}),
    )


def cases_of(run: Run) -> list[Case]:
    """What each round of the run did for each skill of its stage that did not sit before it.

    Before a stage's first round stands the diagnosis, and again after it was rolled back: the
    student is then the one from before the stage.
    """
    gates = list(
        GateRecord.objects.filter(stage__run=run)
        .select_related("stands_on")
        .order_by("stage", "round")
    )
    there = {(gate.stage_id, gate.round): gate for gate in gates}
    measured = Skill.objects.filter(run=run).values_list("key", "gap")
    diagnosed = {key: 1.0 - gap for key, gap in measured if gap is not None}
    taught = (
        SnapshotItem.objects.filter(snapshot__stage__run=run, is_rehearsal=False)
        .order_by()
        .values_list("snapshot__stage", "snapshot__round", "item__skill__key")
        .annotate(n=Count("pk"))
    )
    counts = {(stage, number, key): n for stage, number, key, n in taught}
    found = []
    for gate in gates:
        before = there.get((gate.stage_id, gate.round - 1))
        is_remedy = before is not None and before.decision == "remedy"
        before = (before.stands_on or before) if before else None
        had = _not_yet(evidence_record(before.evidence)) if before and is_remedy else diagnosed
        for verdict in evidence_record(gate.evidence).stage:
            n = counts.get((gate.stage_id, gate.round, verdict.skill), 0)
            if n and had.get(verdict.skill, 1.0) < 1.0:
                found.append(Case(verdict.skill, had[verdict.skill], verdict.ratio, n, is_remedy))
    return found


def _not_yet(evidence: GateEvidence) -> dict[str, float]:
    return {v.skill: v.ratio for v in evidence.stage if v.answer is not GateAnswer.MASTERED}


def _took(run: Run) -> list[Took]:
    """Rounds whose three jobs each went through at the first try: a retry's time is not all."""
    jobs = Job.objects.filter(run=run, stage__isnull=False, status=JobStatus.SUCCEEDED, attempt=1)
    seconds: dict[tuple[int | None, int], dict[str, float]] = {}
    for job in jobs:
        if job.started_at and job.finished_at:
            took = (job.finished_at - job.started_at).total_seconds()
            seconds.setdefault((job.stage_id, job.round), {})[job.kind] = took
    rows = Item.objects.filter(stage__run=run).order_by().values_list("stage", "round")
    written = {(stage, number): n for stage, number, n in rows.annotate(n=Count("pk"))}
    kinds = (JobKind.WRITE, JobKind.TRAIN, JobKind.ASSESS)
    trained = Checkpoint.objects.filter(run=run, snapshot__isnull=False).select_related("snapshot")
    return [
        Took(
            written.get(at, 0),
            checkpoint.snapshot.n_items,
            checkpoint.train_tokens,
            *(seconds[at][kind] for kind in kinds),
        )
        for checkpoint in trained
        if checkpoint.snapshot is not None
        and set(kinds) <= seconds.get(at := (checkpoint.stage_id, checkpoint.round), {}).keys()
    ]
