"""The curriculum under review: stages as columns, moved, split, merged, put in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import engine
from curriculum.forms import SignForm
from curriculum.htmx import answer, show
from curriculum.models import Run, Stage
from curriculum.numbers import number
from curriculum.plan_forms import MoveSkillForm, SplitForm
from curriculum.services import planned, replanning, runs, stages
from curriculum.states import RunStatus
from curriculum.views import plan_reads, reads
from curriculum.views.common import (
    approver,
    attempt,
    find_run,
    find_stage,
    first_error,
    person,
    reviewer,
    viewer,
)

PAGE = "curriculum/curriculum.html"
PART = "curriculum/partials/_curriculum.html"


@require_GET
@viewer
def run_curriculum(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, PAGE, PART, _context(find_run(pk)))


def _context(run: Run) -> dict[str, Any]:
    may_change = run.goes_on_in(RunStatus.REVIEWING_CURRICULUM)
    # What the planner said, and what is so since people moved things.
    now = engine.zpd_notices(run) if may_change else []
    found = reads.stages_with_skills(run)
    return {
        "run": run,
        "notices": list(dict.fromkeys([*run.notices, *now])),
        "stages": found,
        "versions": plan_reads.versions(run, found),
        "proposal": plan_reads.proposal(run, found),
        "builds_on": reads.builds_on(run),
        "may_change": may_change,
        "seen": planned.digest(run) if may_change else "",
        "is_planned": run.status not in (RunStatus.DRAFT, RunStatus.DIAGNOSING),
        "tab": "curriculum",
    }


@require_POST
@approver
def run_sign_curriculum(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = SignForm(request.POST)
    notice, status = "The note is too long: 2000 characters at most.", 422
    if form.is_valid():
        notice, status = attempt(
            lambda: runs.sign_curriculum(run, actor=person(request), **form.cleaned_data),
            "Curriculum signed. Teaching can start.",
        )
    return _answer(request, run, notice, status, then=run.get_absolute_url())


@require_POST
@reviewer
def run_replan(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    notice, status = attempt(
        lambda: runs.replan(run, actor=person(request)),
        "Planned again from the diagnosis and the graph as they are now.",
    )
    return _answer(request, run, notice, status)


@require_POST
@reviewer
def run_go_back(request: HttpRequest, pk: int) -> HttpResponse:
    """To the plan before the entry of the audit log that is named."""
    run, entry = find_run(pk), number(request.POST.get("entry"))
    notice, status = "Which version is meant could not be read. Look again.", 422
    if entry is not None:
        notice, status = attempt(
            lambda: stages.go_back(run, entry=entry, actor=person(request)),
            "The earlier version is back, as a new one.",
        )
    return _answer(request, run, notice, status)


@require_POST
@approver
def run_plan_rest(request: HttpRequest, pk: int) -> HttpResponse:
    return _about_the_rest(
        request, pk, replanning.accept, "Planned again: what has begun stays as it was."
    )


@require_POST
@approver
def run_keep_plan(request: HttpRequest, pk: int) -> HttpResponse:
    return _about_the_rest(
        request, pk, replanning.keep, "Kept: the plan stays as it is until more is measured."
    )


def _about_the_rest(
    request: HttpRequest, pk: int, decide: Callable[..., Run], done: str
) -> HttpResponse:
    run, seen = find_run(pk), request.POST.get("seen", "")
    notice, status = attempt(lambda: decide(run, actor=person(request), seen=seen), done)
    return _answer(request, run, notice, status)


@require_POST
@reviewer
def run_back_to_diagnosis(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    notice, status = attempt(
        lambda: runs.back_to_diagnosis(run, actor=person(request)),
        "The diagnosis is open again.",
    )
    then = reverse("curriculum:run-diagnosis", args=[run.pk])
    return _answer(request, run, notice, status, then=then)


@require_POST
@reviewer
def run_move_skill(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = MoveSkillForm(request.POST)
    notice, status = "Choose the stage this skill moves to.", 422
    if form.is_valid():
        skill = get_object_or_404(run.skills, pk=form.cleaned_data["skill"])
        to_stage = get_object_or_404(run.stages, pk=form.cleaned_data["to_stage"])
        notice, status = attempt(
            lambda: stages.move_skill(skill, to_stage=to_stage, actor=person(request)),
            f"Moved: {skill.key} is taught in stage {to_stage.position}.",
        )
    return _answer(request, run, notice, status)


@require_GET
@reviewer
def run_check_move(request: HttpRequest, pk: int) -> JsonResponse:
    """What would be said of a move, while it is thought about: `refused`, and `says`."""
    form = MoveSkillForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"refused": True, "says": "Choose the stage this skill moves to."})
    run = find_run(pk)
    skill = get_object_or_404(run.skills, pk=form.cleaned_data["skill"])
    to_stage = get_object_or_404(run.stages.select_related("run"), pk=form.cleaned_data["to_stage"])
    broken, steps = stages.objections(skill, to_stage=to_stage)
    fine = f"{skill.key} can be taught in stage {to_stage.position}."
    return JsonResponse({"refused": bool(broken), "says": " ".join(broken or steps or [fine])})


@require_POST
@reviewer
def stage_split(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    rows = stage.stage_skills.select_related("skill")
    form = SplitForm(request.POST, skills=[(row.skill_id, str(row.skill)) for row in rows])
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: stages.split(stage, actor=person(request), **form.cleaned_data),
            f"Split: a new stage follows stage {stage.position}.",
        )
    return _answer(request, stage.run, notice, status)


@require_POST
@reviewer
def stage_merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Merge a stage into the one before it."""
    stage = find_stage(pk)
    before = _neighbour(stage, -1)
    notice, status = "There is no stage before the first to merge it with.", 422
    if before is not None:
        notice, status = attempt(
            lambda: stages.merge(stage, into=before, actor=person(request), seen=_seen(request)),
            f"Merged: stages {before.position} and {stage.position} are taught together.",
        )
    return _answer(request, stage.run, notice, status)


@require_POST
@reviewer
def stage_reorder(request: HttpRequest, pk: int) -> HttpResponse:
    """Swap a stage with the one before it, or behind it."""
    stage = find_stage(pk)
    step = -1 if request.POST.get("to") == "earlier" else 1
    other = _neighbour(stage, step)
    notice, status = "There is no stage on that side to change places with.", 422
    if other is not None:
        order = list(stage.run.stages.order_by("position").values_list("pk", flat=True))
        at, to = order.index(stage.pk), order.index(other.pk)
        order[at], order[to] = order[to], order[at]
        notice, status = attempt(
            lambda: stages.reorder(
                stage.run, order=order, actor=person(request), seen=_seen(request)
            ),
            f"Moved: “{stage.title}” is stage {other.position} now.",
        )
    return _answer(request, stage.run, notice, status)


def _seen(request: HttpRequest) -> str:
    """Of the plan on the page: a neighbour is looked up by place, and the button has named it."""
    return request.POST.get("seen", "")


def _neighbour(stage: Stage, step: int) -> Stage | None:
    return stage.run.stages.filter(position=stage.position + step).first()


def _answer(
    request: HttpRequest, run: Run, notice: str, status: int, *, then: str = ""
) -> HttpResponse:
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(find_run(run.pk)),
        then=then or reverse("curriculum:run-curriculum", args=[run.pk]),
        notice=notice,
        status=status,
    )
