"""How solutions of a run's skills are to be written, where its teacher is a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import engine
from curriculum.errors import BadDomain
from curriculum.htmx import answer, show
from curriculum.models import Run, Skill
from curriculum.services import prompts
from curriculum.views import example_reads, prompt_reads
from curriculum.views.common import approver, attempt, find_run, first_error, person, viewer
from curriculum.views.writing_forms import ExamplesForm, chosen, taught_skills

PAGE = "curriculum/examples.html"
PART = "curriculum/partials/_examples.html"
TRIAL = "curriculum/partials/_examples_trial.html"


@require_GET
@viewer
def run_examples(request: HttpRequest, pk: int) -> HttpResponse:
    """`skill`: the key of one; else the first. `trial`: with what was tried last in its editor."""
    run = find_run(pk)
    return show(request, PAGE, PART, _context(request, run, request.GET.get("skill", "")))


@require_GET
@viewer
def run_examples_now(request: HttpRequest, pk: int) -> HttpResponse:
    """What becomes of a skill's trial. The editor is left alone: somebody may be writing in it."""
    run = find_run(pk)
    skill = _chosen(taught_skills(run), request.GET.get("skill", ""))
    context = {"run": run, "skill": skill}
    return render(request, TRIAL, context | (example_reads.trial(run, skill) if skill else {}))


@require_POST
@approver
def skill_examples(request: HttpRequest, pk: int) -> HttpResponse:
    skill = get_object_or_404(Skill.objects.select_related("run"), pk=pk)
    form = ExamplesForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: prompts.show_examples(
                skill,
                actor=person(request),
                examples=engine.examples_of_domain(skill) if said["of_domain"] else form.pairs(),
                seen=said["seen"],
                note=said["note"],
            ),
            "Saved: the teacher is shown these from its next request on.",
        )
    typed = None if status == 200 or form.data.get("of_domain") else form.pairs()
    return _answer(request, skill, notice, status, typed=typed)


@require_POST
@approver
def skill_examples_try(request: HttpRequest, pk: int) -> HttpResponse:
    skill = get_object_or_404(Skill.objects.select_related("run"), pk=pk)
    form = ExamplesForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        notice, status = attempt(
            lambda: prompts.begin_examples_trial(
                skill, actor=person(request), examples=form.pairs()
            ),
            f"Queued: the teacher is asked {engine.TRIED_QUESTIONS} questions. Nothing is saved.",
        )
    return _answer(request, skill, notice, status, typed=form.pairs(), more="&trial=1")


def _answer(
    request: HttpRequest,
    skill: Skill,
    notice: str,
    status: int,
    *,
    typed: list[dict[str, str]] | None,
    more: str = "",
) -> HttpResponse:
    """typed: what stays in the editor; more: of the address where there is no script."""
    page = reverse("curriculum:run-examples", args=[skill.run_id])
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, skill.run, skill.key, typed=typed),
        then=f"{page}?skill={skill.key}{more}",
        notice=notice,
        status=status,
    )


def _chosen(skills: Sequence[Skill], key: str) -> Skill | None:
    """As `chosen`; an address that names one which is not there is wrong."""
    found = chosen(skills, key)
    if key and found is None:
        raise Http404
    return found


def _context(
    request: HttpRequest, run: Run, key: str, *, typed: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """typed: what stays in the editor, refused or tried."""
    context = prompt_reads.head(run)
    if not context["is_in_words"]:
        return context
    skills = taught_skills(run)
    skill = _chosen(skills, key)
    if skill is None:
        raise Http404
    skill.run = run
    trial = example_reads.trial(run, skill)
    if typed is None and "trial" in request.GET and trial["job"]:
        typed = trial["job"].asked["examples"]
    rows = skill.examples if typed is None else prompts.as_rows(typed)
    of_domain: list[dict[str, str]] = []
    asked = ""
    try:
        of_domain, asked = engine.examples_of_domain(skill), engine.asked_alone(skill)
        no_trial = engine.why_no_trial(skill)
    except BadDomain as exc:  # of a run that was made elsewhere, or the file is gone
        no_trial = str(exc)
    return {
        **context,
        **trial,
        "skills": skills,
        "skill": skill,
        "templates": prompt_reads.templates(run),
        "rows": [*rows, *[{"question": "", "solution": ""}] * (len(rows) < engine.MOST_EXAMPLES)],
        "most": engine.MOST_EXAMPLES,
        "of_domain": len(of_domain),
        "is_of_domain": skill.examples == of_domain,
        "is_typed": rows != skill.examples,
        "no_trial": no_trial,
        "n_tried": engine.TRIED_QUESTIONS,
        "note": request.POST.get("note", "") if typed is not None else "",
        "asked": asked,
        "may_change": not run.is_over,
        "history": example_reads.history(skill),
    }
