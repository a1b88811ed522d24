from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from curriculum.errors import ChainBroken
from curriculum.htmx import show
from curriculum.models import Run
from curriculum.services import audit, chain
from curriculum.services.chain import Owner
from curriculum.views import audit_reads
from curriculum.views.common import admin, find_run, viewer

PAGE = "curriculum/audit.html"
PART = "curriculum/partials/_audit.html"


@require_GET
@viewer
def run_audit(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, find_run(pk))


@require_GET
@viewer
def run_audit_export(request: HttpRequest, pk: int) -> HttpResponseBase:
    return _export(find_run(pk))


@require_GET
@admin
def house_audit(request: HttpRequest) -> HttpResponse:
    return _show(request, chain.house())


@require_GET
@admin
def house_audit_export(request: HttpRequest) -> HttpResponseBase:
    return _export(chain.house())


def _show(request: HttpRequest, owner: Owner) -> HttpResponse:
    chosen = audit_reads.Filter.of(request.GET)
    context = {
        "run": owner if isinstance(owner, Run) else None,
        "owner": owner,
        "here": request.path,
        "page": audit_reads.page(owner, chosen, request.GET),
        "said": chosen,
        "is_filtered": bool(chosen.query()),
        "verified": _verify(owner) if "verify" in request.GET else None,
        "tab": "audit",
        **audit_reads.choices(owner),
    }
    return show(request, PAGE, PART, context)


def _verify(owner: Owner) -> dict[str, Any]:
    try:
        n, head = audit.verify(owner)
    except ChainBroken as exc:
        return {"is_whole": False, "says": str(exc)}
    return {"is_whole": True, "n": n, "head": head}


def _export(owner: Owner) -> StreamingHttpResponse:
    response = StreamingHttpResponse(chain.export(owner), content_type="application/jsonl")
    name = chain.name_of_chain(owner).replace(":", "-")
    response["Content-Disposition"] = f'attachment; filename="audit-{name}.jsonl"'
    return response
