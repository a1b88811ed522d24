"""Domains of this installation, and adding one: file, columns of a table, a look, keeping it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from curriculum import engine
from curriculum.errors import CurriculumError
from curriculum.exports import domain_table, tabular
from curriculum.forms_domains import EXAMPLE, DomainMappingForm, DomainUploadForm
from curriculum.htmx import show
from curriculum.services import domains
from curriculum.views import uploaded
from curriculum.views.common import approver, first_error, person, viewer

LIST = "curriculum/domain_list.html"
LIST_PART = "curriculum/partials/_domain_list.html"
PAGE = "curriculum/domain_add.html"
PART = "curriculum/partials/_domain_add.html"
USE = "domain"


@require_GET
@viewer
def domain_list(request: HttpRequest) -> HttpResponse:
    rows = [(spec, label, engine.look_at_domain(spec)) for spec, label in engine.domains()]
    return show(request, LIST, LIST_PART, {"rows": rows})


@require_http_methods(["GET", "POST"])
@approver
def domain_add(request: HttpRequest) -> HttpResponse:
    """GET: choose a file. POST with a file: what it holds, or the columns of a table. POST with
    `look`: the same with those columns. POST with `add`: it is kept.
    """
    context: dict[str, Any] = {
        "form": DomainUploadForm(),
        "most": settings.IOA_UPLOAD_BYTES,
        "example": EXAMPLE,
    }
    if request.method == "GET":
        return show(request, PAGE, PART, context)
    try:
        step = _brought if "token" in request.POST else _uploaded
        return step(request, context)
    except CurriculumError as exc:
        context["says"] = str(exc)
        return show(request, PAGE, PART, context, status=exc.http_status)


def _uploaded(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    form = DomainUploadForm(request.POST, request.FILES)
    if not form.is_valid():
        context |= {"form": form, "says": first_error(form)}
        return show(request, PAGE, PART, context, status=422)
    said = form.cleaned_data
    path = uploaded.keep(said["file"])
    try:
        if _is_whole(path):
            context["found"] = domains.look(path, name=said["name"])
        else:
            columns = tabular.columns(path)
            guessed = domain_table.guess(columns)
            context["mapping"] = DomainMappingForm(columns, initial=guessed)
    except CurriculumError:
        path.unlink()
        raise
    context |= {
        "token": uploaded.token(request, path, str(said["file"].name), USE),
        "file_name": str(said["file"].name)[:200],
        "name": said["name"],
        "title": said["title"],
    }
    return show(request, PAGE, PART, context)


def _brought(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    path, file_name = uploaded.kept(request, USE)
    given: dict[str, Any] = {
        "name": request.POST.get("domain_name", ""),
        "title": request.POST.get("domain_title", "")[:160],
    }
    context |= {**given, "token": request.POST["token"], "file_name": file_name}
    if not _is_whole(path):
        form = DomainMappingForm(tabular.columns(path), request.POST)
        context["mapping"] = form
        if not form.is_valid():
            context["says"] = first_error(form)
            return show(request, PAGE, PART, context, status=422)
        given |= {"columns": form.columns(), "skill": form.cleaned_data["all_skill"]}
    if "add" not in request.POST:
        context["found"] = domains.look(path, **given)
        return show(request, PAGE, PART, context)
    try:
        spec = domains.add(path, actor=person(request), **given)
    except domains.DomainRefused as exc:
        context |= {"says": str(exc), "found": domains.look(path, **given)}
        return show(request, PAGE, PART, context, status=exc.http_status)
    path.unlink(missing_ok=True)
    messages.success(request, f"Added: {spec}. A run can be made of it now.")
    return redirect("curriculum:domain-list")


def _is_whole(path: Path) -> bool:
    """Whether the file says all of a domain itself: YAML, or JSON Lines that name one."""
    if path.suffix in (".yaml", ".yml"):
        return True
    if path.suffix != ".jsonl":
        return False
    columns = tabular.columns(path)
    return "domain" in columns or ("id" in columns and "skill" in columns)
