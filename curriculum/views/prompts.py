from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curriculum import engine
from curriculum.errors import CurriculumError
from curriculum.htmx import answer, show
from curriculum.models import Run
from curriculum.services import prompts
from curriculum.views import prompt_reads
from curriculum.views.common import approver, attempt, find_run, first_error, person, viewer
from curriculum.views.writing_forms import PromptForm, PromptNumberForm, taught_skills

PAGE = "curriculum/prompts.html"
PART = "curriculum/partials/_prompts.html"
TRIAL = "curriculum/partials/_prompt_trial.html"
PREVIEW = "curriculum/prompt_preview.html"
PREVIEW_PART = "curriculum/partials/_prompt_preview.html"


@require_GET
@viewer
def run_prompts(request: HttpRequest, pk: int) -> HttpResponse:
    """`name`: a template; `from` and `to`: two of its versions, to see what differs; `trial`: with
    the words that were tried last in its editor.
    """
    run = find_run(pk)
    name = request.GET.get("name", engine.PROMPT_NAMES[0])
    if name not in engine.PROMPT_NAMES:
        raise Http404
    return show(request, PAGE, PART, _context(request, run, name))


@require_GET
@viewer
def run_prompts_now(request: HttpRequest, pk: int) -> HttpResponse:
    """What becomes of the trial. The editor is left alone: somebody may be writing in it."""
    run = find_run(pk)
    return render(request, TRIAL, {"run": run, **_trial(run)})


@require_http_methods(["GET", "POST"])
@viewer
def prompt_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole prompt for one skill. A POST brings words that are not saved, and saves nothing."""
    run = find_run(pk)
    form = PromptForm(request.POST if request.method == "POST" else request.GET, run=run)
    context: dict[str, Any] = {"run": run, "tab": "prompts"}
    if not engine.is_asked_in_words(run):
        context["wrong"] = prompts.NO_WORDS
    elif form.is_valid():
        said = form.cleaned_data
        context |= {"skill": said["skill"], "name": said["name"]}
        try:
            context["words"] = engine.preview(
                said["skill"],
                name=said["name"],
                source=said["source"] or prompt_reads.source_in_use(run, said["name"]),
            )
        except CurriculumError as exc:
            context["wrong"] = str(exc)
    else:
        context["wrong"] = first_error(form)
    status = 422 if "wrong" in context else 200
    return show(request, PREVIEW, PREVIEW_PART, context, status=status)


@require_POST
@approver
def prompt_change(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = PromptForm(request.POST, run=run)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: prompts.change(
                run,
                actor=person(request),
                name=said["name"],
                source=said["source"],
                seen=-1 if said["seen"] is None else said["seen"],
                note=said["note"],
            ),
            "Saved: the teacher is asked with these words from its next request on.",
        )
    return _answer(request, run, notice, status)


@require_POST
@approver
def prompt_roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = PromptNumberForm(request.POST)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: prompts.roll_back(run, actor=person(request), **said),
            "Rolled back, as a new version: nothing is lost.",
        )
    return _answer(request, run, notice, status)


@require_POST
@approver
def prompt_try(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    form = PromptForm(request.POST, run=run)
    notice, status = first_error(form), 422
    if form.is_valid():
        said = form.cleaned_data
        notice, status = attempt(
            lambda: prompts.begin_trial(
                run,
                actor=person(request),
                name=said["name"],
                source=said["source"],
                skill=said["skill"],
            ),
            f"Queued: the teacher is asked for {engine.TRIED_ITEMS} items. Nothing is saved.",
        )
    return _answer(request, run, notice, status, more="&trial=1")


def _context(
    request: HttpRequest, run: Run, name: str, *, is_saved: bool = False
) -> dict[str, Any]:
    """`is_saved`: what was typed is in use now, so that the editor shows what is in use."""
    context = prompt_reads.head(run)
    if not context["is_in_words"]:
        return context
    templates = prompt_reads.templates(run)
    template = next(each for each in templates if each.name == name)
    trial = _trial(run)
    job = trial["job"]
    typed = None if is_saved else request.POST.get("source")
    if typed is None and "trial" in request.GET and job and job.asked.get("name") == name:
        typed = job.asked["source"]
    in_use = template.current.source
    source = in_use if typed is None else typed
    return {
        **context,
        **trial,
        "templates": templates,
        "template": template,
        "version": engine.templates_of(run).version,
        "compared": prompt_reads.compared(template, request.GET),
        "source": source,
        "unsaved": prompt_reads.changes(in_use, source) if in_use.split() != source.split() else [],
        "note": "" if is_saved else request.POST.get("note", ""),
        "skills": taught_skills(run),
        "skill": request.POST.get("skill", "") or (job.asked["skill"] if job else ""),
        "may_change": not run.is_over,
        "n_tried": engine.TRIED_ITEMS,
    }


def _trial(run: Run) -> dict[str, Any]:
    job = prompt_reads.last_trial(run)
    return {
        "job": job,
        "trial": prompt_reads.trial_of(job),
        "now_url": reverse("curriculum:run-prompts-now", args=[run.pk]),
        "back": "prompts",
    }


def _answer(
    request: HttpRequest, run: Run, notice: str, status: int, *, more: str = ""
) -> HttpResponse:
    name = request.POST.get("name", "")
    name = name if name in engine.PROMPT_NAMES else engine.PROMPT_NAMES[0]
    return answer(
        request,
        PAGE,
        PART,
        lambda: _context(request, run, name, is_saved=status == 200 and not more),
        then=f"{reverse('curriculum:run-prompts', args=[run.pk])}?name={name}{more}",
        notice=notice,
        status=status,
    )
