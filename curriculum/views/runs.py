from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import engine
from curriculum.forms import (
    AutonomyForm,
    ReasonForm,
    TwoPeopleForm,
)
from curriculum.htmx import answer, look_again, show
from curriculum.models import Run, Stage
from curriculum.services import budget, deciding, runs
from curriculum.states import Autonomy, RunStatus, StageStatus, Verdict
from curriculum.views import audit_reads, reads
from curriculum.views.common import (
    approver,
    attempt,
    find_run,
    first_error,
    person,
    reviewer,
    viewer,
)
from curriculum.views.creating import alone
from curriculum.views.writing_forms import BudgetForm

PAGE = "curriculum/run_detail.html"
PART = "curriculum/partials/_run_now.html"


@require_GET
@viewer
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, PAGE, PART, _context(pk))


@require_GET
@viewer
def run_now(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of the work; the whole region once more than that has changed."""
    context = _context(pk)
    return look_again(request, PART, "#run-now", context)


def _context(pk: int, refused: Mapping[str, Form] | None = None) -> dict[str, Any]:
    run = get_object_or_404(reads.runs_with_work(), pk=pk)
    row = reads.run_row(run)
    return {
        "run": run,
        "row": row,
        "eta_seconds": reads.eta_seconds(row.job) if row.job else None,
        "stopped": audit_reads.stopped(run, row.jobs),
        "cost": reads.cost(run),
        "stages": reads.stages_with_skills(run),
        "tree": reads.checkpoints(run),
        "autonomies": Autonomy.choices,
        "at_once": _at_once(run, row.stage),
        "may_conclude": runs.may_conclude(run),
        "refused": refused or {},
        "now_url": reverse("curriculum:run-now", args=[pk]),
        "budget": (run.settings.get("budget") or {}).get("items"),
        "token_budget": (run.settings.get("writing") or {}).get("teacher_tokens"),
        "tokens_written": engine.tokens_of_calls(run),
        "is_in_words": engine.is_asked_in_words(run),
        "settings": engine.settings_told(run),
    }


def _at_once(run: Run, stage: Stage | None) -> str:
    """What policy would do the moment it may decide more; "" where nothing waits for people."""
    if run.status in (RunStatus.REVIEWING_DIAGNOSIS, RunStatus.REVIEWING_CURRICULUM):
        return "What waits to be signed here is signed by policy at once, if it may decide that."
    if stage is None:
        return ""
    where = f"stage {stage.position}"
    if stage.status == StageStatus.REVIEWING:
        n = stage.items.filter(round=stage.round, verdict=Verdict.WAITING).count()
        return (
            f"In {where} {n:,} items wait for a verdict. If policy may approve, it does so at once "
            "with those that pass every check, and training starts when none is left."
        )
    if stage.status == StageStatus.DECIDING:
        return f"The gate of {where} is decided by policy at once, if it may decide that."
    return ""


@require_POST
@reviewer
def run_diagnose(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    notice, status = attempt(
        lambda: runs.diagnose(run, actor=person(request)),
        "The diagnosis is queued. This page follows it.",
    )
    return _answer(request, run, notice, status)


@require_POST
@approver
def run_stop(request: HttpRequest, pk: int) -> HttpResponse:
    done = "The run is stopped. Everything it made stays on record."
    return _end(request, pk, "stop", runs.stop, done)


@require_POST
@approver
def run_conclude(request: HttpRequest, pk: int) -> HttpResponse:
    done = "Teaching is concluded: the report is being measured."
    return _end(request, pk, "conclude", runs.conclude, done)


def _end(
    request: HttpRequest, pk: int, name: str, service: Callable[..., Run], done: str
) -> HttpResponse:
    run = find_run(pk)
    form = ReasonForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: service(run, actor=person(request), **form.cleaned_data), done
        )
    return _answer(request, run, notice, status, **{name: form})


@require_POST
@approver
def run_autonomy(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = AutonomyForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        last = run.audit_sequence
        notice, status = attempt(
            lambda: deciding.set_autonomy(run, actor=person(request), **form.cleaned_data),
            f"From now on: {Autonomy(form.cleaned_data['autonomy']).label}.",
        )
        if status == 200 and (done := audit_reads.done_by_policy(run, after=last)):
            notice += f" Policy decided at once: {', '.join(done)}."
    return _answer(request, run, notice, status, autonomy=form)


@require_POST
@approver
def run_two_people(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = TwoPeopleForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: deciding.set_two_people(run, actor=person(request), **form.cleaned_data),
            f"The two-person rule is {'on' if form.cleaned_data['on'] else 'off'} from now on.",
        )
    if status == 200 and (said := alone(run)):
        messages.warning(request, said)
    return _answer(request, run, notice, status)


@require_POST
@approver
def run_budget(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = BudgetForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: budget.raise_to(run, actor=person(request), **form.cleaned_data),
            "The budget is raised. Work that stopped at it goes on when it is retried.",
        )
    return _answer(request, run, notice, status, budget=form)


@require_POST
@reviewer
def run_archive(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    if request.POST.get("back"):
        notice, status = attempt(
            lambda: runs.unarchive(run, actor=person(request)), f"Back in the list: {run}."
        )
    else:
        notice, status = attempt(
            lambda: runs.archive(run, actor=person(request)),
            f"Archived: {run}. It is listed under “archived”.",
        )
    return _answer(request, run, notice, status)


def _answer(request: HttpRequest, run: Run, notice: str, status: int, **sent: Form) -> HttpResponse:
    """sent: the form, by its name. One that is refused comes back as it was filled in."""

    def build() -> dict[str, Any]:
        return _context(run.pk, sent if status >= 400 else {})

    return answer(request, PAGE, PART, build, then=run, notice=notice, status=status)
