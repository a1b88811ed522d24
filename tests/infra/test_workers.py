from __future__ import annotations

import signal
from datetime import timedelta

import fakeredis
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rq import Queue
from rq.job import Job as RqJob

from curriculum import queues, workers
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


def test_maintenance_finds_the_jobs_of_workers_elsewhere(worker, redis):
    silent = JobFactory(running=True, heartbeat_at=timezone.now() - timedelta(hours=1))
    forgotten = JobFactory()

    worker.run_maintenance_tasks()

    silent.refresh_from_db()
    assert silent.status == JobStatus.LOST
    assert queues.is_waiting(forgotten)


def test_before_the_first_worker_all_that_ran_is_lost_and_all_that_waits_is_sent(redis):
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
