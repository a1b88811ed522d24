"""Testing a prerequisite by throw-away trainings, while people review the diagnosis."""

from __future__ import annotations

from django.db import transaction

from curriculum import engine
from curriculum.errors import BadSettings
from curriculum.models import Evidence, Job, Prerequisite
from curriculum.services import audit, jobs, results
from curriculum.services.audit import Actor, require
from curriculum.states import JobKind, RunStatus

MOST_STEPS = 500  # of each of the three trainings


@transaction.atomic
def begin(edge: Prerequisite, *, actor: Actor, steps: int) -> Job:
    """Have the edge tested by three trainings of so many steps. A refused edge may be tested too:
    people may think again.
    """
    if not 1 <= steps <= MOST_STEPS:
        raise BadSettings(f"A test takes 1 to {MOST_STEPS} steps.")
    require(edge.run, RunStatus.REVIEWING_DIAGNOSIS, what="A prerequisite can be tested")
    cost = engine.trial_cost(edge, steps)
    asked = {"edge": edge.pk, "steps": steps, "cost": cost.sentence}
    return jobs.create_aside(edge.run, actor=actor, kind=JobKind.TRIAL, asked=asked)


@transaction.atomic
def tested(edge: Prerequisite, *, actor: Actor, found: engine.Tested) -> Evidence:
    """Put on record what the test said. It outweighs what is declared or was observed; a person's
    word outweighs it.
    """
    require(edge.run, RunStatus.REVIEWING_DIAGNOSIS, what="A test counts")
    row = Evidence.objects.create(
        prerequisite=edge,
        kind="tested",
        strength=found.strength,
        n=found.n,
        reason=engine.storable(found.says),
    )
    results.keep_severities(edge.run)
    audit.write(
        edge.run,
        actor=actor,
        action="edge.tested",
        subject=edge,
        became={"evidence": "tested", "strength": found.strength, "n": found.n},
        note=row.reason,
    )
    return row
