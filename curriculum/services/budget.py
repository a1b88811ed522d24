"""How much of what a run may use is used: rounds of a stage, items of the run."""

from __future__ import annotations

from django.db.models import Sum

from curriculum.errors import BudgetSpent
from curriculum.models import Run, Snapshot, Stage


def rounds_cap(stage: Stage) -> int:
    """How many rounds a stage may have since it was last begun."""
    return int(stage.run.settings["budget"]["rounds_cap"])


def items_spent(run: Run) -> tuple[int, int]:
    """Items trained on so far, rehearsal included, and how many the run may train on."""
    spent = Snapshot.objects.filter(stage__run=run).aggregate(n=Sum("n_items"))["n"] or 0
    return spent, int(run.settings["budget"]["items"])


def require_items(run: Run) -> None:
    """Raise `BudgetSpent` when another round would have nothing to train on."""
    spent, budget = items_spent(run)
    if spent >= budget:
        raise BudgetSpent(spent, budget)
