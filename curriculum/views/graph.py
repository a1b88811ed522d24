from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum.forms import EdgeForm, ReasonForm
from curriculum.htmx import answer, show
from curriculum.models import Prerequisite, Run
from curriculum.services import skills
from curriculum.states import RunStatus
from curriculum.views import drawing, reads
from curriculum.views.common import attempt, find_run, first_error, person, reviewer

PAGE = "curriculum/graph.html"
PART = "curriculum/partials/_graph.html"


@require_GET
@login_required
def run_graph(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    return show(request, PAGE, PART, _context(run, EdgeForm(run=run)))


def _context(run: Run, form: EdgeForm) -> dict[str, Any]:
    found = reads.edges(run)
    active = [edge for edge in found if edge.is_active]
    return {
        "run": run,
        "drawing": drawing.draw(list(run.skills.order_by("pk")), active),
        "edges": active,
        "refused": [edge for edge in found if not edge.is_active],
        "form": form,
        "may_change": run.status in (RunStatus.DRAFT, RunStatus.REVIEWING_DIAGNOSIS),
        "tab": "graph",
    }


@require_POST
@reviewer
def edge_add(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = EdgeForm(request.POST, run=run)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        by_key = {skill.key: skill for skill in run.skills.all()}
        notice, status = attempt(
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
    return _answer(request, run, form, notice, status)


@require_POST
@reviewer
def edge_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    edge = _find(pk)
    form = ReasonForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: skills.refuse_edge(edge, actor=person(request), **form.cleaned_data),
            f"Refused: {edge}. It stays on record, and no longer orders anything.",
        )
    return _answer(request, edge.run, EdgeForm(run=edge.run), notice, status)


@require_POST
@reviewer
def edge_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    edge = _find(pk)
    form = ReasonForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: skills.confirm_edge(edge, actor=person(request), **form.cleaned_data),
            f"Confirmed: {edge}.",
        )
    return _answer(request, edge.run, EdgeForm(run=edge.run), notice, status)


def _find(pk: int) -> Prerequisite:
    return get_object_or_404(Prerequisite.objects.select_related("run", "source", "target"), pk=pk)


def _answer(
    request: HttpRequest, run: Run, form: EdgeForm, notice: str, status: int
) -> HttpResponse:
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(find_run(run.pk), form),
        then=reverse("curriculum:run-graph", args=[run.pk]),
        notice=notice,
        status=status,
    )
