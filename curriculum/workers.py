"""The RQ worker of this project: it forks for each job, and tells the truth when a fork dies."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections
from django.utils import timezone
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job as RqJob

from curriculum import queues, request_ids
from curriculum.errors import CurriculumError
from curriculum.models import Job
from curriculum.services import jobs, notices
from curriculum.states import JobStatus

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


class CurriculumWorker(Worker):
    """Stops at once when told to, since every job continues where its last attempt stopped."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        # A word for a job has to come well before its silence is too long.
        often = max(1, int(settings.IOA_LOST_AFTER_SECONDS) // 4)
        self.job_monitoring_interval = min(self.job_monitoring_interval, often)

    def fork_work_horse(self, job: RqJob, queue: Queue) -> None:
        """Without a connection to the database, which two processes cannot share: one that a
        killed job left in a transaction would be the worker's own, and hold its rows for ever.
        """
        connections.close_all()
        super().fork_work_horse(job, queue)

    def handle_warm_shutdown_request(self) -> None:
        if self.horse_pid:
            self.kill_horse()

    def handle_work_horse_killed(self, job: RqJob, retpid: int, ret_val: int, rusage: Any) -> None:
        """Killed, or out of memory: nothing in it could say so. We can, ten minutes earlier
        than its silence would."""
        if job.func_name != queues.WORK:
            return  # a message: it is tried again
        pk, attempt = job.args
        with suppress(CurriculumError), request_ids.under(job.id), _surviving("job was killed"):
            jobs.lose(pk, attempt)

    def maintain_heartbeats(self, job: RqJob, execution: Execution) -> None:
        """Twice a minute while a process works. One that was called off, and is in the middle of
        something long, ends here: what it has kept is kept.
        """
        super().maintain_heartbeats(job, execution)
        if job.func_name != queues.WORK:
            return
        with _surviving("a job is at work"):
            if not jobs.speak_for(*job.args):
                self.kill_horse()

    def main_work_horse(self, job: RqJob, queue: Queue) -> None:
        _die_with_parent()
        super().main_work_horse(job, queue)

    def run_maintenance_tasks(self) -> None:
        """RQ's own, every ten minutes; and ours, for workers on hosts that are gone."""
        super().run_maintenance_tasks()
        with _surviving("maintenance"):
            for lost in jobs.sweep():
                logger.warning("job %s: lost", lost.pk)
            jobs.requeue_orphans()
            notices.resend()


@contextmanager
def _surviving(what: str) -> Iterator[None]:
    """A database that is away for a moment ends no worker: what was to be written is swept up
    later, over a new connection.
    """
    try:
        yield
    except DatabaseError:
        logger.exception("%s: the database cannot be asked", what)
        connections.close_all()


def recover() -> None:
    """Before the first worker of a host: what is queued is sent again, as Redis may think that a
    dead worker has it. With a Redis of its own the host has all workers, so that what still counts
    as running was cut off; beside others it may be theirs, and only silence tells.
    """
    silence = timedelta(seconds=settings.IOA_LOST_AFTER_SECONDS + 1)
    at = timezone.now() + silence if settings.IOA_EMBEDDED_REDIS else None
    for lost in jobs.sweep(at):
        logger.warning("%s of %s was cut off; retry it", lost, lost.run)
    for job in Job.objects.filter(status=JobStatus.QUEUED).order_by("pk"):
        queues.enqueue(job)  # twice is harmless: an attempt starts only once


def _die_with_parent() -> None:
    """A job whose worker was killed would keep its memory, and the GPU's. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it died between the fork and the line above
            os._exit(1)
