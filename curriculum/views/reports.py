from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from curriculum import engine, figures
from curriculum.htmx import show
from curriculum.models import AuditEntry, GateRecord, Item, Run, Score, Skill
from curriculum.services import audit, signers
from curriculum.states import ActorKind, RunStatus, SkillOutcome
from curriculum.views import reads
from curriculum.views.common import find_run, viewer
from curriculum.views.learning import learning

PAGE = "curriculum/report.html"
PART = "curriculum/partials/_report.html"


@dataclass(slots=True)
class ReportRow:
    """One skill before and after, beside its teacher, on final probes."""

    skill: Skill
    before: Score | None = None
    after: Score | None = None
    teacher: Score | None = None
    outcome: str = ""

    @property
    def outcome_label(self) -> str:
        return SkillOutcome(self.outcome).label

    @property
    def retained(self) -> float | None:
        if not self.after or not self.teacher or not self.teacher.mean:
            return None
        return self.after.mean / self.teacher.mean


@require_GET
@viewer
def run_report(request: HttpRequest, pk: int) -> HttpResponse:
    run = find_run(pk)
    return show(request, PAGE, PART, _context(run))


@require_GET
@viewer
def run_report_json(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as the worker wrote it, to keep beside the model, and where the log ends now."""
    run = find_run(pk)
    said = {**run.report, "audit": {"entries": run.audit_sequence, "head": run.audit_head}}
    response = JsonResponse(said, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="report-{run.pk}.json"'
    return response


def _context(run: Run) -> dict[str, Any]:
    rows = report_rows(run)
    measured = [row for row in rows if row.before and row.after]
    return {
        "run": run,
        "rows": rows,
        "measured": measured,
        "figure": figures.report(measured) if measured else None,
        "report": run.report,
        "learnt": learning(run),
        "mastery": engine.settings_of(run).thresholds.mastery,
        "is_finished": run.status == RunStatus.FINISHED,
        "cost": reads.cost(run),
        "signed": _signed(run),
        "waivers": GateRecord.objects.filter(stage__run=run, decision="waive").select_related(
            "stage", "decided_by"
        ),
        "by_people": _by_people(run),
        "n_edited": Item.objects.filter(stage__run=run, version__gt=1).count(),
        "student": run.checkpoints.filter(is_current=True).values_list("pk", flat=True).first(),
        "tab": "report",
    }


def _by_people(run: Run) -> list[dict[str, Any]]:
    """How often people did what, and to how many items where one act is of many. Two queries."""
    people = AuditEntry.objects.filter(run=run, actor_kind=ActorKind.PERSON).order_by()
    people = people.exclude(action__startswith="job.")  # what they decided, not what followed
    items: Counter[str] = Counter()
    of_many = people.filter(action__startswith="items.")
    for action, *said in of_many.values_list("action", "became__n", "was__n"):
        items[action] += next((n for n in said if isinstance(n, int)), 0)
    acts = people.values_list("action").annotate(n=Count("pk")).order_by("-n", "action")
    return [
        {"label": audit.ACTIONS.get(action, action), "n": n, "items": items[action]}
        for action, n in acts
    ]


def _signed(run: Run) -> list[tuple[GateRecord, list[signers.Part]]]:
    """Who let each stage pass, and who let through what it was trained on. Four queries."""
    passed = GateRecord.objects.filter(stage__run=run, decision__in=["advance", "waive"])
    gates = list(passed.select_related("stage", "decided_by").order_by("stage__position"))
    hands = signers.parts([gate.stage for gate in gates])
    return [(gate, hands[gate.stage_id]) for gate in gates]


def report_rows(run: Run) -> list[ReportRow]:
    """Skills with final scores: base, current student, teacher. Three queries."""
    rows = {skill.pk: ReportRow(skill) for skill in Skill.objects.filter(run=run)}
    scores = Score.objects.filter(skill__run=run, split="final").select_related("checkpoint")
    known = scores.filter(
        Q(checkpoint=None) | Q(checkpoint__parent=None) | Q(checkpoint__is_current=True)
    )
    for score in known:
        row = rows[score.skill_id]
        if score.checkpoint is None:
            row.teacher = score
        elif score.checkpoint.parent_id is None:
            row.before = score
        else:
            row.after = score
    outcomes = Skill.objects.filter(run=run, stage_skills__isnull=False).values_list(
        "pk", "stage_skills__outcome"
    )
    for pk, outcome in outcomes.order_by("stage_skills__stage__position"):
        rows[pk].outcome = outcome
    return sorted(rows.values(), key=lambda r: (r.skill.is_transfer, r.outcome == "", r.skill.pk))
