"""How much of what a run may use is used: rounds of a stage, items of the run."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.errors import BadSettings, BudgetSpent, NothingChanged, Overtaken
from curriculum.models import Run, Snapshot, Stage
from curriculum.services import audit
from curriculum.services.audit import Actor

BOUNDS: dict[str, tuple[str, str]] = {  # what can be raised -> where it lives in the settings
    "items": ("budget", "items"),
    "teacher_tokens": ("writing", "teacher_tokens"),
}


@transaction.atomic
def raise_to(run: Run, *, actor: Actor, **bounds: int | None) -> Run:
    """Let the run spend more: `items` trained on, `teacher_tokens` read and written for items.

    None leaves a bound as it is. Only upwards: what was spent stays spent, and work that the old
    bound allowed may be under way. A job that stopped at a bound goes on when it is retried.
    """
    audit.require_going(run)
    was = {name: _bound(run.settings, name) for name in BOUNDS}
    became = {name: value for name, value in bounds.items() if value not in (None, was[name])}
    if not became:
        raise NothingChanged("This is the budget as it is")
    for name, value in became.items():
        _require_more(name, was[name], value)
    settings = {group: dict(values) for group, values in run.settings.items()}
    for name, value in became.items():
        group, key = BOUNDS[name]
        settings[group][key] = value
    audit.write(
        run,
        actor=actor,
        action="run.budget",
        subject=run,
        was={name: was[name] for name in became},
        became=became,
    )
    # Other writers of the run wait from here on, so that what is read now stays true.
    if Run.objects.values_list("settings", flat=True).get(pk=run.pk) != run.settings:
        raise Overtaken("The budget")
    Run.objects.filter(pk=run.pk).update(settings=engine.clean_settings(settings, is_kept=True))
    run.refresh_from_db()
    return run


def _require_more(name: str, was: int | None, value: int | None) -> None:
    what = name.replace("_", " ")
    if was is None:
        raise BadSettings(f"There is no bound on {what}: that cannot be raised.")
    if value is None or value < was:
        raise BadSettings(f"A budget can only be raised: {what} stand at {was:,}.")


def _bound(settings: dict[str, Any], name: str) -> int | None:
    group, key = BOUNDS[name]
    value = settings.get(group, {}).get(key)
    return None if value is None else int(value)


def rounds_cap(stage: Stage) -> int:
    """How many rounds a stage may have since it was last begun."""
    return int(stage.run.settings["budget"]["rounds_cap"])


def items_spent(run: Run) -> tuple[int, int]:
    """Items trained on or frozen so far, rehearsal included, and how many the run may train on."""
    spent = Snapshot.objects.filter(stage__run=run).spent().n_items()
    return spent, int(run.settings["budget"]["items"])


def require_items(run: Run) -> None:
    """Raise `BudgetSpent` when another round would have nothing to train on."""
    spent, budget = items_spent(run)
    if spent >= budget:
        raise BudgetSpent(spent, budget)
