"""The real worker, which does what is queued for every line it reads, and says when it is done.

A line "KIND PLACE N" dooms the next job of that kind: its process is killed, as by a machine
that is out of memory, when it has been at PLACE for the N-th time. Places: what the job keeps
(`probes`, `answers`, `items`, `step`), `succeed` (all is written, nothing is committed), `act`
(policy is about to decide) and `enqueue` (all is committed, the next job is not sent). A line
"KIND PLACE N worker" kills the worker instead.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "ioa_web.settings"
django.setup()

import django_rq  # noqa: E402
from django_rq.utils import reset_db_connections  # noqa: E402

from curriculum import queues, tasks  # noqa: E402
from curriculum.models import Job  # noqa: E402
from curriculum.services import jobs, policy  # noqa: E402
from curriculum.states import JobKind  # noqa: E402


def main() -> None:
    usual = dict(tasks.WORK)
    for line in sys.stdin:
        tasks.WORK.update(usual)
        if line.strip():
            kind, place, n, *who = line.split()
            tasks.WORK[JobKind(kind)] = doomed(usual[JobKind(kind)], place, int(n), *who)
        reset_db_connections()  # a connection must not be shared by two processes
        django_rq.get_worker("teacher", "gpu").work(burst=True, logging_level="ERROR")
        sys.stdout.write("done\n")
        sys.stdout.flush()


def doomed(work: Callable[[Job], None], place: str, n: int, who: str = "job") -> Any:
    """`work`, armed when it begins: in the fork that does this job, and nowhere else."""

    def call(job: Job) -> None:
        if place == "succeed":
            jobs.succeed = deadly(jobs.succeed, n, who)
        elif place == "act":
            policy.act = deadly(policy.act, n, who, before=True)
        elif place == "enqueue":
            queues.enqueue = deadly(queues.enqueue, n, who, before=True)
        else:
            killing = deadly(getattr(tasks.KEEP, place), n, who)
            tasks.KEEP = dataclasses.replace(tasks.KEEP, **{place: killing})
        work(job)

    return call


def deadly(function: Callable[..., Any], n: int, who: str, *, before: bool = False) -> Any:
    calls = 0

    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if before and calls == n:
            kill(who)
        result = function(*arguments, **named)
        if calls == n:
            kill(who)
        return result

    return call


def kill(who: str) -> None:
    os.kill(os.getppid() if who == "worker" else os.getpid(), signal.SIGKILL)
    signal.pause()  # a job dies with its worker: it does no more until then


if __name__ == "__main__":
    main()
