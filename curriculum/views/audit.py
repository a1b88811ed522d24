from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from curriculum.errors import ChainBroken
from curriculum.htmx import show
from curriculum.models import AuditEntry, Run
from curriculum.services import audit
from curriculum.states import ActorKind
from curriculum.views.common import find_run

PAGE = "curriculum/audit.html"
PART = "curriculum/partials/_audit.html"
SHOWN = 50  # entries a page


@require_GET
@login_required
def run_audit(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    context = _context(request, run)
    if "verify" in request.GET:
        context["verified"] = _verify(run)
    return show(request, PAGE, PART, context)


def _context(request: HttpRequest, run: Run) -> dict[str, Any]:
    everything = AuditEntry.objects.filter(run=run)
    said = {name: request.GET.get(name, "") for name in ("action", "kind", "actor")}
    found = everything.select_related("actor").order_by("-sequence")
    if said["action"] in audit.ACTIONS:
        found = found.filter(action=said["action"])
    if said["kind"] in ActorKind.values:
        found = found.filter(actor_kind=said["kind"])
    if said["actor"]:
        found = found.filter(actor_name=said["actor"])
    page = Paginator(found, SHOWN).get_page(request.GET.get("page"))
    names = everything.filter(actor_kind=ActorKind.PERSON).order_by("actor_name")
    used = set(everything.order_by().values_list("action", flat=True).distinct())
    return {
        "run": run,
        "page": page,
        "rows": [(entry, audit.ACTIONS.get(entry.action, entry.action)) for entry in page],
        "actions": [(name, label) for name, label in audit.ACTIONS.items() if name in used],
        "kinds": ActorKind.choices,
        "names": list(names.values_list("actor_name", flat=True).distinct()),
        "said": said,
        "tab": "audit",
    }


def _verify(run: Run) -> dict[str, Any]:
    try:
        n, head = audit.verify(run)
    except ChainBroken as exc:
        return {"is_whole": False, "says": str(exc)}
    return {"is_whole": True, "n": n, "head": head}
