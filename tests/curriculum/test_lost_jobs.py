"""Workers that say nothing any more, and jobs that the queue forgot."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from curriculum import queues
from curriculum.errors import Overtaken
from curriculum.models import AuditEntry, Job
from curriculum.services import jobs
from curriculum.states import JobStatus
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


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


def test_a_job_that_beats_while_the_sweep_looks_is_spared(settings):
    settings.IOA_LOST_AFTER_SECONDS = 60
    job = JobFactory(running=True, heartbeat_at=silent_for(61))
    beats = iter([lambda: jobs.beat(job, 1, 2)])

    def beat_first(execute, sql, *arguments):
        if sql.startswith('UPDATE "curriculum_job"'):
            for beat in beats:
                beat()
        return execute(sql, *arguments)

    with connection.execute_wrapper(beat_first):
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


def test_queued_jobs_the_queue_has_forgotten_are_sent_again(sent):
    forgotten, waiting = JobFactory(), JobFactory(writing=True)
    JobFactory(running=True)
    queues.enqueue(waiting)

    assert jobs.requeue_orphans() == [forgotten]
    assert sorted(sent()) == [(forgotten.pk, 1), (waiting.pk, 1)]
