"""Small runs with the simulated student, brought forward by the real services and tasks."""

from __future__ import annotations

from typing import Any

import pytest

from curriculum import engine, tasks
from curriculum.models import Job, Run, Stage
from curriculum.services import audit, items, runs, stages
from curriculum.services.audit import Actor
from curriculum.states import JobStatus

ITEMS, PROBES = 16, 12  # a round, and of a skill and split


def draft(actor: Actor, **given: Any) -> Run:
    chosen = engine.default_settings()
    chosen["budget"] |= {"items_per_round": ITEMS}
    chosen["lora"] |= {"batch_size": 4}
    chosen["probing"] |= {
        "diagnose_probes": PROBES,
        "gate_probes": PROBES,
        "gate_probes_cap": PROBES,
        "final_probes": PROBES,
        "batch_size": 4,
    }
    usual = {
        "name": "Sums",
        "domain": "foundations",
        "teacher": "procedural",
        "student": "simulated",
        "settings": chosen,
        "skills": ["A2"],
    }
    return runs.create(**{"actor": actor, **usual, **given})


def gone(*arguments: Any, **named: Any) -> None:
    """In place of what keeps a result: the worker ends before it is kept."""
    raise OSError("gone.")


def diagnosing(actor: Actor, **given: Any) -> Run:
    return runs.diagnose(draft(actor, **given), actor=actor)


def diagnosed(actor: Actor, **given: Any) -> Run:
    run = diagnosing(actor, **given)
    work(run)
    return run


def writing(actor: Actor) -> Stage:
    run = diagnosed(actor)
    runs.sign_diagnosis(run, actor=actor)
    runs.sign_curriculum(run, actor=actor)
    return stages.open(run.stages.get(), actor=actor)


def writing_by(actor: Actor, teacher: str, **writing: Any) -> Stage:
    """A stage whose items that teacher is about to write, in the way that `writing` says."""
    run = diagnosed(actor, teacher=teacher)
    run.settings["writing"] |= writing
    run.save(update_fields=["settings"])
    runs.sign_diagnosis(run, actor=actor)
    runs.sign_curriculum(run, actor=actor)
    return stages.open(run.stages.get(), actor=actor)


def reviewing(actor: Actor) -> Stage:
    """A stage with items that wait for a verdict."""
    return _worked(writing(actor))


def training(actor: Actor) -> Stage:
    stage = reviewing(actor)
    items.approve_all(stage, actor=actor, round=0)
    return stages.train(stage, actor=actor, round=0)


def assessing(actor: Actor) -> Stage:
    return _worked(training(actor))


def work(run: Run) -> Job:
    """Do the queued job of a run, as a worker would; the job as it is then."""
    job = run.jobs.get(status=JobStatus.QUEUED)
    tasks.work(job.pk, job.attempt)
    run.refresh_from_db()
    return run.jobs.get(pk=job.pk)


def fail(run: Run, error: type[Exception], words: str) -> Job:
    """The next job has to fail, with a sentence for people, and to leave the log whole."""
    with pytest.raises(error):
        work(run)
    job = run.jobs.first()
    assert job is not None
    assert job.status == JobStatus.FAILED
    assert words in job.error
    assert job.error.endswith(".")
    audit.verify(run)
    return job


def _worked(stage: Stage) -> Stage:
    work(stage.run)
    stage.refresh_from_db()
    return stage
