"""Several people, or workers, at the same moment: one wins, the others are told."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import connection

from curriculum.errors import Overtaken
from curriculum.models import AuditEntry, GateRecord, Item, Job, Review, Run, Snapshot, Stage
from curriculum.services import audit, chain, gates, items, jobs, stages
from curriculum.services.audit import Actor
from tests.factories import GateFactory, ItemFactory, JobFactory, RunFactory, StageFactory

# On SQLite the threads get a copy (`at_once`); elsewhere they have to see what is committed.
pytestmark = pytest.mark.django_db(transaction=connection.vendor != "sqlite")
N = 16


def won_and_lost(results):
    lost = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(result, Overtaken) for result in lost), lost
    return len(results) - len(lost), len(lost)


def test_sixteen_writers_leave_one_chain_without_a_gap(at_once):
    run = RunFactory()
    write = partial(audit.write, run, actor=Actor.worker(), action="run.created", subject=run)

    results = at_once([write] * N)

    assert sorted(entry.sequence for entry in results) == list(range(1, N + 1))
    assert at_once([lambda: audit.verify(run)])[0][0] == N


@pytest.mark.slow
def test_sixteen_writers_of_ten_thousand_entries_leave_one_unbroken_chain(at_once):
    run, each = RunFactory(), 10_000 // N

    def write():
        given = {"actor": Actor.worker(), "action": "run.created", "subject": run}
        return [audit.write(Run(pk=run.pk), **given).sequence for _ in range(each)]

    results = at_once([write] * N)

    assert sorted(n for written in results for n in written) == list(range(1, N * each + 1))
    assert at_once([lambda: audit.verify(run)])[0][0] == N * each == 10_000


@pytest.mark.slow
def test_sixteen_writers_of_the_house_begin_its_chain_once(at_once):
    def write():
        given = {"actor": Actor.worker(), "action": "account.added", "subject": "ada"}
        return [audit.write_house(**given).sequence for _ in range(20)]

    results = at_once([write] * N)

    assert sorted(n for written in results for n in written) == list(range(1, N * 20 + 1))
    assert at_once([lambda: audit.verify(chain.house())])[0][0] == N * 20


def test_of_two_approvals_of_an_item_one_wins(at_once, approver):
    pk = ItemFactory().pk

    def approve():
        return items.approve(Item.objects.get(pk=pk), actor=approver, version=1)

    assert won_and_lost(at_once([approve] * 2)) == (1, 1)
    assert at_once([lambda: (Review.objects.count(), AuditEntry.objects.count())]) == [(1, 1)]


def test_of_opposite_decisions_at_a_gate_one_wins(at_once, approver):
    pk = GateFactory(mastered=True).pk

    def decide(service):
        gate = GateRecord.objects.select_related("stage__run").get(pk=pk)
        return service(gate, actor=approver, round=0, reason="I looked")

    everyone = [partial(decide, s) for s in (gates.advance, gates.remedy, gates.waive)]

    assert won_and_lost(at_once(everyone)) == (1, 2)
    assert at_once([lambda: Job.objects.count()]) == [1]
    assert at_once([lambda: audit.verify(Run.objects.get())[0]]) == [2]


def test_of_two_trainings_of_a_round_one_is_queued(at_once, approver):
    stage = ItemFactory(approved=True).stage

    def train():
        return stages.train(Stage.objects.get(pk=stage.pk), actor=approver, round=0)

    results = at_once([train] * 2)

    assert sum(isinstance(result, Stage) for result in results) == 1
    assert at_once([lambda: (Job.objects.count(), Snapshot.objects.count())]) == [(1, 1)]


def test_two_stages_opened_at_once_are_one(at_once, approver):
    run = RunFactory(teaching=True)
    both = [StageFactory(run=run).pk for _ in range(2)]

    results = at_once(
        [lambda pk=pk: stages.open(Stage.objects.get(pk=pk), actor=approver) for pk in both]
    )

    assert sum(isinstance(result, Stage) for result in results) == 1
    assert at_once([lambda: Stage.objects.filter(status="writing").count()]) == [1]


def test_a_job_is_taken_by_one_worker(at_once):
    pk = JobFactory().pk

    assert won_and_lost(at_once([lambda: jobs.start(pk, 1)] * 4)) == (1, 3)


def test_cancelling_and_succeeding_at_once_end_the_job_once(at_once, approver):
    pk = JobFactory(running=True).pk

    results = at_once(
        [
            lambda: jobs.succeed(Job.objects.get(pk=pk)),
            lambda: jobs.cancel(Job.objects.get(pk=pk), actor=approver),
        ]
    )

    assert sum(isinstance(result, Job) for result in results) == 1
    assert at_once([lambda: AuditEntry.objects.count()]) == [1]
