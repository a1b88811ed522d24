"""How much a run may spend, and that it can be raised while it goes on."""

from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.errors import BadSettings, NothingChanged, Overtaken, RunOver
from curriculum.models import AuditEntry, Item, Run
from curriculum.services import budget, jobs, stages
from curriculum.views import reads
from distill.errors import BudgetSpent
from tests.curriculum.small import ITEMS, fail, work, writing_by
from tests.factories import CheckpointFactory, RunFactory, SnapshotFactory, StageFactory

pytestmark = pytest.mark.django_db


def bounded(**traits):
    run = RunFactory(**traits)
    run.settings["writing"]["teacher_tokens"] = 1000
    run.save()
    return run


def test_a_budget_is_raised_and_the_log_says_from_what(approver):
    run = bounded()

    budget.raise_to(run, actor=approver, items=5000, teacher_tokens=2000)

    run = Run.objects.get()
    assert run.settings["budget"]["items"] == 5000
    assert run.settings["writing"]["teacher_tokens"] == 2000
    entry = AuditEntry.objects.get(action="run.budget")
    assert entry.was == {"items": 3000, "teacher_tokens": 1000}
    assert entry.became == {"items": 5000, "teacher_tokens": 2000}


def test_one_of_them_alone_leaves_the_other(approver):
    run = bounded()

    budget.raise_to(run, actor=approver, items=None, teacher_tokens=2000)

    assert Run.objects.get().settings["budget"]["items"] == 3000
    assert AuditEntry.objects.get().was == {"teacher_tokens": 1000}


@pytest.mark.parametrize("bounds", [{"items": 2999}, {"teacher_tokens": 1}, {"items": 0}])
def test_it_is_never_lowered(approver, bounds):
    with pytest.raises(BadSettings, match="only be raised"):
        budget.raise_to(bounded(), actor=approver, **bounds)

    assert not AuditEntry.objects.exists()


def test_what_an_earlier_version_did_not_have_stays_as_it_was(approver):
    run = RunFactory()
    del run.settings["probing"]["teacher_answer_tokens"], run.settings["lora"]["average"]
    run.save()

    budget.raise_to(run, actor=approver, items=5000, teacher_tokens=None)

    kept = Run.objects.get().settings
    assert kept["probing"]["teacher_answer_tokens"] is None
    assert kept["lora"]["average"] is None


def test_what_has_no_bound_is_not_given_one(approver):
    with pytest.raises(BadSettings, match="no bound"):
        budget.raise_to(RunFactory(), actor=approver, teacher_tokens=10**9)


@pytest.mark.parametrize("bounds", [{}, {"items": None}, {"items": 3000}])
def test_as_it_is_already_is_no_change(approver, bounds):
    with pytest.raises(NothingChanged):
        budget.raise_to(bounded(), actor=approver, **bounds)


def test_who_has_seen_another_budget_is_told_to_look_again(approver):
    run = bounded()
    seen = Run.objects.get()
    budget.raise_to(run, actor=approver, items=5000)

    with pytest.raises(Overtaken):
        budget.raise_to(seen, actor=approver, items=4000)

    assert Run.objects.get().settings["budget"]["items"] == 5000
    assert AuditEntry.objects.count() == 1


def test_a_run_that_is_over_spends_nothing_more(approver):
    with pytest.raises(RunOver):
        budget.raise_to(bounded(stopped=True), actor=approver, items=5000)


def test_a_job_that_stopped_at_the_bound_goes_on_when_it_is_raised(approver, teacher, server):
    stage = writing_by(approver, teacher, teacher_tokens=1, items_per_request=4)
    job = fail(stage.run, BudgetSpent, "Raise the budget")
    asked = len(server.asked)

    stage.run.refresh_from_db()
    budget.raise_to(stage.run, actor=approver, teacher_tokens=10**6)
    jobs.retry(job, actor=approver)
    work(stage.run)

    assert asked
    assert Item.objects.filter(stage=stage).count() == ITEMS


def test_what_was_frozen_and_never_trained_on_is_not_spent_once_it_is_rolled_back(approver):
    stage = StageFactory(training=True, skills=["A1"])
    base = CheckpointFactory(run=stage.run)
    SnapshotFactory(stage=stage, n_items=500)
    assert budget.items_spent(stage.run)[0] == 500

    stage = stages.roll_back(stage, actor=approver, round=0, reason="it fails every time")

    assert budget.items_spent(stage.run)[0] == reads.cost(stage.run)["items"] == 0
    assert engine.spent_before(stage) == 0

    again = SnapshotFactory(stage=stage, n_items=300)
    CheckpointFactory(run=stage.run, parent=base, stage=stage, snapshot=again, is_current=False)
    stage.round, stage.first_round = 2, 2
    stage.save()
    assert budget.items_spent(stage.run)[0] == 300
    assert engine.spent_before(stage) == pytest.approx(300 / 3000)
