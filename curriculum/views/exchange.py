"""Data that goes out of a run and comes in, on pages. Downloads are streams; they write nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from curriculum import engine
from curriculum.errors import CurriculumError
from curriculum.exports import adapters, archive, card, items, package
from curriculum.exports.formats import FORMATS
from curriculum.exports.items import Choice
from curriculum.forms_exchange import ArchiveForm, ExportForm
from curriculum.htmx import show
from curriculum.models import Checkpoint, Imported, Run, Snapshot
from curriculum.services import archives
from curriculum.states import VERDICTS
from curriculum.views.common import approver, find_run, first_error, person, viewer

PAGE = "curriculum/export.html"
PART = "curriculum/partials/_export.html"
BRING = "curriculum/archive_import.html"
BRING_PART = "curriculum/partials/_archive_import.html"


@require_GET
@viewer
def run_export(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    return show(request, PAGE, PART, _context(run, ExportForm(run)))


def _context(run: Run, form: ExportForm, says: str = "") -> dict[str, Any]:
    trained = run.checkpoints.exclude(folder="").select_related("stage", "snapshot")
    return {
        "run": run,
        "form": form,
        "says": says,
        "n_approved": items.approved(run).count(),
        "checkpoints": trained.order_by("pk"),
        "licences": card.LICENCES.items(),
        "imported": Imported.objects.filter(run=run).select_related("by").first(),
        "tab": "export",
    }


@require_GET
@viewer
def run_dataset(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The data set as a zip; without the licence, or with a wrong word, the page and why."""
    run = find_run(pk)
    form = ExportForm(run, request.GET)
    if not form.is_valid():
        context = _context(run, form, first_error(form))
        return show(request, PAGE, PART, context, status=422)
    said = form.cleaned_data
    format = FORMATS[said["format"]]
    files = package.dataset(_choice(run, said), format, licence=said["licence"])
    name = f"{card.slug(run)}-{format.name}"
    return _download(package.zipped(files, folder=name), f"{name}.zip")


def _choice(run: Run, said: dict[str, Any]) -> Choice:
    if said["what"].isdigit():
        snapshots = Snapshot.objects.select_related("stage__run").filter(stage__run=run)
        return items.frozen(get_object_or_404(snapshots, pk=int(said["what"])))
    verdict = VERDICTS[said["what"]]
    return items.chosen(run, verdict=verdict, stage=said["stage"], skill=said["skill"])


@require_GET
@viewer
def checkpoint_adapter(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = Checkpoint.objects.select_related("run", "stage", "snapshot")
    checkpoint = get_object_or_404(found, pk=pk)
    run, licence = checkpoint.run, request.GET.get("licence", "")
    if licence not in card.LICENCES:
        says = "Choose the licence of the adapter, or that it is not decided."
        return show(request, PAGE, PART, _context(run, ExportForm(run), says), status=422)
    try:
        files = adapters.adapter(checkpoint, licence=licence)
    except CurriculumError as exc:
        context = _context(run, ExportForm(run), str(exc))
        return show(request, PAGE, PART, context, status=exc.http_status)
    name = f"{card.slug(run)}-checkpoint-{checkpoint.pk}"
    return _download(package.zipped(files, folder=name), f"{name}.zip")


@require_GET
@viewer
def run_archive_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The whole run as one file. It is made before it is sent, as its hashes stand in front."""
    run = find_run(pk)
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (the response closes it)
    try:
        archive.write(run, file, adapters="adapters" in request.GET)  # type: ignore[arg-type]
    except CurriculumError as exc:
        file.close()
        context = _context(run, ExportForm(run), str(exc))
        return show(request, PAGE, PART, context, status=exc.http_status)
    file.seek(0)
    name = f"{card.slug(run)}.ioa.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


@require_GET
@approver
def run_domain_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The domain as a file. For approvers: it holds the probes that are opened at the end."""
    run = find_run(pk)
    try:
        text = engine.domain_file(run)
    except CurriculumError as exc:
        context = _context(run, ExportForm(run), str(exc))
        return show(request, PAGE, PART, context, status=exc.http_status)
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{card.slug(run)}.yaml"'
    return response


@require_http_methods(["GET", "POST"])
@approver
def archive_import(request: HttpRequest) -> HttpResponse:
    """A form with a file; a POST takes the file in whole, or says why not."""
    form = ArchiveForm(request.POST or None, request.FILES or None)
    context = {"form": form, "says": "", "most": settings.IOA_UPLOAD_BYTES}
    if request.method == "GET":
        return show(request, BRING, BRING_PART, context)
    if not form.is_valid():
        return show(request, BRING, BRING_PART, {**context, "says": first_error(form)}, status=422)
    file = form.cleaned_data["file"]
    try:
        run = archives.import_archive(file, actor=person(request), name=file.name)
    except CurriculumError as exc:
        context["says"] = str(exc)
        return show(request, BRING, BRING_PART, context, status=exc.http_status)
    messages.success(
        request, f"Imported: {run}. Its log is whole: {run.audit_sequence} entries verified."
    )
    return redirect(run)


def _download(chunks: Iterator[bytes], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(chunks, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
