from __future__ import annotations

import signal
from datetime import timedelta

import fakeredis
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rq import Queue, Worker
from rq.job import Job as RqJob

from curriculum import queues, workers
from curriculum.services import jobs
from curriculum.states import JobStatus
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def redis(monkeypatch):
    connection = fakeredis.FakeStrictRedis()
    monkeypatch.setattr("django_rq.get_queue", lambda name: Queue(name, connection=connection))
    return connection


@pytest.fixture
def worker(redis):
    return workers.CurriculumWorker(["gpu"], connection=redis)


def killed(worker, redis, job):
    """What RQ does when the process of `job` has been killed."""
    queues.enqueue(job)
    sent = RqJob.fetch(job.rq_id, connection=redis)
    worker.handle_work_horse_killed(sent, 4711, signal.SIGKILL, None)
    job.refresh_from_db()


def test_a_job_whose_process_was_killed_is_lost_at_once_and_may_be_retried(worker, redis):
    job = JobFactory(running=True)

    killed(worker, redis, job)

    assert job.status == JobStatus.LOST
    assert job.may_retry
    assert "retry continues" in job.error


def test_a_job_that_was_cancelled_before_its_process_died_stays_cancelled(worker, redis):
    job = JobFactory(cancelled=True)

    killed(worker, redis, job)

    assert job.status == JobStatus.CANCELLED


@pytest.fixture
def tick(worker, redis, monkeypatch):
    """What a worker does now and then while the process of a job lives; whether it ends it."""
    ended = []
    monkeypatch.setattr(Worker, "maintain_heartbeats", lambda *_: None)
    monkeypatch.setattr(worker, "kill_horse", lambda: ended.append(1))

    def do(job, attempt=1):
        sent = RqJob.create(queues.WORK, args=(job.pk, attempt), connection=redis)
        worker.maintain_heartbeats(sent, None)
        job.refresh_from_db()
        return bool(ended)

    return do


def ago(**span):
    return timezone.now() - timedelta(**span)


def test_a_job_that_is_long_over_one_piece_of_work_is_not_lost(tick):
    job = JobFactory(running=True, heartbeat_at=ago(hours=1))

    assert not tick(job)

    assert jobs.sweep() == []
    assert job.status == JobStatus.RUNNING


def test_a_job_that_speaks_for_itself_is_left_to(tick):
    """Its last word is what the time that is left is estimated by."""
    spoke = ago(seconds=90)
    job = JobFactory(running=True, heartbeat_at=spoke)

    assert not tick(job)

    assert job.heartbeat_at == spoke


@pytest.mark.parametrize("status", ["cancelled", "lost"])
def test_what_was_called_off_has_time_to_end_by_itself_and_is_ended_then(tick, status):
    assert not tick(JobFactory(status=status, finished_at=ago(seconds=5)))
    assert tick(JobFactory(status=status, finished_at=ago(minutes=1)))


def test_what_was_queued_again_does_not_wait_for_the_attempt_before(tick):
    assert tick(JobFactory(attempt=2), attempt=1)


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_what_is_over_ends_by_itself(tick, status):
    """It may be sending off the next job."""
    assert not tick(JobFactory(status=status, finished_at=ago(minutes=1)))


def test_nobody_speaks_for_a_message(worker, tick):
    """Its numbers are not those of a job."""
    other = JobFactory(running=True, heartbeat_at=ago(hours=1))
    sent = RqJob.create(queues.TELL, args=(other.pk, 1), connection=worker.connection)

    worker.maintain_heartbeats(sent, None)

    assert jobs.sweep() == [other]


def test_a_word_comes_well_before_a_silence_is_too_long(redis, settings):
    settings.IOA_LOST_AFTER_SECONDS = 60

    assert workers.CurriculumWorker(["gpu"], connection=redis).job_monitoring_interval == 15


def test_maintenance_finds_the_jobs_of_workers_elsewhere(worker, redis):
    silent = JobFactory(running=True, heartbeat_at=timezone.now() - timedelta(hours=1))
    forgotten = JobFactory()

    worker.run_maintenance_tasks()

    silent.refresh_from_db()
    assert silent.status == JobStatus.LOST
    assert queues.is_waiting(forgotten)


def test_beside_workers_of_other_hosts_only_the_silent_ones_are_lost(redis, settings):
    settings.IOA_EMBEDDED_REDIS = False
    elsewhere = JobFactory(running=True)
    silent = JobFactory(running=True, heartbeat_at=timezone.now() - timedelta(hours=1))

    workers.recover()

    elsewhere.refresh_from_db()
    silent.refresh_from_db()
    assert (elsewhere.status, silent.status) == (JobStatus.RUNNING, JobStatus.LOST)


def test_before_the_first_worker_all_that_ran_is_lost_and_all_that_waits_is_sent(redis, settings):
    settings.IOA_EMBEDDED_REDIS = True
    running, waiting = JobFactory(running=True), JobFactory()

    workers.recover()

    running.refresh_from_db()
    assert running.status == JobStatus.LOST
    assert queues.is_waiting(waiting)
    assert not queues.is_waiting(running)


def test_rq_uses_our_worker(settings):
    assert settings.RQ["WORKER_CLASS"] == "curriculum.workers.CurriculumWorker"


def test_a_worker_without_redis_says_what_to_start():
    with pytest.raises(CommandError, match="manage.py serve"):
        call_command("work", "teacher", "--burst")


def test_a_queue_nobody_fills_is_refused():
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("work", "gpus")
