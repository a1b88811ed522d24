"""Rows of every kind that the API shows, and their numbers by the name of the path parameter."""

from __future__ import annotations

from curriculum.models import Tag
from curriculum.services import audit, jobs
from curriculum.services.audit import Actor
from curriculum.states import JobKind
from tests.factories import (
    AnswerFactory,
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    ProbeFactory,
    PromptTemplateFactory,
    RunFactory,
    ScoreFactory,
    SnapshotFactory,
    StageFactory,
    diagnosed_run,
    measured_run,
)
from tests.web.api_words import run_in_words, tried_words


def populated() -> dict[str, list[int]]:
    ada = Actor.person(ApproverFactory())
    stage = StageFactory(reviewing=True)
    run = stage.run
    items = [
        *ItemFactory.create_batch(3, stage=stage),
        ItemFactory(stage=stage, approved=True),
        ItemFactory(stage=stage, rejected=True),
        ItemFactory(stage=stage, flagged=True),
        ItemFactory(stage=stage, leak=True),
    ]
    Tag.objects.create(item=items[0], word="odd")
    base = CheckpointFactory(run=run)
    skill = stage.stage_skills.first().skill
    edges = [PrerequisiteFactory(run=run, source=skill)]
    ScoreFactory(skill=skill)
    ScoreFactory(skill=skill, checkpoint=base)
    AnswerFactory(probe=ProbeFactory(skill=skill), checkpoint=base, grade=0.0)
    trained = SnapshotFactory()
    child = CheckpointFactory(run=trained.stage.run, stage=trained.stage, snapshot=trained)
    gates = [GateFactory(mastered=True), GateFactory(), GateFactory(decision="waive")]
    works = [JobFactory(running=True), JobFactory(failed=True), JobFactory(succeeded=True)]
    queued = jobs.create(run, actor=ada, kind=JobKind.TRY)
    audit.write(run, actor=ada, action="run.autonomy", subject=run, became={"autonomy": "none"})
    words = run_in_words()
    PromptTemplateFactory(run=words)
    tried_words(words)
    planned = StageFactory()
    diagnosed = diagnosed_run()
    skills = list(diagnosed.skills.all())
    edges.append(PrerequisiteFactory(run=diagnosed, source=skills[0], target=skills[1]))
    skills.append(skill)
    runs = [run, RunFactory(), diagnosed, measured_run(), RunFactory(stopped=True), words]
    stages = [stage, planned, trained.stage, *(gate.stage for gate in gates)]
    return {
        "run_id": [each.pk for each in runs],
        "stage_id": [each.pk for each in stages],
        "item_id": [each.pk for each in items],
        "gate_id": [each.pk for each in gates],
        "job_id": [each.pk for each in (*works, queued)],
        "checkpoint_id": [base.pk, child.pk],
        "skill_id": [each.pk for each in skills],
        "prerequisite_id": [each.pk for each in edges],
        "number": [0, 1, 2],  # of versions of a template; of the last there is none
    }
