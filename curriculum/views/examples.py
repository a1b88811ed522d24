"""How solutions of a run's skills are to be written, where its teacher is a language model."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from curriculum import engine
from curriculum.htmx import answer, show
from curriculum.models import AuditEntry, Run, Skill
from curriculum.services import prompts
from curriculum.views import prompt_reads
from curriculum.views.common import approver, attempt, find_run, first_error, person, viewer
from curriculum.views.writing_forms import ExamplesForm, taught_skills

PAGE = "curriculum/examples.html"
PART = "curriculum/partials/_examples.html"


@require_GET
@viewer
def run_examples(request: HttpRequest, pk: int) -> HttpResponse:
    """`skill`: the key of one; else the first."""
    run = find_run(pk)
    return show(request, PAGE, PART, _context(request, run, request.GET.get("skill", "")))


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
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, skill.run, skill.key, typed=typed),
        then=f"{reverse('curriculum:run-examples', args=[skill.run_id])}?skill={skill.key}",
        notice=notice,
        status=status,
    )


def _context(
    request: HttpRequest, run: Run, key: str, *, typed: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """typed: what was refused, and stays in the editor."""
    context = prompt_reads.head(run)
    if not context["is_in_words"]:
        return context
    skills = taught_skills(run)
    skill = next((s for s in skills if not key or s.key == key), None)
    if skill is None:
        raise Http404
    skill.run = run
    rows = skill.examples if typed is None else typed
    of_domain = engine.examples_of_domain(skill)
    return {
        **context,
        "skills": skills,
        "skill": skill,
        "templates": prompt_reads.templates(run),
        "rows": [*rows, *[{"question": "", "solution": ""}] * (len(rows) < engine.MOST_EXAMPLES)],
        "most": engine.MOST_EXAMPLES,
        "of_domain": len(of_domain),
        "is_of_domain": skill.examples == of_domain,
        "is_typed": typed is not None,
        "note": request.POST.get("note", "") if typed is not None else "",
        "asked": engine.asked_alone(skill),
        "may_change": not run.is_over,
        "history": _history(skill),
    }


def _history(skill: Skill) -> list[AuditEntry]:
    """Who changed them, the last first."""
    entries = AuditEntry.objects.filter(
        run=skill.run, action="skill.examples", subject=f"skill:{skill.pk}"
    )
    return list(entries.select_related("actor").order_by("-pk")[:20])
