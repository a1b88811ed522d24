from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import replace_url

from curriculum import figures
from curriculum.forms import GateForm, RoundForm
from curriculum.htmx import answer, look_again, show, wants_partial
from curriculum.models import Stage
from curriculum.numbers import number
from curriculum.services import gates, stages
from curriculum.states import AT_WORK, StageStatus
from curriculum.views import reads, stage_reads
from curriculum.views.common import (
    approver,
    attempt,
    find_stage,
    first_error,
    person,
    reviewer,
    viewer,
)

PAGE = "curriculum/stage_detail.html"
PART = "curriculum/partials/_stage_now.html"
TRAINING = "curriculum/training.html"
TRAINING_PART = "curriculum/partials/_training.html"


@require_GET
@viewer
def stage_detail(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, PAGE, PART, _context(find_stage(pk)))


@require_GET
@viewer
def stage_now(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of the work; the whole region once more than that has changed."""
    return look_again(request, PART, "#stage-now", _context(find_stage(pk)))


def _context(stage: Stage) -> dict[str, Any]:
    row = reads.run_row(reads.runs_with_work().get(pk=stage.run_id))
    is_current = row.stage is not None and row.stage.pk == stage.pk
    return {
        "stage": stage,
        "run": stage.run,
        "row": row,
        "is_current": is_current,
        "eta_seconds": reads.eta_seconds(row.job) if row.job and is_current else None,
        "stage_skills": stage.stage_skills.select_related("skill").order_by("pk"),
        "rounds": stage_reads.rounds(stage),
        "counts": stage_reads.item_counts(stage),
        "now_url": reverse("curriculum:stage-now", args=[stage.pk]),
        "may_roll_back": _may_roll_back(stage),
        "tab": "overview",
    }


def _may_roll_back(stage: Stage) -> bool:
    """In review, or where its work has ended early. At the gate that page offers it."""
    if stage.run.is_over:
        return False
    if stage.status == StageStatus.REVIEWING:
        return True
    return stage.status in AT_WORK and not any(
        job.is_active for job in stage.jobs.filter(round=stage.round)
    )


@require_POST
@reviewer
def stage_open(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    notice, status = attempt(
        lambda: stages.open(stage, actor=person(request)),
        f"Started: items for stage {stage.position} are being written.",
    )
    return _answer(request, stage, notice, status)


@require_POST
@approver
def stage_train(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    form = RoundForm(request.POST)
    notice, status = "Which round was looked at could not be read. Look again.", 422
    if form.is_valid():
        notice, status = attempt(
            lambda: stages.train(stage, actor=person(request), **form.cleaned_data),
            "The approved items are frozen, and the training is queued.",
        )
    then = reverse("curriculum:stage-training", args=[stage.pk])
    return _answer(request, stage, notice, status, then=then)


@require_POST
@approver
def stage_roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up a round in review: what was written stays on record, the stage starts over."""
    stage = find_stage(pk)
    form = GateForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: gates.start_over(stage, actor=person(request), **form.cleaned_data),
            f"Rolled back: stage {stage.position} is planned again.",
        )
    return _answer(request, stage, notice, status)


def _answer(
    request: HttpRequest, stage: Stage, notice: str, status: int, *, then: str = ""
) -> HttpResponse:
    response = answer(
        request,
        PAGE,
        PART,
        lambda: _context(find_stage(stage.pk)),
        then=then or stage.get_absolute_url(),
        notice=notice,
        status=status,
    )
    # what was refused may have been pressed on another page than the one that says so
    return response if status < 400 else replace_url(response, stage.get_absolute_url())


@require_GET
@viewer
def stage_training(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    asked = number(request.GET.get("round"))
    shown = stage.round if asked is None else asked
    training = stage_reads.training(stage, shown)
    context = {
        "stage": stage,
        "run": stage.run,
        "round": shown,
        "rounds": range(stage.round + 1),
        "is_part": wants_partial(request),
        "training": training,
        "figure": figures.loss(training.steps) if training.steps else None,
        "tab": "training",
    }
    return show(request, TRAINING, TRAINING_PART, context)
