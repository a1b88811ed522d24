"""The work of a round: distill's steps over rows, continuing where they stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from curriculum import models
from curriculum.engine.authoring import write_items
from curriculum.engine.describe import find_student, home, settings_of
from curriculum.engine.exam import Exam, Grades, Keep, grades_of, score_row
from curriculum.engine.items import evidence_so_far, may_advance, record, trained_questions
from curriculum.engine.made_with import made_with
from curriculum.engine.passed import mastered_so_far, when_settled
from curriculum.engine.planning import gaps_of
from curriculum.engine.rounds import counts, spent_before, teaches
from curriculum.engine.steering import errors_of, to_ask
from curriculum.models import Checkpoint, Skill, Stage
from curriculum.states import SkillOutcome, SkillStatus, StageStatus
from distill.adapter.writing import Order
from distill.assessment.ahead import look_ahead
from distill.assessment.gate import GateExam
from distill.backends.base import Backend, Beat
from distill.identifier.probing import score
from distill.organizer import mixture
from distill.records import Answer, Probe, Split
from distill.training.base import StepLog
from distill.training.schedule import cooled

# --- one round ---------------------------------------------------------------------------


def write(stage: Stage, *, beat: Beat, keep: Keep) -> int:
    """Write and check the items of the stage's round; returns how many. Raises `BudgetSpent`."""
    with _who_tries(stage, keep) as student:
        items = write_items(stage, _orders(stage), student=student, beat=beat, keep=keep)
    return len(items)


def rewrite(stage: Stage, job: models.Job, *, beat: Beat, keep: Keep) -> int:
    """Write as many others as `job` asks for in place of items that were refused, for the same
    student. What people said of those reaches who writes: see `learner_of`.
    """
    orders, batch = _orders(stage, job.asked["items"]), job.asked["batch"]
    with _who_tries(stage, keep) as student:
        items = write_items(stage, orders, student=student, beat=beat, keep=keep, batch=batch)
    return len(items)


@contextmanager
def _who_tries(stage: Stage, keep: Keep) -> Iterator[Backend | None]:
    """The student as it is now, where it has been taught anything and is to try questions first."""
    run = stage.run
    checkpoint = run.checkpoints.get(is_current=True) if run.student_tries else None
    if checkpoint is None or not checkpoint.folder:
        yield None
        return
    with Exam(run, keep).student(checkpoint) as student:
        yield student


def _orders(stage: Stage, wanted: Mapping[str, int] | None = None) -> list[Order]:
    """What the round wants of each skill, or `wanted` in its place."""
    run, rounds = stage.run, evidence_so_far(stage)
    planned = teaches(stage, rounds)
    dealt = counts(stage, planned) if wanted is None else wanted
    begins_small = (
        planned.need.keys() if stage.is_bridge and not rounds else mixture.bridged(rounds)
    )
    errors = errors_of(run, [k for k in dealt if k in planned.need])
    lacks = planned.lacks
    return [
        Order(k, n, 1.0 - lacks.get(k, 0.0), k in begins_small, errors.get(k, {}))
        for k, n in dealt.items()
    ]


def train(stage: Stage, job: models.Job, *, beat: Beat, keep: Keep) -> Checkpoint:
    """Train on the round's snapshot; returns the new checkpoint, not saved yet."""
    run = stage.run
    parent = run.checkpoints.get(is_current=True)
    snapshot = stage.snapshots.get(round=stage.round)
    entries = snapshot.entries.select_related("item__skill").order_by("position")
    folder = f"runs/{run.pk}/checkpoints/s{stage.position}r{stage.round}"
    (home() / folder).parent.mkdir(parents=True, exist_ok=True)

    def log(step: StepLog) -> None:
        keep.step(
            models.TrainingStep(
                job=job,
                step=step.step,
                loss=step.loss,
                learning_rate=step.learning_rate,
                tokens_per_second=step.tokens_per_second,
            )
        )

    spent = job.asked.get("spent")  # jobs of earlier versions do not say
    lora = cooled(settings_of(run).lora, spent_before(stage) if spent is None else spent)
    # before: whoever changes a file meanwhile changes nothing that is loaded
    made = made_with(run, lora)
    result = find_student(run.student).trainer.train(
        [record(e.item) for e in entries],
        parent=home() / parent.folder if parent.folder else None,
        out=home() / folder,
        settings=lora,
        seed=run.seed,
        beat=beat,
        log=log,
    )
    return Checkpoint(
        run=run,
        parent=parent,
        stage=stage,
        round=stage.round,
        snapshot=snapshot,
        folder=folder,
        content_hash=result.content_hash,
        train_tokens=result.tokens,
        seconds=result.seconds,
        final_loss=result.final_loss,
        made_with=made,
    )


def assess(stage: Stage, *, beat: Beat, keep: Keep) -> tuple[dict[str, Any], list[models.Score]]:
    """The gate's evidence on the current checkpoint, as plain JSON, and scores not saved yet.

    What was waived is asked again, with the gate's probes (`probing.ask_others`). All skills still
    to be taught are measured as well: what this stage taught may have helped
    them, and it may be waived where it may not advance. The rest is planned again from that, and
    the next stage's first round written for the student as it is. Where it may not advance, those
    skills are asked for as well of which the kinds of errors say something to who writes the
    remedy.
    """
    run = stage.run
    checkpoint = run.checkpoints.get(is_current=True)
    exam = Exam(run, keep)
    gaps = gaps_of(run)
    own = [row.skill for row in stage.stage_skills.select_related("skill")]
    taught = {s.key for s in own}
    mastered = {k: was for k, was in mastered_so_far(run).items() if k not in taught}
    waived = when_settled(run, SkillOutcome.WAIVED) if exam.settings.probing.ask_others else {}
    waived = {k: was for k, was in waived.items() if k not in taught and k in gaps}
    answered = models.Answer.objects.filter(probe__skill__run=run, probe__split=Split.GATE)
    seen: dict[str, set[str]] = {}
    earlier = answered.exclude(checkpoint=checkpoint).exclude(checkpoint=None)
    for skill, key in earlier.values_list("probe__skill__key", "probe__key"):
        seen.setdefault(skill, set()).add(key)
    trained = trained_questions(run)
    gate = GateExam(
        domain=exam.domain,
        settings=exam.settings,
        seed=run.seed,
        stage=[s.key for s in own],
        mastered=mastered,
        p_teacher={k: gaps[k].teacher.mean for k in (*taught, *waived)},
        seen=seen,
        grades=grades_of(answered.filter(checkpoint=checkpoint)),
        trained=trained,
        waived=waived,
    )

    def sink(pairs: Sequence[tuple[Probe, Answer]]) -> None:
        exam.keep_probes([probe for probe, _ in pairs])
        exam.keep_answers(checkpoint, pairs)

    told = 0  # questions of the looks behind

    def tell(done: int, total: int) -> None:
        nonlocal told
        told = total
        beat(done, total)

    def draw(skill: str, n: int) -> Sequence[Probe]:
        return exam.domain.probes(skill, Split.DIAGNOSE, n, seed=run.seed, exclude=trained)

    def ask(probes: Sequence[Probe]) -> Grades:
        nonlocal told
        before = told
        exam.keep_probes(probes)
        grades = exam.ask(
            student, checkpoint, probes, lambda done, total: beat(before + done, before + total)
        )
        told += len(probes)
        return grades

    with exam.student(checkpoint) as student:
        evidence = gate.run(student, beat=tell, sink=sink)
        by_now = look_ahead(
            [k for k in _skills_ahead(stage) if k in gaps],
            gaps,
            draw=draw,
            ask=ask,
            settings=exam.settings,
        )
        # the next items are written by the student's errors of now, a remedy's or the next stage's
        needed, _ = mixture.still_needed(evidence)
        next_up = [] if may_advance(stage, evidence) else list(needed)
        wanted = to_ask(exam.domain, [*next_up, *_skills_ahead(stage, 1)], run.seed)
        if wanted:
            keys = run.skills.filter(key__in=wanted).values_list("key", flat=True)
            n = exam.settings.probing.gate_probes
            ask([p for k in keys for p in draw(k, n)])
    rows = {s.key: s for s in run.skills.all()}
    scores = [
        score_row(
            rows[k],
            checkpoint,
            Split.GATE,
            score(k, grades, exam.domain.size(k, Split.GATE)),
        )
        for k, grades in gate.grades.items()
    ]
    scores += [
        score_row(
            rows[k],
            checkpoint,
            Split.DIAGNOSE,
            score(k, grades, exam.domain.size(k, Split.DIAGNOSE)),
        )
        for k, grades in by_now.items()
    ]
    return dataclasses.asdict(evidence), scores


def _skills_ahead(stage: Stage, most: int | None = None) -> list[str]:
    """The keys of the active skills of the stages that have not begun; of the first `most`."""
    later = stage.run.stages.filter(status=StageStatus.PLANNED).order_by("position")
    ahead = Skill.objects.filter(
        stage_skills__stage__in=list(later[:most]), status=SkillStatus.ACTIVE
    )
    return list(ahead.distinct().values_list("key", flat=True))
