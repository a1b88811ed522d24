from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from curriculum import queues
from curriculum.errors import JobOutdated, MoveRefused, Overtaken
from curriculum.models import AuditEntry, Job, Run, Stage
from curriculum.services import audit, jobs
from curriculum.states import JobKind, JobStatus, RunStatus, StageStatus
from tests.factories import JobFactory, RunFactory, StageFactory

pytestmark = pytest.mark.django_db
NOT_RUNNING = sorted(set(JobStatus) - {JobStatus.RUNNING})


def test_a_job_is_sent_when_the_transaction_has_committed(
    sent, worker, django_capture_on_commit_callbacks
):
    run = RunFactory(diagnosing=True)

    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.create(run, actor=worker, kind=JobKind.DIAGNOSE)
        assert sent() == []

    assert sent() == [(job.pk, 1)]
    assert AuditEntry.objects.get().action == "job.queued"


def test_without_a_queue_the_job_still_waits(no_redis, worker, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        jobs.create(RunFactory(diagnosing=True), actor=worker, kind=JobKind.DIAGNOSE)

    assert Job.objects.get().status == JobStatus.QUEUED


def test_starting_takes_the_attempt_once():
    job = JobFactory()

    started = jobs.start(job.pk, 1)

    assert started.status == JobStatus.RUNNING
    assert started.started_at == started.heartbeat_at
    with pytest.raises(Overtaken):
        jobs.start(job.pk, 1)


@pytest.mark.parametrize("attempt", [0, 2])
def test_another_attempt_than_the_last_does_not_start(attempt):
    job = JobFactory()

    with pytest.raises(Overtaken):
        jobs.start(job.pk, attempt)

    assert Job.objects.get().status == JobStatus.QUEUED


def test_a_job_that_is_not_there_does_not_start():
    with pytest.raises(Overtaken):
        jobs.start(404, 1)


def test_a_beat_records_progress_and_life():
    job = JobFactory(running=True, heartbeat_at=timezone.now() - timedelta(hours=1))

    jobs.beat(job, 3, 10, "skill A1", "answers")

    row = Job.objects.get()
    assert (row.done, row.total, row.message, row.unit) == (3, 10, "skill A1", "answers")
    assert timezone.now() - row.heartbeat_at < timedelta(minutes=1)
    assert (job.done, job.total) == (3, 10)
    assert not AuditEntry.objects.exists()


def test_a_beat_without_words_keeps_the_last_ones():
    job = JobFactory(running=True, message="skill A1", unit="answers")

    jobs.beat(job, 4, 10)

    row = Job.objects.get()
    assert (row.done, row.message, row.unit) == (4, "skill A1", "answers")


@pytest.mark.parametrize(("done", "total", "kept"), [(12, 10, 10), (5, 0, 5)])
def test_a_beat_never_breaks_the_bounds_of_the_row(done, total, kept):
    job = JobFactory(running=True)

    jobs.beat(job, done, total, "x" * 300, "y" * 30)

    row = Job.objects.get()
    assert (row.done, row.total) == (kept, total)
    assert (len(row.message), len(row.unit)) == (200, 20)


@pytest.mark.parametrize("status", NOT_RUNNING)
def test_the_heartbeat_is_the_cancel_switch(status):
    job = JobFactory(running=True)
    Job.objects.update(status=status)

    with pytest.raises(Overtaken):
        jobs.beat(job, 1, 2)

    assert Job.objects.get().done == 0


def test_the_worker_of_an_earlier_attempt_learns_it_from_its_beat():
    job = JobFactory(running=True)
    Job.objects.update(attempt=2)

    with pytest.raises(Overtaken):
        jobs.beat(job, 1, 2)


def test_a_success_and_a_failure_say_when():
    done, failed = JobFactory(running=True), JobFactory(running=True)

    jobs.succeed(done)
    jobs.fail(failed, "The disk is full: free some space and retry.")

    assert done.finished_at is not None
    assert (failed.status, failed.error[:17]) == (JobStatus.FAILED, "The disk is full:")
    assert AuditEntry.objects.get(action="job.failed").note == failed.error


def test_a_cancelled_job_cannot_succeed(approver):
    job = JobFactory(running=True)
    seen_by_worker = Job.objects.get()
    jobs.cancel(job, actor=approver)

    with pytest.raises(Overtaken):
        jobs.succeed(seen_by_worker)

    assert Job.objects.get().status == JobStatus.CANCELLED


@pytest.mark.parametrize("ending", ["failed", "cancelled", "lost"])
def test_a_job_that_ended_early_leaves_run_and_stage_where_they_are(ending, approver):
    job = JobFactory(writing=True, status=JobStatus.RUNNING, heartbeat_at=timezone.now())

    if ending == "failed":
        jobs.fail(job, "no")
    elif ending == "cancelled":
        jobs.cancel(job, actor=approver)
    else:
        jobs.lose(job.pk, 1)

    assert Job.objects.get().status == ending
    assert Stage.objects.get().status == StageStatus.WRITING
    assert Run.objects.get().status == RunStatus.TEACHING


@pytest.mark.parametrize("status", ["failed", "cancelled", "lost"])
def test_a_retry_queues_the_next_attempt(
    status, sent, approver, django_capture_on_commit_callbacks
):
    job = JobFactory(
        writing=True, status=status, done=3, total=5, error="no", finished_at=timezone.now()
    )

    with django_capture_on_commit_callbacks(execute=True):
        jobs.retry(job, actor=approver)

    row = Job.objects.get()
    assert (row.status, row.attempt) == (JobStatus.QUEUED, 2)
    assert (row.done, row.total, row.error, row.finished_at) == (0, 0, "", None)
    assert sent() == [(job.pk, 2)]
    audit.verify(job.run)


@pytest.mark.parametrize("status", ["queued", "running", "succeeded"])
def test_only_what_ended_early_can_be_retried(status, approver):
    job = JobFactory(writing=True, status=status)

    with pytest.raises(MoveRefused):
        jobs.retry(job, actor=approver)


@pytest.mark.parametrize(
    "changes", [{"status": StageStatus.REVIEWING}, {"round": 1}], ids=["stage", "round"]
)
def test_a_job_the_stage_has_left_behind_is_not_retried(changes, approver):
    job = JobFactory(writing=True, status=JobStatus.FAILED)
    Stage.objects.update(**changes)

    with pytest.raises(JobOutdated):
        jobs.retry(job, actor=approver)

    assert Job.objects.get().attempt == 1
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("kind", "status"),
    [(JobKind.DIAGNOSE, RunStatus.REVIEWING_DIAGNOSIS), (JobKind.REPORT, RunStatus.STOPPED)],
)
def test_a_job_the_run_has_left_behind_is_not_retried(kind, status, approver):
    job = JobFactory(kind=kind, run=RunFactory(status=status), failed=True)

    with pytest.raises(JobOutdated, match="has moved on"):
        jobs.retry(job, actor=approver)


def test_every_kind_of_job_knows_where_it_has_something_to_do():
    assert set(jobs.NEEDS) == set(JobKind) == set(queues.QUEUE_OF)


def test_two_retries_make_one_attempt(approver):
    job = JobFactory(writing=True, status=JobStatus.LOST)
    other = Job.objects.get()
    jobs.retry(job, actor=approver)

    with pytest.raises(Overtaken):
        jobs.retry(other, actor=approver)

    assert Job.objects.get().attempt == 2


def test_a_round_has_one_job_of_a_kind(worker):
    stage = StageFactory(writing=True)
    jobs.create(stage.run, actor=worker, kind=JobKind.WRITE, stage=stage, round=0)

    with pytest.raises(Overtaken, match="queued already"):
        jobs.create(stage.run, actor=worker, kind=JobKind.WRITE, stage=stage, round=0)

    assert Job.objects.count() == 1
