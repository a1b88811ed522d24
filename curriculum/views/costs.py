from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from curriculum import figures
from curriculum.htmx import show
from curriculum.views import cost_reads
from curriculum.views.common import find_run, viewer

PAGE = "curriculum/costs.html"
PART = "curriculum/partials/_costs.html"


@require_GET
@viewer
def run_costs(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    found = cost_reads.costs(run)
    has_items = found["total"].asked or found["total"].shown
    figure = figures.items(found["rows"]) if has_items else None
    return show(request, PAGE, PART, {"run": run, "tab": "costs", "figure": figure, **found})
