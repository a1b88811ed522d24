"""What a run came to, from its rows: the same figures as the command line's."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum

from curriculum import models
from curriculum.engine.authoring import tokens_of_calls
from curriculum.engine.exam import Exam, Grades, Keep, score_row
from curriculum.engine.items import trained_questions
from curriculum.engine.passed import mastered_so_far
from curriculum.models import Checkpoint, Run, SnapshotItem
from curriculum.states import SkillStatus
from distill import report as reports
from distill.backends.base import Backend, Beat
from distill.identifier.probing import score
from distill.records import Interval, Score, Split
from distill.statistics import difference_interval


def report(run: Run, *, beat: Beat, keep: Keep) -> tuple[dict[str, Any], list[models.Score]]:
    """Open the `final` probes for teacher and student, before and now; figures and scores."""
    exam = Exam(run, keep)
    skills = list(run.skills.filter(status=SkillStatus.ACTIVE))
    n = exam.settings.probing.final_probes
    probes = exam.draw(skills, Split.FINAL, n, exclude=trained_questions(run))
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
    taught = SnapshotItem.objects.filter(snapshot__stage__run=run).order_by()
    figures = reports.build(
        [s.key for s in skills],
        list(taught.values_list("item__skill__key", flat=True).distinct()),
        before=scores[base.pk],
        after=scores[now.pk],
        teacher=scores[None],
        mastered={k: was for k, was in mastered_so_far(run).items() if k in scores[now.pk]},
        after_grades=grades[now.pk],
        teacher_grades=grades[None],
        thresholds=exam.settings.thresholds,
    )
    by_who: dict[int | None, Checkpoint | None] = {None: None, base.pk: base, now.pk: now}
    rows = [
        score_row(s, by_who[who], Split.FINAL, by_skill[s.key])
        for who, by_skill in scores.items()
        for s in skills
    ]
    return figures | _costs(run), rows


def difference(first: models.Score, second: models.Score) -> Interval:
    """95 % interval of first − second, of two students that learnt apart. Pure."""
    one, other = Interval(first.low, first.high), Interval(second.low, second.high)
    return difference_interval(first.mean, one, second.mean, other)


def _costs(run: Run) -> dict[str, Any]:
    answers = models.Answer.objects.filter(probe__skill__run=run)
    checkpoints = run.checkpoints.exclude(parent=None)
    spent = checkpoints.aggregate(tokens=Sum("train_tokens"), items=Sum("snapshot__n_items"))
    return {
        "items": spent["items"] or 0,
        "train_tokens": spent["tokens"] or 0,
        "teacher_tokens": (answers.filter(checkpoint=None).aggregate(n=Sum("tokens"))["n"] or 0)
        + tokens_of_calls(run),
        "probes": answers.count(),
        "stages": [
            reports.stage(
                [row.skill.key for row in stage.stage_skills.all()],
                [(gate.decision, gate.evidence) for gate in stage.gates.all()],
                status=stage.status,
            )
            for stage in run.stages.prefetch_related("stage_skills__skill", "gates")
        ],
    }
