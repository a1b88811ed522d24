from __future__ import annotations

import pytest
from rq import Queue
from rq.job import Job as RqJob

from curriculum import queues
from curriculum.models import Job
from curriculum.services import jobs
from curriculum.states import JobKind
from tests.factories import JobFactory, RunFactory

pytestmark = pytest.mark.django_db


def test_a_job_travels_as_two_numbers_under_our_id(
    redis, worker, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.create(RunFactory(diagnosing=True), actor=worker, kind=JobKind.DIAGNOSE)

    sent = RqJob.fetch(f"diagnose-{job.pk}-1", connection=redis)
    assert (sent.func_name, sent.args) == ("curriculum.tasks.work", (job.pk, 1))
    assert sent.origin == "gpu"


@pytest.mark.parametrize("kind", JobKind)
def test_writing_never_waits_behind_a_training(redis, kind):
    queues.enqueue(JobFactory(kind=kind))

    written = (JobKind.WRITE, JobKind.REWRITE, JobKind.TRY, JobKind.EXAMPLES)
    queue = "teacher" if kind in written else "gpu"
    assert len(Queue(queue, connection=redis)) == 1


def test_a_flushed_queue_is_filled_again_from_the_rows(redis):
    job = JobFactory()
    queues.enqueue(job)
    assert queues.is_waiting(job)
    assert jobs.requeue_orphans() == []

    redis.flushall()

    assert not queues.is_waiting(job)
    assert jobs.requeue_orphans() == [job]
    assert queues.is_waiting(job)


def test_a_job_that_failed_in_the_queue_before_it_started_is_sent_again(redis):
    job = JobFactory()
    queues.enqueue(job)
    RqJob.fetch(job.rq_id, connection=redis).set_status("failed")

    assert jobs.requeue_orphans() == [Job.objects.get()]
