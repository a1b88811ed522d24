from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import engine
from curriculum.access import Role
from curriculum.forms import GateForm
from curriculum.htmx import answer, show
from curriculum.models import GateRecord, Stage
from curriculum.numbers import number
from curriculum.services import budget, gates, signers
from curriculum.views import gate_reads, reads, rounds, stage_reads
from curriculum.views.common import (
    approver,
    attempt,
    find_stage,
    first_error,
    person,
    reviewer,
    viewer,
)

PAGE = "curriculum/gate.html"
PART = "curriculum/partials/_gate.html"


@require_GET
@viewer
def stage_gate(request: HttpRequest, pk: int) -> HttpResponse:
    stage = find_stage(pk)
    asked = number(request.GET.get("round"))
    return show(request, PAGE, PART, _context(request, stage, asked))


def _context(
    request: HttpRequest,
    stage: Stage,
    round_: int | None = None,
    *,
    form: GateForm | None = None,
) -> dict[str, Any]:
    every = stage_reads.rounds(stage)
    found = [r for r in every if r.gate]
    shown = found[0].number if round_ is None and found else (round_ or 0)
    gate = stage_reads.gate_of(stage, shown)
    bounds = engine.settings_of(stage.run).thresholds
    mastery = bounds.mastery
    context: dict[str, Any] = {
        "stage": stage,
        "run": stage.run,
        "rounds": found,
        "rounds_told": [r for r in every if r.gate or r.is_undone],
        "gate": gate,
        "form": form,
        "mastery": mastery,
        "test_low": max(0.0, mastery - bounds.mastery_margin_low),
        "test_high": min(1.0, mastery + bounds.mastery_margin_high),
        "gate_error": bounds.gate_error,
        "tab": "gate",
    }
    if gate is not None:
        taught, retained, waived = stage_reads.gate_rows(gate)
        is_open, why_no_remedy = stage_reads.is_open(gate, stage), _why_no_remedy(gate, stage)
        looks_ahead = is_open and not why_no_remedy
        snapshot = next((r.snapshot for r in found if r.number == gate.round), None)
        context |= {
            "taught": taught,
            "retained": retained,
            "waived": waived,
            "wrong_rows": [row for row in (*taught, *retained, *waived) if row.wrong],
            "is_open": is_open,
            "hands": signers.parts([stage])[stage.pk] if gate.round >= stage.first_round else [],
            "why_not_you": _why_not_you(request, stage) if is_open else "",
            "why_not": stage_reads.why_not_advance(gate),
            "why_no_remedy": why_no_remedy,
            "panels": rounds.panels(found, mastery),
            "kept": gate_reads.retention(stage.run),
            "snapshot": snapshot,
            "mixture": stage_reads.mixture(snapshot) if snapshot else [],
            "ahead": gate_reads.ahead(gate) if looks_ahead else None,
        }
    else:
        context["row"] = reads.run_row(reads.runs_with_work().get(pk=stage.run_id))
    return context


def _why_not_you(request: HttpRequest, stage: Stage) -> str:
    """What the two-person rule holds against an approver's signature; empty when nothing."""
    if request.role < Role.APPROVER:  # type: ignore[attr-defined]
        return ""
    return signers.why_not(request.user, stage)  # type: ignore[arg-type]


def _why_no_remedy(gate: GateRecord, stage: Stage) -> str:
    """In a sentence, why another round is not to be had; empty when it is."""
    cap = budget.rounds_cap(stage)
    if gate.round + 1 - stage.first_round >= cap:
        return f"All {cap} rounds are used ({stage.first_round} to {gate.round})."
    spent, allowed = budget.items_spent(stage.run)
    if spent >= allowed:
        return f"All {allowed:,} items of the run are used."
    return ""


@require_POST
@approver
def gate_advance(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, gates.advance, "Advanced: stage {n} is mastered.")


@require_POST
@reviewer
def gate_remedy(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(
        request,
        pk,
        gates.remedy,
        "Another round of stage {n}: items for what is missing are written.",
    )


@require_POST
@approver
def gate_waive(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, gates.waive, "Waived: stage {n} passes without the evidence.")


@require_POST
@approver
def gate_roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(
        request, pk, gates.roll_back, "Rolled back: the student is as it was before stage {n}."
    )


def _decide(request: HttpRequest, pk: int, decide: Callable[..., Stage], done: str) -> HttpResponse:
    gate = get_object_or_404(GateRecord.objects.select_related("stage__run"), pk=pk)
    stage = gate.stage
    form = GateForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: decide(gate, actor=person(request), **form.cleaned_data),
            done.format(n=stage.position),
        )
        if status == 422:  # a reason is missing: say so beside the field as well
            form.add_error("reason", notice)
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, find_stage(stage.pk), form=form if status >= 400 else None),
        then=reverse("curriculum:run-detail", args=[stage.run_id]),
        notice=notice,
        status=status,
    )
