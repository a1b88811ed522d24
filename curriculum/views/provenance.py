"""Where an item, or a checkpoint, came from: as a page, as JSON and as W3C PROV-JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from curriculum.htmx import show
from curriculum.models import Checkpoint, Item
from curriculum.views import prov, provenance_reads
from curriculum.views.common import viewer

ITEM = ("curriculum/item_provenance.html", "curriculum/partials/_item_provenance.html")
CHECKPOINT = (
    "curriculum/checkpoint_provenance.html",
    "curriculum/partials/_checkpoint_provenance.html",
)
Json = dict[str, Any]


@require_GET
@viewer
def item_provenance(request: HttpRequest, pk: int) -> HttpResponse:
    """`?format=json` or `?format=prov` for programs."""
    found = Item.objects.select_related("stage__run", "skill", "call")
    item = get_object_or_404(found, pk=pk)
    said = provenance_reads.of_item(item)
    context = {"item": item, "stage": item.stage, "run": item.stage.run, "said": said}
    return _answer(request, said, prov.of_item, ITEM, context)


@require_GET
@viewer
def checkpoint_provenance(request: HttpRequest, pk: int) -> HttpResponse:
    """`?format=json` or `?format=prov` for programs."""
    found = Checkpoint.objects.select_related("run", "stage", "snapshot__stage", "parent")
    checkpoint = get_object_or_404(found, pk=pk)
    said = provenance_reads.of_checkpoint(checkpoint)
    context = {"checkpoint": checkpoint, "run": checkpoint.run, "said": said}
    return _answer(request, said, prov.of_checkpoint, CHECKPOINT, context)


def _answer(
    request: HttpRequest,
    said: Json,
    as_prov: Callable[[Json], Json],
    templates: tuple[str, str],
    context: Json,
) -> HttpResponse:
    match request.GET.get("format"):
        case "json":
            return _file(said, f"{said['kind']}-{said['id']}.json")
        case "prov":
            return _file(as_prov(said), f"{said['kind']}-{said['id']}.prov.json")
    return show(request, *templates, context)


def _file(content: Json, name: str) -> JsonResponse:
    response = JsonResponse(content, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'inline; filename="{name}"'
    return response
