"""The form for a new run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from curriculum.errors import BadDomain, BadModel, CurriculumError
from curriculum.forms import DEFAULT_PRESET, PRESETS, RunForm, preset_numbers
from curriculum.htmx import show
from curriculum.models import Run
from curriculum.services import runs, signers
from curriculum.views.common import person, reviewer

PAGE = "curriculum/run_create.html"
PART = "curriculum/partials/_run_form.html"
ALONE = (
    "There is only one approver here, who then cannot sign after approving items: "
    "an administrator can make another one."
)


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
            for said in filter(None, (alone(run), form.lacking(), form.too_long())):
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


def alone(run: Run) -> str:
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
    context = {
        "form": form,
        "presets": presets,
        "alone": "" if signers.approvers(None).count() > 1 else ALONE,
        "added": added,
    }
    return show(request, PAGE, PART, context, status=status)
