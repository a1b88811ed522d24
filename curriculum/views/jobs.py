from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import access
from curriculum.access import Role
from curriculum.htmx import answer, show
from curriculum.models import Job, Notice
from curriculum.numbers import number
from curriculum.services import jobs
from curriculum.states import JobKind, JobStatus, NoticeStatus
from curriculum.views import reads
from curriculum.views.common import anybody, attempt, person, reviewer

PAGE = "curriculum/job_list.html"
PART = "curriculum/partials/_job_table.html"
FROM = {
    "run": "curriculum:run-detail",
    "diagnosis": "curriculum:run-diagnosis",
    "graph": "curriculum:run-graph",
    "prompts": "curriculum:run-prompts",
    "examples": "curriculum:run-examples",
}
SHOWN = 50  # jobs a page


@require_GET
@anybody
def job_list(request: HttpRequest) -> HttpResponse:
    return show(request, PAGE, PART, _context(request))


def _context(request: HttpRequest) -> dict[str, Any]:
    seen = access.visible_runs(request.user)
    found = Job.objects.filter(run__in=seen).select_related("run", "stage").order_by("-pk")
    run = number(request.GET.get("run"))
    if run is not None:
        found = found.filter(run=run)
    status = request.GET.get("status", "")
    status = status if status in JobStatus.values else ""
    if status:
        found = found.filter(status=status)
    page = Paginator(found, SHOWN).get_page(request.GET.get("page"))
    roles = access.roles_in(request.user, {job.run for job in page})

    def may_act(job: Job) -> bool:  # in a run that is over there is nothing to do again
        return not job.run.is_over and (roles[job.run_id] or 0) >= Role.REVIEWER

    rows = [(job, reads.eta_seconds(job), may_act(job)) for job in page]
    only_run = "" if run is None else str(run)
    picked = [pair for pair in (("run", only_run), ("status", status)) if pair[1]]
    return {
        "page": page,
        "query": f"{urlencode(picked)}&" if picked else "",
        "rows": rows,
        "is_live": any(job.is_active for job, *_ in rows),
        "statuses": JobStatus.choices,
        "status": status,
        "only_run": only_run,
        "undelivered": _undelivered(request),
        "asked": _asked(request),
    }


def _undelivered(request: HttpRequest) -> int:
    """Messages that an administrator should look at; for nobody else."""
    if not request.user.is_staff:
        return 0
    return Notice.objects.exclude(error="").exclude(status=NoticeStatus.OUTDATED).count()


def _asked(request: HttpRequest) -> str:
    """Filter and page, as they stand in the address. Buttons of the list carry them in their own,
    so that what answers is the list that they were pressed in.
    """
    said = request.GET.urlencode()
    return f"?{said}" if said else ""


@require_POST
@reviewer
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    job = _find(pk)
    notice, status = attempt(
        lambda: jobs.cancel(job, actor=person(request)),
        f"Cancelled: {job.get_kind_display()}. What it has done is kept.",
    )
    return _answer(request, job, notice, status)


@require_POST
@reviewer
def job_retry(request: HttpRequest, pk: int) -> HttpResponse:
    job = _find(pk)
    notice, status = attempt(
        lambda: jobs.retry(job, actor=person(request)),
        f"Queued again: {job.get_kind_display()}. It continues where it stopped.",
    )
    return _answer(request, job, notice, status)


def _find(pk: int) -> Job:
    return get_object_or_404(Job.objects.select_related("run", "stage"), pk=pk)


def _answer(request: HttpRequest, job: Job, notice: str, status: int) -> HttpResponse:
    # The same buttons stand on a run's pages and in the list of jobs: back to where it was.
    page = FROM.get(request.POST.get("from", ""))
    jobs_as_asked = reverse("curriculum:job-list") + _asked(request)
    then = reverse(page, args=[job.run_id]) if page else jobs_as_asked
    if job.kind == JobKind.REWRITE and request.POST.get("from") == "review":
        then = reverse("curriculum:stage-review", args=[job.asked["stage"]])
    if job.kind == JobKind.EXAMPLES and page:
        then += f"?{urlencode({'skill': job.asked['skill'], 'trial': 1})}"
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request),
        then=then,
        notice=notice,
        status=status,
    )
