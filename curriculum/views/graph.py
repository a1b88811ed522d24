from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import engine
from curriculum.access import Role
from curriculum.errors import CurriculumError, CycleRefused
from curriculum.forms import ReasonForm
from curriculum.htmx import answer, look_again, show
from curriculum.models import Prerequisite, Run
from curriculum.numbers import number
from curriculum.plan_forms import EdgeForm, TrialForm
from curriculum.services import observing, skills, trials
from curriculum.states import JobKind, RunStatus
from curriculum.views import drawing, reads
from curriculum.views.common import attempt, find_run, first_error, person, reviewer, viewer

PAGE = "curriculum/graph.html"
PART = "curriculum/partials/_graph.html"
NO_CIRCLE: Sequence[str] = ()


@require_GET
@viewer
def run_graph(request: HttpRequest, pk: int) -> HttpResponse:
    """With `test`, a prerequisite: what testing it would cost, and the button to have it done."""
    run = find_run(pk)
    context = _context(run, EdgeForm(run=run))
    return show(request, PAGE, PART, {**context, "trial": _announced(request, run)})


@require_GET
@viewer
def run_graph_now(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of the work; the whole region once more than that has changed."""
    run = find_run(pk)
    return look_again(request, PART, "#graph", _context(run, EdgeForm(run=run)))


def _announced(request: HttpRequest, run: Run) -> dict[str, Any] | None:
    pk = number(request.GET.get("test"))
    if pk is None or request.role < Role.REVIEWER:  # type: ignore[attr-defined]
        return None
    edge = get_object_or_404(run.prerequisites.select_related("run", "source", "target"), pk=pk)
    form = TrialForm(request.GET if "steps" in request.GET else {"steps": TrialForm.STEPS})
    said: dict[str, Any] = {"edge": edge, "form": form}
    if form.is_valid():
        try:
            said["cost"] = engine.trial_cost(edge, form.cleaned_data["steps"])
        except CurriculumError as exc:
            said["refused"] = str(exc)
    return said


def _context(
    run: Run,
    form: EdgeForm,
    circle: Sequence[str] = NO_CIRCLE,
    typed: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    row = reads.run_row(reads.runs_with_work().get(pk=run.pk))
    found = reads.edges(run)
    active = [edge for edge in found if edge.is_active]
    return {
        "run": run,
        "drawing": drawing.draw(list(run.skills.order_by("pk")), active, circle),
        "circle": circle,
        "edges": active,
        "outweighed": engine.outweighed(run, active),
        "refused": [edge for edge in found if not edge.is_active],
        "form": form,
        "typed": typed,  # the words about a prerequisite that were refused
        **reads.aside(row, JobKind.TRIAL),
        "now_url": reverse("curriculum:run-graph-now", args=[run.pk]),
        "back": "graph",
        "is_busy": row.job is not None,
        "may_test": run.goes_on_in(RunStatus.REVIEWING_DIAGNOSIS) and row.job is None,
        "may_change": run.goes_on_in(RunStatus.DRAFT, RunStatus.REVIEWING_DIAGNOSIS),
        "tab": "graph",
    }


@require_POST
@reviewer
def edge_add(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = EdgeForm(request.POST, run=run)
    notice, status, circle = first_error(form), 422, NO_CIRCLE
    if form.is_valid():
        said = form.cleaned_data
        by_key = {skill.key: skill for skill in run.skills.all()}
        notice, status, circle = _drawn(
            lambda: skills.add_edge(
                run,
                source=by_key[said["source"]],
                target=by_key[said["target"]],
                actor=person(request),
                reason=said["reason"],
            ),
            f"Added: {said['target']} builds on {said['source']}.",
        )
        if status == 200:
            form = EdgeForm(run=run)
    return _answer(request, run, form, notice, status, circle, _refused(form, status))


@require_POST
@reviewer
def edge_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    said = "Refused: {}. It stays on record, and no longer orders anything."
    return _on_edge(request, pk, ReasonForm, skills.refuse_edge, said)


@require_POST
@reviewer
def edge_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    return _on_edge(request, pk, ReasonForm, skills.confirm_edge, "Confirmed: {}.")


@require_POST
@reviewer
def edge_test(request: HttpRequest, pk: int) -> HttpResponse:
    said = "Queued: the test of {}. This page follows it."
    return _on_edge(request, pk, TrialForm, trials.begin, said)


def _on_edge(
    request: HttpRequest, pk: int, form_of: type[Form], service: Callable[..., object], said: str
) -> HttpResponse:
    """Do with an edge what the form says; `said` tells of it, with the edge in its {}."""
    edge = get_object_or_404(Prerequisite.objects.select_related("run", "source", "target"), pk=pk)
    form = form_of(request.POST)
    notice, status, circle = first_error(form), 422, NO_CIRCLE
    if form.is_valid():
        notice, status, circle = _drawn(
            lambda: service(edge, actor=person(request), **form.cleaned_data), said.format(edge)
        )
    typed = _refused(form, status, edge)
    return _answer(request, edge.run, EdgeForm(run=edge.run), notice, status, circle, typed)


def _refused(form: Form, status: int, edge: Prerequisite | None = None) -> dict[str, Any] | None:
    """The reason that was given, for the page to show again; for a new edge its form does."""
    reason = form.data.get("reason")
    return {"pk": edge and edge.pk, "reason": reason} if reason and status >= 400 else None


def _drawn(act: Callable[[], object], done: str) -> tuple[str, int, Sequence[str]]:
    """As `attempt` does; and the circle that was refused, for the drawing."""
    circle: list[str] = []

    def call() -> None:
        try:
            act()
        except CycleRefused as exc:
            circle.extend(exc.cycle)
            raise

    return (*attempt(call, done), circle)


@require_POST
@reviewer
def run_look_back(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    try:
        notice, status = observing.look_back(run, actor=person(request)), 200
    except CurriculumError as exc:
        notice, status = str(exc), exc.http_status
    return _answer(request, run, EdgeForm(run=run), notice, status)


def _answer(
    request: HttpRequest,
    run: Run,
    form: EdgeForm,
    notice: str,
    status: int,
    circle: Sequence[str] = NO_CIRCLE,
    typed: Mapping[str, Any] | None = None,
) -> HttpResponse:
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(find_run(run.pk), form, circle, typed),
        then=reverse("curriculum:run-graph", args=[run.pk]),
        notice=notice,
        status=status,
    )
