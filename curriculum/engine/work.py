"""The work of a round, and the report: distill's steps over rows, continuing where they stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db.models import Sum

from curriculum import models
from curriculum.engine.describe import find_student, home, load_domain, settings_of
from curriculum.engine.exam import Exam, Grades, Keep, grades_of, score_row
from curriculum.engine.items import last_evidence, record, to_write
from curriculum.engine.planning import gaps_of
from curriculum.models import Checkpoint, Run, Skill, Stage, StageSkill
from curriculum.states import SETTLED, SkillOutcome, SkillStatus
from distill import report as reports
from distill.adapter.operations import PROCEDURAL_OPERATIONS
from distill.adapter.writing import Order
from distill.adapter.writing import write as write_items
from distill.assessment.gate import GateExam, Was, known_at_start
from distill.backends.base import Backend, Beat
from distill.domains import question_key
from distill.identifier.probing import score
from distill.records import Answer, Item, Probe, Score, Split
from distill.training.base import StepLog

# --- one round ---------------------------------------------------------------------------


def write(stage: Stage, *, beat: Beat, keep: Keep) -> int:
    """Write and check the items of the stage's round; returns how many. Raises `BudgetSpent`."""
    run, last = stage.run, last_evidence(stage)
    need, counts = to_write(stage, last)
    earlier = models.Item.objects.filter(stage__run=run).exclude(stage=stage, round=stage.round)
    probes = models.Probe.objects.filter(skill__run=run)
    skills = {s.key: s for s in run.skills.all()}

    def sink(item: Item) -> None:
        keep.items([_item_row(item, stage, skills[item.skill])])

    items = write_items(
        load_domain(run.domain),
        [
            Order(k, count, 1.0 - need[k], stage.is_bridge and last is None)
            for k, count in counts.items()
        ],
        seed=run.seed,
        round_key=f"s{stage.position}r{stage.round}",
        operations=PROCEDURAL_OPERATIONS,
        taken={question_key(q) for q in earlier.values_list("question", flat=True)},
        probe_keys=set(probes.values_list("key", flat=True)),
        beat=beat,
        sink=sink,
    )
    return len(items)


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

    result = find_student(run.student).trainer.train(
        [record(e.item) for e in entries],
        parent=home() / parent.folder if parent.folder else None,
        out=home() / folder,
        settings=settings_of(run).lora,
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
    )


def assess(stage: Stage, *, beat: Beat, keep: Keep) -> tuple[dict[str, Any], list[models.Score]]:
    """The gate's evidence on the current checkpoint, as plain JSON, and scores not saved yet."""
    run = stage.run
    checkpoint = run.checkpoints.get(is_current=True)
    exam = Exam(run, keep)
    gaps = gaps_of(run)
    own = [row.skill for row in stage.stage_skills.select_related("skill")]
    mastered = {k: was for k, was in _mastered(run).items() if k not in {s.key for s in own}}
    answered = models.Answer.objects.filter(probe__skill__run=run, probe__split=Split.GATE)
    seen: dict[str, set[str]] = {}
    earlier = answered.exclude(checkpoint=checkpoint).exclude(checkpoint=None)
    for skill, key in earlier.values_list("probe__skill__key", "probe__key"):
        seen.setdefault(skill, set()).add(key)
    gate = GateExam(
        domain=exam.domain,
        settings=exam.settings,
        seed=run.seed,
        stage=[s.key for s in own],
        mastered=mastered,
        p_teacher={s.key: gaps[s.key].teacher.mean for s in own},
        seen=seen,
        grades=grades_of(answered.filter(checkpoint=checkpoint)),
    )

    def sink(pairs: Sequence[tuple[Probe, Answer]]) -> None:
        exam.keep_probes([probe for probe, _ in pairs])
        exam.keep_answers(checkpoint, pairs)

    with exam.student(checkpoint) as student:
        evidence = gate.run(student, beat=beat, sink=sink)
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
    return dataclasses.asdict(evidence), scores


def _mastered(run: Run) -> dict[str, Was]:
    """Skills that sit, taught or known from the start, with what they scored then."""
    known = _known_at_start(run)
    rows = StageSkill.objects.filter(
        stage__run=run,
        stage__status__in=SETTLED,
        outcome__in=[SkillOutcome.MASTERED, SkillOutcome.FORGOTTEN],
    ).select_related("skill", "stage")
    for row in rows:
        gate = row.stage.gates.order_by("round").last()
        found = models.Score.objects.filter(
            skill=row.skill, checkpoint=gate.checkpoint if gate else None, split=Split.GATE
        ).first()
        if gate and found:
            known[row.skill.key] = Was(found.mean, found.n, found.is_exhaustive)
    return known


def _known_at_start(run: Run) -> dict[str, Was]:
    """Skills that the diagnosis calls mastered: nothing is taught of them, all is kept of them."""
    answers = models.Answer.objects.filter(
        probe__skill__run=run,
        probe__skill__status=SkillStatus.ACTIVE,
        probe__split=Split.DIAGNOSE,
        checkpoint=run.checkpoints.get(parent=None),
    )
    answered = grades_of(answers)
    gaps = {k: gap for k, gap in gaps_of(run).items() if k in answered}
    return known_at_start(gaps, answered, settings_of(run).thresholds)


# --- report ------------------------------------------------------------------------------


def report(run: Run, *, beat: Beat, keep: Keep) -> tuple[dict[str, Any], list[models.Score]]:
    """Open the `final` probes for teacher and student, before and now; figures and scores."""
    exam = Exam(run, keep)
    skills = list(run.skills.filter(status=SkillStatus.ACTIVE))
    probes = exam.draw(skills, Split.FINAL, exam.settings.probing.final_probes)
    base, now = run.checkpoints.get(parent=None), run.checkpoints.get(is_current=True)
    grades: dict[int | None, Grades] = {}
    total = len(probes) * (2 if base == now else 3)

    def asked(backend: Backend, who: Checkpoint | None) -> None:
        done = len(probes) * len(grades)
        grades[who.pk if who else None] = exam.ask(
            backend, who, probes, lambda d, _: beat(done + d, total)
        )

    with exam.teacher() as teacher:
        asked(teacher, None)
    for who in {base.pk: base, now.pk: now}.values():
        with exam.student(who) as student:
            asked(student, who)
    scores: dict[int | None, dict[str, Score]] = {
        who: {k: score(k, g, exam.domain.size(k, Split.FINAL)) for k, g in by_skill.items()}
        for who, by_skill in grades.items()
    }
    taught = StageSkill.objects.filter(stage__run=run).exclude(stage__snapshots=None)
    figures = reports.build(
        [s.key for s in skills],
        list(taught.values_list("skill__key", flat=True).distinct()),
        before=scores[base.pk],
        after=scores[now.pk],
        teacher=scores[None],
        mastered={k: was for k, was in _mastered(run).items() if k in scores[now.pk]},
        after_grades={k: list(g.values()) for k, g in grades[now.pk].items()},
        thresholds=exam.settings.thresholds,
    )
    by_who: dict[int | None, Checkpoint | None] = {None: None, base.pk: base, now.pk: now}
    rows = [
        score_row(s, by_who[who], Split.FINAL, by_skill[s.key])
        for who, by_skill in scores.items()
        for s in skills
    ]
    return figures | _costs(run), rows


def _costs(run: Run) -> dict[str, Any]:
    answers = models.Answer.objects.filter(probe__skill__run=run)
    checkpoints = run.checkpoints.exclude(parent=None)
    spent = checkpoints.aggregate(tokens=Sum("train_tokens"), items=Sum("snapshot__n_items"))
    return {
        "items": spent["items"] or 0,
        "train_tokens": spent["tokens"] or 0,
        "teacher_tokens": answers.filter(checkpoint=None).aggregate(n=Sum("tokens"))["n"] or 0,
        "probes": answers.count(),
        "stages": [
            {
                "skills": [row.skill.key for row in stage.stage_skills.all()],
                "status": stage.status,
                "rounds": [gate.decision for gate in stage.gates.all()],
            }
            for stage in run.stages.prefetch_related("stage_skills__skill", "gates")
        ],
    }


def _item_row(item: Item, stage: Stage, skill: Skill) -> models.Item:
    return models.Item(
        stage=stage,
        round=stage.round,
        skill=skill,
        key=item.key,
        question=item.question,
        solution=item.solution,
        answer=item.answer,
        operations=list(item.operations),
        level=item.level,
        origin=item.origin,
        checks=[dataclasses.asdict(c) for c in item.checks],
        is_flagged=item.is_flagged,
        is_leak=any(c.id == "leak" and not c.passed for c in item.checks),
    )
