"""The gate of a round: what the student is asked at it, and what is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from curriculum import models
from curriculum.engine.exam import Exam, Grades, Keep, grades_of, score_row
from curriculum.engine.items import may_advance, trained_questions
from curriculum.engine.passed import mastered_so_far, when_settled
from curriculum.engine.planning import gaps_of
from curriculum.engine.steering import to_ask
from curriculum.models import Checkpoint, Run, Skill, Stage
from curriculum.states import SkillOutcome, SkillStatus, StageStatus
from distill.assessment.ahead import look_ahead
from distill.assessment.gate import GateExam
from distill.backends.base import Backend, Beat
from distill.identifier.probing import score
from distill.organizer import mixture
from distill.records import Answer, Gap, Probe, Split
from distill.verdicts import GateEvidence


def assess(stage: Stage, *, beat: Beat, keep: Keep) -> tuple[dict[str, Any], list[models.Score]]:
    """The gate's evidence on the current checkpoint, as plain JSON, and scores not saved yet.

    What was waived is asked again, with the gate's probes (`probing.ask_others`). All skills still
    to be taught are measured as well: what this stage taught may have helped them, and it may be
    waived where it may not advance. The rest is planned again from that, and the next stage's first
    round written for the student as it is. Where it may not advance, those skills are asked for as
    well of which the kinds of errors say something to who writes the remedy.

    Resumable: what is answered is not asked again. Raises what `beat` and the student raise.
    """
    run = stage.run
    checkpoint = run.checkpoints.get(is_current=True)
    exam, gaps = Exam(run, keep), gaps_of(run)
    gate = _gate(stage, exam, checkpoint, gaps)
    with exam.student(checkpoint) as student:
        asking = _Asking(exam, student, checkpoint, beat, gate.trained)
        evidence = gate.run(student, beat=asking.at_gate, sink=asking.keep)
        by_now = look_ahead(
            [k for k in _skills_ahead(stage) if k in gaps],
            gaps,
            draw=asking.draw,
            ask=asking.ask,
            settings=exam.settings,
        )
        wanted = to_ask(exam.domain, _written_next(stage, evidence), run.seed)
        if wanted:
            keys = run.skills.filter(key__in=wanted).values_list("key", flat=True)
            n = exam.settings.probing.gate_probes
            asking.ask([p for k in keys for p in asking.draw(k, n)])
    by_split = {Split.GATE: gate.grades, Split.DIAGNOSE: by_now}
    return dataclasses.asdict(evidence), list(_scores(run, exam, checkpoint, by_split))


def _gate(stage: Stage, exam: Exam, checkpoint: Checkpoint, gaps: Mapping[str, Gap]) -> GateExam:
    """With the answers that are there already."""
    run = stage.run
    own = list(stage.stage_skills.values_list("skill__key", flat=True))
    mastered = {k: was for k, was in mastered_so_far(run).items() if k not in own}
    waived = when_settled(run, SkillOutcome.WAIVED) if exam.settings.probing.ask_others else {}
    waived = {k: was for k, was in waived.items() if k not in own and k in gaps}
    answered = models.Answer.objects.filter(probe__skill__run=run, probe__split=Split.GATE)
    seen: dict[str, set[str]] = {}
    earlier = answered.exclude(checkpoint=checkpoint).exclude(checkpoint=None)
    for skill, key in earlier.values_list("probe__skill__key", "probe__key"):
        seen.setdefault(skill, set()).add(key)
    return GateExam(
        domain=exam.domain,
        settings=exam.settings,
        seed=run.seed,
        stage=own,
        mastered=mastered,
        p_teacher={k: gaps[k].teacher.mean for k in (*own, *waived)},
        seen=seen,
        grades=grades_of(answered.filter(checkpoint=checkpoint)),
        trained=trained_questions(run),
        waived=waived,
    )


@dataclass(slots=True)
class _Asking:
    """What one checkpoint is asked at a gate, kept as it answers, with one count of it all."""

    exam: Exam
    student: Backend
    checkpoint: Checkpoint
    beat: Beat
    trained: Set[str]
    told: int = 0  # questions of the looks behind

    def at_gate(self, done: int, total: int) -> None:
        self.told = total
        self.beat(done, total)

    def keep(self, pairs: Sequence[tuple[Probe, Answer]]) -> None:
        self.exam.keep_probes([probe for probe, _ in pairs])
        self.exam.keep_answers(self.checkpoint, pairs)

    def draw(self, skill: str, n: int) -> Sequence[Probe]:
        seed = self.exam.run.seed
        return self.exam.domain.probes(skill, Split.DIAGNOSE, n, seed=seed, exclude=self.trained)

    def ask(self, probes: Sequence[Probe]) -> Grades:
        before = self.told
        self.exam.keep_probes(probes)
        grades = self.exam.ask(
            self.student,
            self.checkpoint,
            probes,
            lambda done, total: self.beat(before + done, before + total),
        )
        self.told += len(probes)
        return grades


def _written_next(stage: Stage, evidence: GateEvidence) -> list[str]:
    """The skills of a remedy, where there may be one, and of the next stage."""
    remedied = [] if may_advance(stage, evidence) else list(mixture.still_needed(evidence)[0])
    return [*remedied, *_skills_ahead(stage, 1)]


def _scores(
    run: Run, exam: Exam, checkpoint: Checkpoint, found: Mapping[Split, Grades]
) -> Iterable[models.Score]:
    rows = {s.key: s for s in run.skills.all()}
    for split, by_skill in found.items():
        for k, grades in by_skill.items():
            measured = score(k, grades, exam.domain.size(k, split))
            yield score_row(rows[k], checkpoint, split, measured)


def _skills_ahead(stage: Stage, most: int | None = None) -> list[str]:
    """The keys of the active skills of the stages that have not begun; of the first `most`."""
    later = stage.run.stages.filter(status=StageStatus.PLANNED).order_by("position")
    ahead = Skill.objects.filter(
        stage_skills__stage__in=list(later[:most]), status=SkillStatus.ACTIVE
    )
    return list(ahead.distinct().values_list("key", flat=True))
