"""The rest of a curriculum, planned again from what was measured since: proposed, or by policy."""

from __future__ import annotations

from django.db import transaction

from curriculum import engine
from curriculum.errors import Overtaken
from curriculum.models import AuditEntry, Run, Stage
from curriculum.services import audit, jobs, plan, planned
from curriculum.services.audit import Actor, require
from curriculum.states import SETTLED, JobKind, RunStatus

_BY_HAND = ["skill.moved", "stage.split", "stage.merged", "stage.reordered", "stage.restored"]
_PLANNED = [f"run.{RunStatus.REVIEWING_CURRICULUM}", "run.replanned", "run.rest_replanned"]


def proposal(run: Run) -> engine.Rest | None:
    """How what has not begun would be planned now; None where that changes nothing, or where a
    person has kept the plan in the face of the same measurement.
    """
    if not run.goes_on_in(RunStatus.TEACHING) or run.jobs.filter(kind=JobKind.REPORT).exists():
        return None
    rest = engine.plan_rest(run)
    if rest is None:
        return None
    kept = AuditEntry.objects.filter(run=run, action="run.rest_kept")
    return None if kept.filter(evidence__checkpoint=rest.checkpoint).exists() else rest


def is_changed_by_hand(run: Run) -> bool:
    """Whether a person has changed the plan since it was planned last: then policy leaves it."""
    entries = AuditEntry.objects.filter(run=run, action__in=[*_BY_HAND, *_PLANNED])
    last = entries.order_by("sequence").last()
    return last is not None and last.action in _BY_HAND


@transaction.atomic
def accept(run: Run, *, actor: Actor, seen: str) -> Run:
    """Replace the stages that have not begun by those proposed; `seen` is the proposal's digest.

    Where none is left, teaching is done, and the report is written.
    """
    rest = _seen(run, seen)
    was = {"stages": planned.stages_of(run)}
    plan.replace_rest(run, rest)
    audit.write(
        run,
        actor=actor,
        action="run.rest_replanned",
        subject=run,
        was=was,
        became={"stages": planned.stages_of(run)},
        evidence={"checkpoint": rest.checkpoint, "measured": rest.measured, "left": rest.left},
        seen=RunStatus.TEACHING,
    )
    if not Stage.objects.filter(run=run).exclude(status__in=SETTLED).exists():
        jobs.create(run, actor=actor, kind=JobKind.REPORT)
    run.refresh_from_db()
    return run


@transaction.atomic
def keep(run: Run, *, actor: Actor, seen: str) -> Run:
    """Leave the plan as it is: the same measurement proposes nothing any more."""
    rest = _seen(run, seen)
    stages = planned.stages_of(run)
    proposed = stages[: rest.n_kept] + [{"title": s[0], "skills": s[3]} for s in rest.stages]
    audit.write(
        run,
        actor=actor,
        action="run.rest_kept",
        subject=run,
        evidence={
            "checkpoint": rest.checkpoint,
            "measured": rest.measured,
            "stages": stages,
            "proposed": proposed,
        },
        seen=RunStatus.TEACHING,
    )
    return run


def _seen(run: Run, digest: str) -> engine.Rest:
    """The proposal, if it still is the one on the person's screen."""
    require(run, RunStatus.TEACHING, what="What is left can be planned again")
    rest = proposal(run)
    if rest is None or rest.digest != digest:
        raise Overtaken("What was measured, or the plan,")
    return rest
