"""Work: the row says what is so, RQ carries its number. Only this module writes `Job.status`.

A worker starts an attempt, beats while it lives, and succeeds or fails. Whoever is no longer the
one (cancelled, lost, queued again) learns it from `Overtaken`, and stops.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from curriculum import queues
from curriculum.errors import JobOutdated, MoveRefused, Overtaken, StillAtWork
from curriculum.models import Job, Run, Stage
from curriculum.services import audit, notices
from curriculum.services.audit import Actor
from curriculum.states import ASIDE, JOB_MOVES, JobKind, JobStatus, RunStatus, StageStatus

logger = logging.getLogger(__name__)

SILENT = (
    "The worker has not been heard of for too long: it was stopped or ran out of memory. "
    "A retry continues where it was."
)
LOST = "The worker was stopped from outside, or ran out of memory. A retry continues where it was."
GRACE = timedelta(seconds=20)  # for an attempt that was called off to end by itself
NEEDS: dict[JobKind, RunStatus | StageStatus | None] = {  # where a job has something to do
    JobKind.DIAGNOSE: RunStatus.DIAGNOSING,
    JobKind.PROBE: RunStatus.REVIEWING_DIAGNOSIS,
    JobKind.TRIAL: RunStatus.REVIEWING_DIAGNOSIS,
    JobKind.TRY: None,  # wherever the run is not over
    JobKind.EXAMPLES: None,
    JobKind.WRITE: StageStatus.WRITING,
    JobKind.REWRITE: StageStatus.REVIEWING,  # the stage that it was asked for
    JobKind.TRAIN: StageStatus.TRAINING,
    JobKind.ASSESS: StageStatus.ASSESSING,
    JobKind.REPORT: RunStatus.TEACHING,
}


@transaction.atomic
def _move(job: Job, to: JobStatus, *, actor: Actor, note: str = "", **changes: Any) -> Job:
    """Give `job` the status `to`, if status and attempt still are as the caller saw them."""
    was = JobStatus(job.status)
    if to not in JOB_MOVES[was]:
        raise MoveRefused("job", was.label, to.label)
    what = {"kind": job.kind, "stage": job.stage_id, "round": job.round}
    audit.write(
        job.run,
        actor=actor,
        action=f"job.{to}",
        subject=job,
        was={"status": was, "attempt": job.attempt, **what},
        became={"status": to, "attempt": changes.get("attempt", job.attempt), **what},
        note=note,
    )
    seen = Job.objects.filter(pk=job.pk, status=was, attempt=job.attempt)
    if not seen.update(status=to, **changes):
        raise Overtaken("This job")
    notices.tell(job.run, actor=actor)
    job.refresh_from_db()
    return job


def _send(job: Job) -> None:
    # robust: without Redis the row still says "queued", and `requeue_orphans` sends it later.
    transaction.on_commit(lambda: queues.enqueue(job), robust=True)


@transaction.atomic
def create(
    run: Run,
    *,
    actor: Actor,
    kind: JobKind,
    stage: Stage | None = None,
    round: int = 0,
    asked: Mapping[str, Any] | None = None,
) -> Job:
    """Make the row, and send its numbers to the queue when this transaction has committed."""
    try:
        with transaction.atomic():
            job = Job.objects.create(
                run=run, stage=stage, round=round, kind=kind, asked=dict(asked or {})
            )
    except IntegrityError as exc:  # one job of a kind in a round
        raise Overtaken("The work is queued already: this run") from exc
    became = {"status": job.status, "kind": kind, "stage": job.stage_id, "round": round}
    if asked:
        became["asked"] = job.asked
    audit.write(run, actor=actor, action="job.queued", subject=job, became=became)
    _send(job)
    return job


@transaction.atomic
def create_aside(run: Run, *, actor: Actor, kind: JobKind, asked: Mapping[str, Any]) -> Job:
    """A job that the run does not wait for. Raises `StillAtWork` while there is another."""
    require_idle(run)
    round = run.jobs.filter(kind=kind).count()  # the constraint wants a number of its own
    return create(run, actor=actor, kind=kind, round=round, asked=asked)


def active(run: Run) -> QuerySet[Job]:
    """The run's jobs that wait or work."""
    at_work = [JobStatus.QUEUED, JobStatus.RUNNING]
    return run.jobs.filter(status__in=at_work).select_related("run", "stage")


def require_idle(
    run: Run, *, besides: Job | None = None, kinds: Collection[JobKind] = ASIDE
) -> None:
    """Raise `StillAtWork` while a job aside waits or works, of these kinds. Call it where writers
    of the run stand in line: after `audit.require` or `audit.write`.
    """
    others = active(run).filter(kind__in=kinds)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    if (other := others.first()) is not None:
        raise StillAtWork(other.get_kind_display())


def start(job_id: int, attempt: int) -> Job:
    """Take the attempt. Raises `Overtaken` when it is not waiting any more."""
    job = Job.objects.select_related("run", "stage").filter(pk=job_id).first()
    if job is None or (job.status, job.attempt) != (JobStatus.QUEUED, attempt):
        raise Overtaken("This job")
    now = timezone.now()
    return _move(
        job,
        JobStatus.RUNNING,
        actor=Actor.worker(),
        started_at=now,
        heartbeat_at=now,
        finished_at=None,
        error="",
    )


def beat(job: Job, done: int, total: int, message: str = "", unit: str = "") -> None:
    """Record progress. Raises `Overtaken` once the job is no longer this worker's."""
    progress: dict[str, Any] = {"done": min(done, total) if total else done, "total": total}
    if message:
        progress["message"] = message[:200]
    if unit:
        progress["unit"] = unit[:20]
    mine = Job.objects.filter(pk=job.pk, status=JobStatus.RUNNING, attempt=job.attempt)
    if not mine.update(heartbeat_at=timezone.now(), **progress):
        raise Overtaken("This job")
    for name, value in progress.items():
        setattr(job, name, value)


def succeed(job: Job) -> Job:
    return _move(
        job, JobStatus.SUCCEEDED, actor=Actor.worker(), finished_at=timezone.now(), error=""
    )


def fail(job: Job, error: str) -> Job:
    """Record why the work ended early. Run and stage stay where they are: `retry` goes on."""
    return _move(
        job,
        JobStatus.FAILED,
        actor=Actor.worker(),
        note=error,
        finished_at=timezone.now(),
        error=error,
    )


def cancel(job: Job, *, actor: Actor) -> Job:
    """Stop the job: a running worker learns it from its next beat."""
    return _move(job, JobStatus.CANCELLED, actor=actor, finished_at=timezone.now())


def retry(job: Job, *, actor: Actor) -> Job:
    """Queue the next attempt, which continues where the last one stopped."""
    with transaction.atomic():
        job = _move(
            job,
            JobStatus.QUEUED,
            actor=actor,
            attempt=job.attempt + 1,
            done=0,
            total=0,
            message="",
            error="",
            started_at=None,
            heartbeat_at=None,
            finished_at=None,
        )
        if not _has_something_to_do(job):  # read after the audit entry: it holds still now
            raise JobOutdated(job.get_kind_display())
        if job.kind in ASIDE:
            require_idle(job.run, besides=job)
        _send(job)
    return job


def lose(job_id: int, attempt: int) -> Job:
    """Declare an attempt lost whose process is known to be dead, without waiting for silence.
    Raises `Overtaken` when it is not waiting or running any more.
    """
    job = Job.objects.select_related("run", "stage").filter(pk=job_id).first()
    if job is None or not job.is_active or job.attempt != attempt:
        raise Overtaken("This job")
    return _lose(job, LOST)


def speak_for(job_id: int, attempt: int) -> bool:
    """The worker's word for a process that lives and has not spoken for long: one piece of work,
    such as a batch of answers of a large model on a CPU, may take longer than a silence may last.

    False once the attempt was called off, and has not ended by itself in `GRACE`.
    """
    now = timezone.now()
    mine = Job.objects.filter(pk=job_id, attempt=attempt)
    job = mine.first()
    if job is None:
        return False
    if job.status == JobStatus.RUNNING:
        # Not sooner: what is left is estimated by when the job itself has spoken.
        quiet = timedelta(seconds=settings.IOA_LOST_AFTER_SECONDS / 2)
        mine.filter(status=JobStatus.RUNNING, heartbeat_at__lt=now - quiet).update(heartbeat_at=now)
    elif job.status in (JobStatus.CANCELLED, JobStatus.LOST):
        return job.finished_at is None or now - job.finished_at < GRACE
    return True


def sweep(now: datetime | None = None) -> list[Job]:
    """Declare running jobs lost whose worker has been silent too long. Returns those jobs."""
    silence = timedelta(seconds=settings.IOA_LOST_AFTER_SECONDS)
    lost = []
    for job in silent(now):
        try:
            with transaction.atomic():
                _lose(job, SILENT)
                # A beat between our look and our UPDATE means that it lives after all.
                if job.heartbeat_at and job.heartbeat_at >= (now or timezone.now()) - silence:
                    raise Overtaken("This job")
        except Overtaken:
            logger.info("job %s, attempt %s: alive after all", job.pk, job.attempt)
        else:
            lost.append(job)
    return lost


def silent(now: datetime | None = None) -> Iterable[Job]:
    """The running jobs that `sweep` would declare lost. One query."""
    before = (now or timezone.now()) - timedelta(seconds=settings.IOA_LOST_AFTER_SECONDS)
    running = Job.objects.filter(status=JobStatus.RUNNING, heartbeat_at__lt=before)
    return running.select_related("run", "stage").order_by("pk")


def orphans() -> list[Job]:
    """Queued jobs that RQ has forgotten, or never got. Asks Redis once for each."""
    queued = Job.objects.filter(status=JobStatus.QUEUED).select_related("run").order_by("pk")
    return [job for job in queued if not queues.is_waiting(job)]


def requeue_orphans() -> list[Job]:
    """Send queued jobs again that RQ has forgotten. Harmless: an attempt starts only once."""
    waiting = orphans()
    for job in waiting:
        queues.enqueue(job)
    return waiting


def _lose(job: Job, why: str) -> Job:
    return _move(
        job,
        JobStatus.LOST,
        actor=Actor.worker(),
        note=why,
        error=why,
        finished_at=timezone.now(),
    )


def _has_something_to_do(job: Job) -> bool:
    status = NEEDS[JobKind(job.kind)]
    if job.kind in ASIDE and job.run.jobs.filter(kind=job.kind, pk__gt=job.pk).exists():
        return False  # something else has been asked since
    if status is None:
        return not Run.objects.get(pk=job.run_id).is_over
    if isinstance(status, RunStatus):
        return Run.objects.filter(pk=job.run_id, status=status).exists()
    teaching = Stage.objects.filter(status=status, run__status=RunStatus.TEACHING)
    if job.kind in ASIDE:  # its round counts the jobs of its kind
        return teaching.filter(pk=job.asked["stage"], round=job.asked["round"]).exists()
    return teaching.filter(jobs=job, round=job.round).exists()
