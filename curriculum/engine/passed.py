"""What a run has behind it, from its rows: what sits, what was waived, and what that lacks now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from curriculum import models
from curriculum.engine.describe import settings_of
from curriculum.engine.exam import grades_of
from curriculum.engine.items import evidence_record
from curriculum.engine.planning import gaps_of
from curriculum.models import Checkpoint, GateRecord, Run, StageSkill
from curriculum.states import SETTLED, SkillOutcome, SkillStatus, StageStatus
from distill.assessment.gate import Was, known_at_start
from distill.organizer.mixture import still_needed
from distill.passed import left_lacking
from distill.records import Gap, Split
from distill.verdicts import GateEvidence


def way_back(checkpoints: Iterable[Checkpoint]) -> list[Checkpoint]:
    """The current one of a run's checkpoints and those it came from, the last first. Pure."""
    by_pk = {each.pk: each for each in checkpoints}
    at = next((each for each in by_pk.values() if each.is_current), None)
    way: list[Checkpoint] = []
    while at is not None and at not in way:
        way.append(at)
        at = by_pk.get(at.parent_id) if at.parent_id else None
    return way


def on_the_way(run: Run) -> list[int]:
    """The current checkpoint and those it came from, by pk; others were given up."""
    return [each.pk for each in way_back(run.checkpoints.only("pk", "parent", "is_current"))]


def mastered_so_far(run: Run) -> dict[str, Was]:
    """Skills that sit, taught or known from the start, with what they scored then."""
    taught = when_settled(run, SkillOutcome.MASTERED, SkillOutcome.FORGOTTEN)
    return _known_at_start(run) | _left_the_plan(run) | taught


def when_settled(run: Run, *outcomes: SkillOutcome) -> dict[str, Was]:
    """Skills of settled stages that came to one of `outcomes`: what each scored at the gate that
    let it pass.
    """
    rows = StageSkill.objects.filter(
        stage__run=run,
        stage__status__in=SETTLED,
        outcome__in=outcomes,
    ).select_related("skill", "stage")
    found = {}
    for row in rows:
        gate = row.stage.gates.select_related("stands_on").order_by("round").last()
        gate = (gate.stands_on or gate) if gate else None
        score = models.Score.objects.filter(
            skill=row.skill, checkpoint=gate.checkpoint if gate else None, split=Split.GATE
        ).first()
        if gate and score:
            found[row.skill.key] = Was(score.mean, score.n, score.is_exhaustive)
    return found


def left_behind(run: Run, gaps: Mapping[str, Gap]) -> dict[str, float]:
    """Skills that waived stages left without sitting, and what each lacks by the last gate on the
    way to the current student, in 0..1: see `distill.passed.left_lacking`.
    """
    lacks: dict[str, float] = {}
    asks = settings_of(run).probing.ask_others
    gates = _gates(run)
    last = {gate.stage_id: gate.pk for gate, _ in gates}
    for gate, evidence in gates:
        if asks:
            lacks = left_lacking(lacks, evidence, gaps)
        if gate.stage.status == StageStatus.WAIVED and last[gate.stage_id] == gate.pk:
            lacks |= still_needed(evidence)[0]
    return {k: v for k, v in lacks.items() if k in gaps}


def forgotten_by_now(run: Run) -> set[str]:
    """Skills that the last gate to ask them, on the way to the current student, calls forgotten."""
    said = {v.skill: v.answer for _, evidence in _gates(run) for v in evidence.retention}
    return {k for k, answer in said.items() if answer == SkillOutcome.FORGOTTEN}


def _gates(run: Run) -> list[tuple[GateRecord, GateEvidence]]:
    """The gates on the way to the current student, first to last."""
    gates = GateRecord.objects.filter(stage__run=run, checkpoint__in=on_the_way(run))
    rows = gates.select_related("stage").order_by("checkpoint")
    return [(gate, evidence_record(gate.evidence)) for gate in rows]


def _known_at_start(run: Run) -> dict[str, Was]:
    """Skills that the diagnosis calls mastered: nothing is taught of them, all is kept of them."""
    answers = models.Answer.objects.filter(
        probe__skill__run=run,
        probe__skill__status=SkillStatus.ACTIVE,
        probe__split=Split.DIAGNOSE,
        checkpoint=run.checkpoints.get(parent=None),
    )
    answered = grades_of(answers.order_by("pk"))
    gaps = {k: gap for k, gap in gaps_of(run).items() if k in answered}
    # what a measurement that was called off has asked since is nobody's evidence
    answered = {k: dict(list(answered[k].items())[: gap.student.n]) for k, gap in gaps.items()}
    return known_at_start(gaps, answered, settings_of(run).thresholds)


def _left_the_plan(run: Run) -> dict[str, Was]:
    """Skills that sat before their stage began, and so are in none: measured by a later student
    than the first, which is done of what is planned only; as it was on the way to the current one.
    """
    scores = models.Score.objects.filter(
        skill__run=run,
        skill__status=SkillStatus.ACTIVE,
        skill__stage_skills=None,
        split=Split.DIAGNOSE,
        checkpoint__in=on_the_way(run),
        checkpoint__parent__isnull=False,
    )
    rows = scores.order_by("checkpoint").select_related("skill")
    return {row.skill.key: Was(row.mean, row.n) for row in rows}
