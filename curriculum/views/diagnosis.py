from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import figures
from curriculum.forms import SignForm
from curriculum.htmx import answer, look_again, show
from curriculum.models import Run, Skill
from curriculum.plan_forms import ProbeForm, SkillForm
from curriculum.services import probing, runs, skills
from curriculum.states import JobKind, RunStatus
from curriculum.views import diagnosis_reads, reads
from curriculum.views.common import (
    approver,
    attempt,
    find_run,
    first_error,
    person,
    reviewer,
    viewer,
)
from curriculum.views.picking import Pick

PAGE = "curriculum/diagnosis.html"
PART = "curriculum/partials/_diagnosis.html"
WORDS_PAGE = "curriculum/skill_words.html"
WORDS = "curriculum/partials/_skill_words.html"
# Rows that come with what is behind them; of a longer table it is fetched for those opened.
TOLD = 40


@require_GET
@viewer
def run_diagnosis(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, PAGE, PART, _context(request, pk))


@require_GET
@viewer
def run_diagnosis_now(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of the work; the whole region once more than that has changed."""
    return look_again(request, PART, "#diagnosis", _context(request, pk))


def _context(
    request: HttpRequest,
    pk: int,
    form: ProbeForm | None = None,
    typed: dict[str, Any] | None = None,
) -> dict[str, Any]:
    run = get_object_or_404(reads.runs_with_work(), pk=pk)
    row = reads.run_row(run)
    rows, pick = diagnosis_reads.rows(run.skills.all()), Pick.of(request)
    picked = pick.rows(rows)
    is_long, refused = len(picked) > TOLD, (typed or {}).get("pk")
    diagnosis_reads.tell(run, [r for r in picked if not is_long or r.skill.pk == refused])
    threshold = (run.settings.get("thresholds") or {}).get("gap", 0.3)
    measured = [row for row in picked if row.is_measured]
    drawn = diagnosis_reads.drawn(measured, rows)
    return {
        "run": run,
        "rows": picked,
        "n_rows": len(rows),
        "pick": pick,
        "figure": figures.gaps(drawn, threshold) if drawn else None,
        "n_drawn": len(drawn),
        "n_picked": len(measured),
        "n_deficient": sum(bool(row.skill.is_deficient) for row in rows),
        "n_measured": sum(row.is_measured for row in rows),
        "gap_threshold": threshold,
        **reads.aside(row, JobKind.PROBE),
        "now_url": reverse("curriculum:run-diagnosis-now", args=[run.pk]),
        "back": "diagnosis",
        "is_busy": row.job is not None,
        "form": form or ProbeForm(),
        "typed": typed,  # the words of a skill that were refused
        "may_ask": any(row.may_ask for row in rows),
        **_may(run),
        "tab": "diagnosis",
    }


def _may(run: Run) -> dict[str, bool]:
    is_reviewed = run.goes_on_in(RunStatus.REVIEWING_DIAGNOSIS)
    return {
        "may_probe": is_reviewed,
        "may_sign": is_reviewed,
        "may_change": is_reviewed or run.goes_on_in(RunStatus.DRAFT),
    }


@require_GET
@viewer
def skill_words(request: HttpRequest, pk: int) -> HttpResponse:
    """What is behind one row: a long table has it when the row is opened."""
    skill = _find(pk)
    run = get_object_or_404(reads.runs_with_work(), pk=skill.run_id)
    [row] = diagnosis_reads.rows(run.skills.filter(pk=pk))
    diagnosis_reads.tell(run, [row])
    job = reads.run_row(run).job
    context = {"run": run, "row": row, "is_busy": job is not None, **_may(run)}
    return show(request, WORDS_PAGE, WORDS, context)


@require_POST
@approver
def run_sign_diagnosis(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = SignForm(request.POST)
    notice, status = "The note is too long: 2000 characters at most.", 422
    if form.is_valid():
        notice, status = attempt(
            lambda: runs.sign_diagnosis(run, actor=person(request), **form.cleaned_data),
            "Diagnosis signed. The stages are planned: look at them, then sign.",
        )
    then = reverse("curriculum:run-curriculum", args=[run.pk])
    return _answer(request, run, notice, status, then=then)


@require_POST
@reviewer
def skill_edit(request: HttpRequest, pk: int) -> HttpResponse:
    skill = _find(pk)
    form = SkillForm(request.POST)
    notice, status = f"Skill {skill.key}: {first_error(form)}", 422
    if form.is_valid():
        notice, status = attempt(
            lambda: skills.edit(skill, actor=person(request), **form.cleaned_data),
            f"Changed: {skill.key}.",
        )
    typed = {**request.POST.dict(), "pk": skill.pk} if status >= 400 else None
    return _answer(request, skill.run, notice, status, typed=typed)


@require_POST
@reviewer
def skill_retire(request: HttpRequest, pk: int) -> HttpResponse:
    skill = _find(pk)
    notice, status = attempt(
        lambda: skills.retire(skill, actor=person(request)),
        f"Retired: {skill}. It is not taught; it can be restored.",
    )
    return _answer(request, skill.run, notice, status)


@require_POST
@reviewer
def skill_restore(request: HttpRequest, pk: int) -> HttpResponse:
    skill = _find(pk)
    notice, status = attempt(
        lambda: skills.restore(skill, actor=person(request)), f"Restored: {skill}."
    )
    return _answer(request, skill.run, notice, status)


@require_POST
@reviewer
def run_probe(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = ProbeForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: probing.probe_more(
                run,
                actor=person(request),
                width=said["width"],
                skills=[said["skill"]] if said["skill"] else [],
            ),
            f"Queued: {said['skill'] or 'what is unclear'} is probed until its interval is at most "
            f"{said['width']:.2f} wide. This page follows it.",
        )
    return _answer(request, run, notice, status, form=form if status == 422 else None)


def _find(pk: int) -> Skill:
    return get_object_or_404(Skill.objects.select_related("run"), pk=pk)


def _answer(
    request: HttpRequest,
    run: Run,
    notice: str,
    status: int,
    *,
    then: str = "",
    form: ProbeForm | None = None,
    typed: dict[str, Any] | None = None,
) -> HttpResponse:
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, run.pk, form, typed),
        then=then or reverse("curriculum:run-diagnosis", args=[run.pk]),
        notice=notice,
        status=status,
    )
