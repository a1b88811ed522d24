"""How work reaches RQ. Two queues, so that one training never holds up the writing of items."""

from __future__ import annotations

import django_rq
from rq.exceptions import NoSuchJobError
from rq.job import Job as RqJob
from rq.job import JobStatus as RqStatus

from curriculum.models import Job, Notice
from curriculum.states import JobKind

WORK = "curriculum.tasks.work"  # a path, so services need not import tasks
TELL = "curriculum.tasks.tell"
TELL_SECONDS = 120  # longest time for one message
TEACHER, GPU = "teacher", "gpu"
QUEUE_OF: dict[str, str] = {
    JobKind.DIAGNOSE: GPU,
    JobKind.PROBE: GPU,
    JobKind.TRIAL: GPU,
    JobKind.TRY: TEACHER,
    JobKind.EXAMPLES: TEACHER,
    JobKind.WRITE: TEACHER,
    JobKind.REWRITE: TEACHER,
    JobKind.TRAIN: GPU,
    JobKind.ASSESS: GPU,
    JobKind.REPORT: GPU,
}
_ALIVE = frozenset({RqStatus.QUEUED, RqStatus.STARTED, RqStatus.DEFERRED, RqStatus.SCHEDULED})


def queue_of(job: Job) -> str:
    """Writing needs no GPU, unless the student has a part in it."""
    usual = QUEUE_OF[job.kind]
    if job.kind in (JobKind.WRITE, JobKind.REWRITE) and job.run.student_tries:
        return GPU
    return usual


def enqueue(job: Job) -> None:
    """Send the numbers of `job` to its queue, under an id we chose."""
    django_rq.get_queue(queue_of(job)).enqueue(WORK, job.pk, job.attempt, job_id=job.rq_id)


def enqueue_notice(notice: Notice) -> None:
    """Send the numbers of a message to the queue of the short jobs, before those that wait."""
    django_rq.get_queue(TEACHER).enqueue(
        TELL,
        notice.pk,
        notice.attempts + 1,
        job_id=notice.rq_id,
        job_timeout=TELL_SECONDS,
        at_front=True,
    )


def is_waiting(job: Job) -> bool:
    """Whether RQ still holds this attempt. Redis may be flushed at any time: then it does not."""
    queue = django_rq.get_queue(queue_of(job))
    try:
        return RqJob.fetch(job.rq_id, connection=queue.connection).get_status() in _ALIVE
    except NoSuchJobError:
        return False
