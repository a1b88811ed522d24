"""Work: what is queued, how far it is, and how it ended."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router

from curriculum.access import Role, visible_runs
from curriculum.api.guard import actor, find_row
from curriculum.api.operations import MOST_ID, Cursor, Id, Limit, get, post
from curriculum.api.paging import page
from curriculum.api.schemas import JobOut, Page
from curriculum.models import Job
from curriculum.services import jobs
from curriculum.states import JobKind, JobStatus
from curriculum.views.reads import eta_seconds

router = Router(tags=["jobs"])


@get(router, "/jobs", scope="read", returns=Page[JobOut])
def list_jobs(
    request: HttpRequest,
    run: Annotated[int | None, Query(ge=1, le=MOST_ID)] = None,
    status: Annotated[JobStatus | None, Query()] = None,
    kind: Annotated[JobKind | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """The jobs of the runs that you may see, the newest first."""
    found = Job.objects.filter(run__in=visible_runs(request.user))
    chosen = {"run": run, "status": status, "kind": kind}
    found = found.filter(**{name: value for name, value in chosen.items() if value is not None})
    shown = page(found, limit=limit, cursor=cursor, newest_first=True)
    return {**shown, "items": [with_eta(job) for job in shown["items"]]}


@get(router, "/jobs/{job_id}", scope="read", returns=JobOut)
def get_job(request: HttpRequest, job_id: Id) -> Job:
    """A job: done of total, and the worker's last word."""
    return with_eta(_find(request, job_id))


@post(router, "/jobs/{job_id}/cancel", scope="review", returns=JobOut)
def cancel_job(request: HttpRequest, job_id: Id) -> Job:
    """Stop the job. What it has done is kept."""
    job = _find(request, job_id, Role.REVIEWER)
    return with_eta(jobs.cancel(job, actor=actor(request)))


@post(router, "/jobs/{job_id}/retry", scope="review", returns=JobOut)
def retry_job(request: HttpRequest, job_id: Id) -> Job:
    """Queue the next attempt, which goes on where the last one stopped."""
    job = _find(request, job_id, Role.REVIEWER)
    return with_eta(jobs.retry(job, actor=actor(request)))


def _find(request: HttpRequest, pk: int, role: Role = Role.VIEWER) -> Job:
    return find_row(request, Job.objects.select_related("run", "stage"), pk, "job", role)


def with_eta(job: Job) -> Job:
    job.eta_seconds = eta_seconds(job)  # type: ignore[attr-defined]
    return job
