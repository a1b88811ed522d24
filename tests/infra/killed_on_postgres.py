"""A worker whose jobs die while they hold a row: what it leaves, as JSON. Run by test_postgres."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "ioa_web.settings"
django.setup()

import django_rq  # noqa: E402
import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from curriculum import queues, tasks  # noqa: E402
from curriculum.models import Job, Run  # noqa: E402
from ioa_web.private_redis import redis_server  # noqa: E402
from tests.factories import JobFactory  # noqa: E402


def dies(job: Job) -> None:
    with transaction.atomic():
        Run.objects.filter(pk=job.run_id).update(name="never written")
        os.kill(os.getpid(), signal.SIGKILL)


def fails(job: Job) -> None:
    """So that there is something to write of it."""
    raise ValueError


def cut_off() -> None:
    """End every session but the one that asks, as a restart of PostgreSQL does."""
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def is_free(run: int) -> bool:
    """Whether another session may write the run's row."""
    with psycopg.connect(**connection.get_connection_params()) as session:
        session.execute("SET lock_timeout = '3s'")
        try:
            session.execute("UPDATE curriculum_run SET name = name WHERE id = %s", [run])
        except psycopg.errors.LockNotAvailable:
            return False
    return True


def main(home: Path) -> None:
    call_command("migrate", verbosity=0)
    killed, after = JobFactory(writing=True), JobFactory(writing=True)
    tasks.WORK[killed.kind] = lambda job: (dies if job.pk == killed.pk else fails)(job)
    with redis_server(home):
        worker = django_rq.get_worker(queues.queue_of(killed))
        maintain = worker.run_maintenance_tasks

        def maintained() -> None:
            maintain()
            cut_off()

        worker.run_maintenance_tasks = maintained
        queues.enqueue(killed)
        queues.enqueue(after)
        went_on = worker.work(burst=True, logging_level="ERROR")
        left = {"worked": went_on, "row": is_free(killed.run_id)}
        left |= {str(i): Job.objects.get(pk=j.pk).status for i, j in enumerate((killed, after))}
    sys.stdout.write(json.dumps(left) + "\n")


if __name__ == "__main__":
    main(Path(settings.IOA_HOME))
