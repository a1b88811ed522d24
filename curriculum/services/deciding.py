"""Who decides in a run: how much policy may, and whether one person alone may sign a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from curriculum.errors import BadSettings, Overtaken, SecondPersonNeeded
from curriculum.models import Run
from curriculum.services import audit, policy, signers
from curriculum.services.audit import Actor
from curriculum.states import SETTLED, Autonomy, StageStatus


@transaction.atomic
def set_autonomy(run: Run, *, actor: Actor, autonomy: str) -> Run:
    """Change who decides from now on. What waits for a decision is decided at once, if policy
    may now decide it.
    """
    require_fitting(autonomy, two_people=run.two_people)
    audit.require_going(run)  # from here on no stage comes into review, or leaves it
    left = _left_to_policy(run) if autonomy != Autonomy.EVERY_GATE else {}
    _change(run, "autonomy", autonomy, actor=actor, action="run.autonomy", evidence=left)
    policy.act(run)
    run.refresh_from_db()
    return run


@transaction.atomic
def set_two_people(run: Run, *, actor: Actor, on: bool) -> Run:
    """Switch the two-person rule. Whom it keeps from a gate at the moment may not switch it off."""
    require_fitting(run.autonomy, two_people=on)
    was = run.two_people
    _change(run, "two_people", on, actor=actor, action="run.two_people")
    begun = run.stages.exclude(status__in=[*SETTLED, StageStatus.PLANNED]).first()
    if was and not on and begun is not None:
        part = signers.part_of(actor.user, begun)
        if part is not None:
            raise SecondPersonNeeded(
                f"You {part.did} in {begun}, and the two-person rule is about that: "
                "another approver may switch it off."
            )
    run.refresh_from_db()
    return run


def _left_to_policy(run: Run) -> dict[str, Any]:
    """The round in review, whose items policy decides from now on: see `signers`."""
    stage = run.stages.filter(status=StageStatus.REVIEWING).first()
    return {"reviewing": f"stage:{stage.pk}", "round": stage.round} if stage else {}


def require_fitting(autonomy: str, *, two_people: bool) -> None:
    """Raise `BadSettings` for an autonomy there is not, or one under which nobody would sign."""
    if autonomy not in Autonomy.values:
        raise BadSettings(f"There is no autonomy “{autonomy}”: {', '.join(Autonomy.values)}.")
    if two_people and autonomy == Autonomy.NONE:
        raise BadSettings(
            "Under the two-person rule people sign the gates, and on autopilot nobody does. "
            "Choose one of the two."
        )


def _change(
    run: Run,
    field: str,
    value: str | bool,
    *,
    actor: Actor,
    action: str,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Write the field, if both are as the caller saw them: each forbids a value of the other."""
    audit.require_going(run)
    audit.write(
        run,
        actor=actor,
        action=action,
        subject=run,
        was={field: getattr(run, field)},
        became={field: value},
        evidence=evidence,
    )
    seen = Run.objects.filter(pk=run.pk, autonomy=run.autonomy, two_people=run.two_people)
    if not seen.update(**{field: value}):
        raise Overtaken("This run")
