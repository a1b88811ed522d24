"""Jobs as a worker does them: twice is harmless, half-way is kept, a crash is on record."""

from __future__ import annotations

import dataclasses

import pytest

from curriculum import tasks
from curriculum.engine import authoring
from curriculum.models import Answer, AuditEntry, Item, Job, Score, TrainingStep
from curriculum.services import audit, gates, jobs, probing
from curriculum.states import JobKind, JobStatus, RunStatus
from distill.settings import LoraSettings
from distill.training.schedule import cooled
from tests.curriculum.small import PROBES, assessing, diagnosed, diagnosing, training, work, writing
from tests.factories import CheckpointFactory, SnapshotFactory

pytestmark = pytest.mark.django_db


def reporting(actor):
    stage = assessing(actor)
    work(stage.run)
    stage.refresh_from_db()
    gates.waive(stage.gates.get(), actor=actor, round=0, reason="a test")
    return stage


def probing_more(actor):
    return probing.probe_more(diagnosed(actor), actor=actor, width=0.3)


KINDS = {
    "diagnose": (diagnosing, "answers", Answer),
    "probe": (probing_more, "answers", Answer),
    "write": (writing, "items", Item),
    "train": (training, "step", TrainingStep),
    "assess": (assessing, "answers", Answer),
    "report": (reporting, "answers", Answer),
}


@pytest.fixture(autouse=True)
def home(settings, tmp_path, monkeypatch):
    settings.IOA_HOME = tmp_path
    monkeypatch.setattr(tasks, "BEAT_EVERY_SECONDS", 0)  # every beat counts
    monkeypatch.setattr(authoring, "SAVED_AT_ONCE", 1)  # and every item


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def job(kind, approver):
    KINDS[kind][0](approver)
    return Job.objects.get(status=JobStatus.QUEUED)


@pytest.fixture
def rows(kind):
    """What the job keeps one by one."""
    return KINDS[kind][2].objects


@pytest.fixture
def after_the_second(kind, monkeypatch):
    """Have something happen when the job has kept something for the second time."""

    def do(something):
        name = KINDS[kind][1]
        keep, calls = getattr(tasks.KEEP, name), []

        def call(*arguments):
            calls.append(keep(*arguments))
            if len(calls) == 2:
                something()

        monkeypatch.setattr(tasks, "KEEP", dataclasses.replace(tasks.KEEP, **{name: call}))

    return do


def status_of(job):
    job.refresh_from_db()
    return job.status


def test_a_job_is_done_and_moves_the_run_on(job, kind):
    before = state(job)

    tasks.work(job.pk, job.attempt)

    assert status_of(job) == JobStatus.SUCCEEDED
    assert job.done == job.total > 0
    assert state(job) != before
    audit.verify(job.run)


def test_a_second_worker_with_the_same_attempt_does_nothing(job, rows):
    tasks.work(job.pk, job.attempt)
    made = set(rows.values_list("pk", flat=True))
    entries = AuditEntry.objects.count()

    tasks.work(job.pk, job.attempt)

    assert set(rows.values_list("pk", flat=True)) == made
    assert AuditEntry.objects.count() == entries


def test_a_job_cancelled_half_way_stops_and_keeps_what_is_done(
    job, rows, after_the_second, approver
):
    before, there = state(job), rows.count()
    after_the_second(lambda: jobs.cancel(Job.objects.get(pk=job.pk), actor=approver))

    tasks.work(job.pk, job.attempt)

    assert status_of(job) == JobStatus.CANCELLED
    assert state(job) == before
    kept = set(rows.values_list("pk", flat=True))
    assert there < len(kept) <= there + 8

    jobs.retry(job, actor=approver)
    tasks.work(job.pk, job.attempt)
    assert status_of(job) == JobStatus.SUCCEEDED
    assert kept < set(rows.values_list("pk", flat=True))
    audit.verify(job.run)


def test_a_crash_is_told_recorded_and_raised_and_a_retry_continues(
    job, rows, after_the_second, approver
):
    before = state(job)

    def crash():
        raise ZeroDivisionError("a cosmic ray")

    after_the_second(crash)
    with pytest.raises(ZeroDivisionError):
        tasks.work(job.pk, job.attempt)

    assert status_of(job) == JobStatus.FAILED
    assert "a cosmic ray" in job.error
    assert "A retry may help." in job.error
    assert state(job) == before
    kept = set(rows.values_list("pk", flat=True))

    jobs.retry(job, actor=approver)
    tasks.work(job.pk, job.attempt)
    assert status_of(job) == JobStatus.SUCCEEDED
    assert kept < set(rows.values_list("pk", flat=True))


def test_an_attempt_that_was_declared_lost_writes_nothing_of_its_end(
    job, after_the_second, approver
):
    before = state(job)
    after_the_second(lambda: jobs.lose(job.pk, job.attempt))

    tasks.work(job.pk, job.attempt)

    assert status_of(job) == JobStatus.LOST
    assert state(job) == before


def test_every_probe_is_answered_once_by_each(approver):
    run = diagnosing(approver)

    work(run)

    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert Answer.objects.filter(checkpoint=None).count() == PROBES
    assert Answer.objects.exclude(checkpoint=None).count() == PROBES


def test_policy_decides_in_the_transaction_that_ends_the_job(approver, monkeypatch):
    run = diagnosing(approver, autonomy="none")

    def crash(run, *, is_aside):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(tasks.policy, "act", crash)
        with pytest.raises(ZeroDivisionError):
            work(run)
    job = run.jobs.get()
    run.refresh_from_db()
    assert (job.status, run.status) == (JobStatus.FAILED, RunStatus.DIAGNOSING)

    jobs.retry(job, actor=approver)
    work(run)

    assert run.status == RunStatus.TEACHING
    assert run.jobs.filter(kind=JobKind.WRITE, status=JobStatus.QUEUED).exists()


def test_a_job_that_is_gone_is_left_alone():
    tasks.work(4711, 1)

    assert not Job.objects.exists()


def state(job):
    """Where the run and its stages stand, and how well its skills are known."""
    job.run.refresh_from_db()
    scores = list(Score.objects.filter(skill__run=job.run).values_list("pk", "n"))
    return job.run.status, list(job.run.stages.values_list("status", flat=True)), scores


@pytest.mark.usefixtures("redis")
def test_a_checkpoint_keeps_what_it_was_made_with(approver):
    run = training(approver).run

    work(run)

    made = run.checkpoints.get(is_current=True).made_with
    assert made["seed"] == run.seed
    assert made["lora"]["rank"] == run.settings["lora"]["rank"]
    assert made["packages"].keys() >= {"torch", "transformers", "peft", "trl"}


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(
    ("asked", "spent"),
    [({}, 0.5), ({"spent": 0.25}, 0.25)],  # of an earlier version; by the budget when it was frozen
)
def test_a_training_late_in_the_budget_has_a_lower_rate_and_says_so(approver, asked, spent):
    stage = training(approver)
    settings = stage.run.settings
    spent_on = SnapshotFactory(stage=stage, round=7, n_items=settings["budget"]["items"] // 2)
    base = stage.run.checkpoints.get(parent=None)
    CheckpointFactory(run=stage.run, parent=base, snapshot=spent_on, is_current=False)
    assert stage.jobs.get(kind="train").asked == {"spent": 0.0}
    stage.jobs.filter(kind="train").update(asked=asked)

    work(stage.run)

    made = stage.run.checkpoints.get(is_current=True).made_with
    expected = cooled(LoraSettings(**settings["lora"]), spent).learning_rate
    assert expected < settings["lora"]["learning_rate"]
    assert made["lora"]["learning_rate"] == pytest.approx(expected)
