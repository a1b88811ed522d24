"""The runs that a person sees, a page at a time, and what the bar above every page counts."""

from __future__ import annotations

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from curriculum.htmx import show
from curriculum.models import Run
from curriculum.services import waiting
from curriculum.views import reads
from curriculum.views.common import anybody

LIST = "curriculum/run_list.html"
LIST_PART = "curriculum/partials/_run_table.html"
BAR = "partials/_bar_status.html"
SHOWN = 50  # runs a page
LONGEST_SEARCH = 200  # characters


@require_GET
@anybody
def run_list(request: HttpRequest) -> HttpResponse:
    is_archive, is_waiting = "archived" in request.GET, "waiting" in request.GET
    words = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_SEARCH]
    found = matching(reads.runs_seen_by(request.user), words)
    if is_waiting:
        page, rows = None, reads.waiting_rows(request.user, found)
    else:
        found = found.filter(archived_at__isnull=not is_archive)
        page = Paginator(found, SHOWN).get_page(request.GET.get("page"))
        rows = [reads.run_row(run) for run in page]
    said = [pair for pair in (("archived", "1" * is_archive), ("q", words)) if pair[1]]
    context = {
        "page": page,
        "rows": rows,
        "words": words,
        "query": f"{urlencode(said)}&" if said else "",
        "for_me": reads.runs_for(request.user, rows),
        "since": waiting.since(row.run for row in rows) if is_waiting else {},
        "is_waiting": is_waiting,
        "is_archive": is_archive,
    }
    return show(request, LIST, LIST_PART, context)


def matching(runs: QuerySet[Run], words: str) -> QuerySet[Run]:
    """Those in whose name, domain, teacher or student all of the words stand."""
    for word in words.split():
        named = Q(name__icontains=word) | Q(domain__icontains=word)
        runs = runs.filter(named | Q(teacher__icontains=word) | Q(student__icontains=word))
    return runs


@require_GET
def bar(request: HttpRequest) -> HttpResponse:
    """The counts of the top bar, which every page asks for now and then. To who is not logged in
    any more it has nothing to say: a login page would take away what they are writing.
    """
    if not request.user.is_authenticated:
        return HttpResponse(status=204)
    return render(request, BAR, {"bar": reads.bar(request.user)})
