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


@pytest.fixture
def sent(monkeypatch):
    """What left for the queue: the way out of the house."""
    found = []
    monkeypatch.setattr(queues, "enqueue", lambda job: found.append((job.pk, job.attempt)))
    return found


def test_a_job_is_sent_when_the_transaction_has_committed(
    sent, worker, django_capture_on_commit_callbacks
):
    run = RunFactory(diagnosing=True)

    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.create(run, actor=worker, kind=JobKind.DIAGNOSE)
        assert sent == []

    assert sent == [(job.pk, 1)]
    assert AuditEntry.objects.get().action == "job.queued"


def test_without_a_queue_the_job_still_waits(
    monkeypatch, worker, django_capture_on_commit_callbacks
):
    def no_queue(job):
        raise ConnectionError("no redis")

    monkeypatch.setattr(queues, "enqueue", no_queue)
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
    assert sent == [(job.pk, 2)]
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


def silent_for(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def test_a_sweep_declares_silent_jobs_lost_and_spares_the_living(settings):
    settings.IOA_LOST_AFTER_SECONDS = 60
    silent = JobFactory(running=True, heartbeat_at=silent_for(61))
    JobFactory(running=True, heartbeat_at=silent_for(30))
    JobFactory()

    lost = jobs.sweep()

    assert lost == [silent]
    assert lost[0].error == jobs.SILENT
    assert list(Job.objects.filter(status=JobStatus.LOST)) == [silent]
    assert jobs.sweep() == []


def test_a_job_that_beats_while_the_sweep_looks_is_spared(settings, monkeypatch):
    settings.IOA_LOST_AFTER_SECONDS = 60
    job = JobFactory(running=True, heartbeat_at=silent_for(61))
    stale = list(jobs.silent())
    jobs.beat(job, 1, 2)
    monkeypatch.setattr(jobs, "silent", lambda now: stale)

    assert jobs.sweep() == []
    assert Job.objects.get().status == JobStatus.RUNNING
    assert not AuditEntry.objects.exists()


def test_the_clock_of_a_sweep_can_be_set(settings):
    settings.IOA_LOST_AFTER_SECONDS = 600
    job = JobFactory(running=True)

    assert jobs.sweep(timezone.now() + timedelta(seconds=601)) == [job]


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_killed_worker_is_known_at_once(status):
    job = JobFactory(status=status)

    jobs.lose(job.pk, 1)

    row = Job.objects.get()
    assert (row.status, row.error) == (JobStatus.LOST, jobs.LOST)


@pytest.mark.parametrize("attempt", [0, 2])
def test_only_the_attempt_whose_worker_was_killed_is_lost(attempt):
    job = JobFactory(running=True)

    with pytest.raises(Overtaken):
        jobs.lose(job.pk, attempt)

    with pytest.raises(Overtaken):
        jobs.lose(404, 1)


def test_queued_jobs_the_queue_has_forgotten_are_sent_again(sent, monkeypatch):
    forgotten, waiting = JobFactory(), JobFactory(writing=True)
    JobFactory(running=True)
    monkeypatch.setattr(queues, "is_waiting", lambda job: job.pk == waiting.pk)

    assert jobs.requeue_orphans() == [forgotten]
    assert sent == [(forgotten.pk, 1)]


def test_a_round_has_one_job_of_a_kind(worker):
    stage = StageFactory(writing=True)
    jobs.create(stage.run, actor=worker, kind=JobKind.WRITE, stage=stage, round=0)

    with pytest.raises(Overtaken, match="queued already"):
        jobs.create(stage.run, actor=worker, kind=JobKind.WRITE, stage=stage, round=0)

    assert Job.objects.count() == 1
