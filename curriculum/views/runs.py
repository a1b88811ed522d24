from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curriculum import engine
from curriculum.errors import BadDomain, BadModel, CurriculumError
from curriculum.forms import (
    DEFAULT_PRESET,
    PRESETS,
    AutonomyForm,
    ReasonForm,
    RunForm,
    TwoPeopleForm,
    preset_numbers,
)
from curriculum.htmx import answer, look_again, show
from curriculum.models import Run, Stage
from curriculum.services import budget, deciding, runs, signers
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
from curriculum.views.writing_forms import BudgetForm

FORM = "curriculum/run_create.html"
FORM_PART = "curriculum/partials/_run_form.html"
PAGE = "curriculum/run_detail.html"
PART = "curriculum/partials/_run_now.html"


@require_http_methods(["GET", "POST"])
@reviewer
def run_create(request: HttpRequest) -> HttpResponse:
    """A POST with `choose` (a preset), `reread` (a domain) or `complete` (the skills that the
    ticked ones build on) makes nothing: it shows the form with what was typed so far, so that all
    of it works without a script.
    """
    if request.method == "GET":
        return _show_form(request, _preset_form(DEFAULT_PRESET, request.GET), DEFAULT_PRESET)
    preset = request.POST.get("choose") or request.POST.get("preset") or DEFAULT_PRESET
    if "choose" in request.POST:
        return _show_form(request, _preset_form(preset, request.POST), preset)
    if "reread" in request.POST:
        return _show_form(request, RunForm(initial=_typed(request.POST)), preset)
    if "complete" in request.POST:
        return _show_completed(request, preset)

    form = RunForm(request.POST)
    if form.is_valid():
        run = _create(request, form)
        if run is not None:
            messages.success(request, f"Created: {run}. Nothing has been asked of a model yet.")
            for said in filter(None, (_alone(run), form.lacking(), form.too_long())):
                messages.warning(request, said)
            return redirect(run)
    return _show_form(request, form, preset, status=422)


def _typed(said: QueryDict) -> dict[str, Any]:
    return {**said.dict(), "skills": said.getlist("skills")}


def _preset_form(preset: str, said: QueryDict | None = None) -> RunForm:
    """The numbers of the preset, and all else as it was typed."""
    typed = _typed(said) if said is not None else {}
    return RunForm(initial={**typed, **preset_numbers(preset), "preset": preset})


def _show_completed(request: HttpRequest, preset: str) -> HttpResponse:
    """The form as it was typed, with what the ticked skills build on ticked as well."""
    typed = _typed(request.POST)
    wanted = RunForm(initial=typed).completed()
    added = [key for key in wanted if key not in typed["skills"]]
    return _show_form(request, RunForm(initial={**typed, "skills": wanted}), preset, added=added)


def _create(request: HttpRequest, form: RunForm) -> Run | None:
    said = form.cleaned_data
    try:
        return runs.create(
            actor=person(request),
            name=said["name"],
            domain=said["domain"],
            teacher=said["teacher"],
            student=said["student"],
            settings=form.run_settings(),
            seed=said["seed"],
            autonomy=said["autonomy"],
            two_people=said["two_people"],
            skills=said["skills"],
        )
    except BadDomain as exc:
        form.add_error("domain", str(exc))
    except BadModel as exc:
        form.add_error("teacher", str(exc))
    except CurriculumError as exc:
        form.add_error(None, str(exc))
    return None


ALONE = (
    "There is only one approver here, who then cannot sign after approving items: "
    "an administrator can make another one."
)


def _alone(run: Run) -> str:
    """In a sentence, that the run's rule needs more approvers than there are; else empty."""
    return ALONE if run.two_people and signers.approvers(run).count() < 2 else ""


def _show_form(
    request: HttpRequest,
    form: RunForm,
    preset: str,
    *,
    status: int = 200,
    added: Sequence[str] = (),
) -> HttpResponse:
    presets = [(name, says, name == preset) for name, (says, _) in PRESETS.items()]
    alone = "" if signers.approvers(None).count() > 1 else ALONE
    context = {"form": form, "presets": presets, "alone": alone, "added": added}
    return show(request, FORM, FORM_PART, context, status=status)


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
    alone = _alone(run) if status == 200 else ""
    if alone:
        messages.warning(request, alone)
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
