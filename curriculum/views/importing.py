"""Items from a file, in three steps that work without a script: file, columns, import.

Between the steps the file lies where `uploaded` keeps it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from curriculum.errors import CurriculumError, WrongMoment
from curriculum.exports import mapping, tabular
from curriculum.forms_exchange import MappingForm, UploadForm
from curriculum.htmx import show
from curriculum.models import Run, Stage
from curriculum.numbers import number
from curriculum.services import exchange
from curriculum.states import StageStatus
from curriculum.views import uploaded
from curriculum.views.common import find_run, first_error, person, reviewer

PAGE = "curriculum/import.html"
PART = "curriculum/partials/_import.html"
USE = "items"


@require_http_methods(["GET", "POST"])
@reviewer
def run_import(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: choose a file. POST with a file: its columns. POST with `look`: a dry run. POST with
    `import`: the import itself, after which the queue is shown.
    """
    run = find_run(pk)
    stage = run.stages.filter(status=StageStatus.REVIEWING).first()
    context: dict[str, Any] = {
        "run": run,
        "stage": stage,
        "form": UploadForm(),
        "most": settings.IOA_UPLOAD_BYTES,
        "most_rows": settings.IOA_IMPORT_ROWS,
        "tab": "export",
    }
    if request.method == "GET":
        return show(request, PAGE, PART, context)
    try:
        if stage is None or run.is_over:
            now = run.get_status_display()
            raise WrongMoment("Items can be imported", "items of a stage are in review", now)
        if "token" in request.POST:
            return _mapped(request, run, stage, context)
        return _uploaded(request, stage, context)
    except CurriculumError as exc:
        context["says"] = str(exc)
        return show(request, PAGE, PART, context, status=exc.http_status)


def _uploaded(request: HttpRequest, stage: Stage, context: dict[str, Any]) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        context |= {"form": form, "says": first_error(form)}
        return show(request, PAGE, PART, context, status=422)
    file = form.cleaned_data["file"]
    path = uploaded.keep(file)
    try:
        columns = tabular.columns(path)
    except CurriculumError:
        path.unlink()
        raise
    context |= {
        "token": uploaded.token(request, path, str(file.name), USE),
        "file_name": str(file.name)[:200],
        "mapping": MappingForm(stage, columns, initial=mapping.guess(columns)),
    }
    return show(request, PAGE, PART, context)


def _mapped(request: HttpRequest, run: Run, stage: Stage, context: dict[str, Any]) -> HttpResponse:
    path, name = uploaded.kept(request, USE)
    columns = tabular.columns(path)
    form = MappingForm(stage, columns, request.POST)
    context |= {"token": request.POST["token"], "file_name": name, "mapping": form}
    if not form.is_valid():
        context["says"] = first_error(form)
        return show(request, PAGE, PART, context, status=422)
    chosen, skill = form.columns(), form.cleaned_data["all_skill"]
    if "import" not in request.POST:
        context["found"], context["first"] = exchange.try_items(stage, path, chosen, skill=skill)
        return show(request, PAGE, PART, context)
    asked = number(request.POST.get("round"))
    try:
        found = exchange.import_items(
            stage,
            path,
            chosen,
            actor=person(request),
            round=-1 if asked is None else asked,
            name=name,
            skill=skill,
        )
    except exchange.ImportRefused as exc:
        context["says"] = str(exc)
        context["found"], _ = exchange.try_items(stage, path, chosen, skill=skill)
        return show(request, PAGE, PART, context, status=exc.http_status)
    path.unlink(missing_ok=True)
    items = "1 item waits" if found.n == 1 else f"{found.n} items wait"
    messages.success(request, f"Imported: {items} for a verdict, {found.flagged} of them flagged.")
    return redirect("curriculum:stage-review", stage.pk)
