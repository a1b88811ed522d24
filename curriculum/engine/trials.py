"""Testing an edge by throw-away trainings: what it costs, and what it says."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from django.db.models import Sum

from curriculum.engine.describe import find_student, home, load_domain, settings_of
from curriculum.errors import BadDomain
from curriculum.models import Checkpoint, Prerequisite
from distill.backends.base import Beat
from distill.errors import DomainError
from distill.identifier import trials
from distill.identifier.trials import Trial, plan_trial


@dataclass(frozen=True, slots=True)
class TrialCost:
    """What a test would take; `seconds` of training is None where nobody has timed any yet."""

    sentence: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Tested:
    strength: float | None  # None: not enough to say
    n: int  # probes behind it
    says: str


def trial_cost(edge: Prerequisite, steps: int) -> TrialCost:
    """Raises `BadDomain`, with a sentence, where the edge cannot be tested. Trains nothing."""
    cost = _planned(edge, steps).cost
    timed = Checkpoint.objects.filter(run__student=edge.run.student, seconds__gt=0)
    spent = timed.aggregate(tokens=Sum("train_tokens"), seconds=Sum("seconds"))
    pace = spent["tokens"] / spent["seconds"] if spent["tokens"] else None
    return TrialCost(cost.sentence, cost.tokens / pace if pace else None)


def run_trial(edge: Prerequisite, steps: int, *, name: str, beat: Beat) -> Tested:
    """Train, ask, compare, throw away. Called again under the same `name` after it was
    interrupted, it goes on with what is trained; what other names left behind is removed.
    """
    run = edge.run
    trial = _planned(edge, steps)
    now = run.checkpoints.get(is_current=True)
    folder = home() / "runs" / str(run.pk) / "trials"
    for left in folder.glob("*"):  # one test of a run at a time
        if left.name != name:
            shutil.rmtree(left, ignore_errors=True)
    (folder / name).mkdir(parents=True, exist_ok=True)
    tested = trials.run_trial(
        trial,
        find_student(run.student),
        parent=home() / now.folder if now.folder else None,
        work=folder / name,
        settings=settings_of(run),
        beat=beat,
    )
    evidence = tested.evidence
    return Tested(evidence.strength, evidence.n, evidence.says)


def _planned(edge: Prerequisite, steps: int) -> Trial:
    run = edge.run
    try:
        return plan_trial(
            load_domain(run.domain),
            edge.source.key,
            edge.target.key,
            steps=steps,
            settings=settings_of(run),
            seed=run.seed,
        )
    except DomainError as exc:
        raise BadDomain(str(exc)) from exc
