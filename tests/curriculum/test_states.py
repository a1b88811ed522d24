"""Every pair of statuses: what the table allows is done and recorded, the rest leaves no trace."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Literal, get_args, get_type_hints

import pytest

from curriculum.api.exchange import export_items
from curriculum.api.item_schemas import ItemOut
from curriculum.api.items import list_items
from curriculum.errors import MoveRefused, Overtaken, RunOver
from curriculum.forms_exchange import WHAT
from curriculum.models import AuditEntry, Job, Run, Stage
from curriculum.services import audit, jobs, runs, stages
from curriculum.states import (
    JOB_MOVES,
    RUN_MOVES,
    SETTLED,
    STAGE_MOVES,
    VERDICTS,
    JobStatus,
    RunStatus,
    StageStatus,
)
from tests.factories import JobFactory, RunFactory, StageFactory

pytestmark = pytest.mark.django_db


def pairs(statuses):
    return list(itertools.product(statuses, statuses))


@pytest.mark.parametrize(("was", "to"), pairs(RunStatus))
def test_a_run_makes_the_moves_of_its_table_and_no_other(was, to, worker):
    run = RunFactory(status=was)

    if to in RUN_MOVES[was]:
        runs._move(run, to, actor=worker)
        assert Run.objects.get().status == to
        assert AuditEntry.objects.get().action == f"run.{to}"
    else:
        with pytest.raises((MoveRefused, RunOver)):
            runs._move(run, to, actor=worker)
        assert Run.objects.get().status == was
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("was", "to"), pairs(StageStatus))
def test_a_stage_makes_the_moves_of_its_table_and_no_other(was, to, worker):
    stage = StageFactory(status=was)

    if to in STAGE_MOVES[was]:
        stages.move(stage, to, actor=worker)
        assert Stage.objects.get().status == to
        assert AuditEntry.objects.get().action == f"stage.{to}"
    else:
        with pytest.raises(MoveRefused):
            stages.move(stage, to, actor=worker)
        assert Stage.objects.get().status == was
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(("was", "to"), pairs(JobStatus))
def test_a_job_makes_the_moves_of_its_table_and_no_other(was, to, worker):
    job = JobFactory(status=was)

    if to in JOB_MOVES[was]:
        jobs._move(job, to, actor=worker)
        assert Job.objects.get().status == to
        assert AuditEntry.objects.get().action == f"job.{to}"
    else:
        with pytest.raises(MoveRefused):
            jobs._move(job, to, actor=worker)
        assert Job.objects.get().status == was
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("row", "move", "to"),
    [
        (lambda: RunFactory(), runs._move, RunStatus.DIAGNOSING),
        (lambda: StageFactory(), stages.move, StageStatus.WRITING),
        (lambda: JobFactory(), jobs._move, JobStatus.RUNNING),
    ],
    ids=["run", "stage", "job"],
)
def test_whoever_moves_second_is_overtaken_and_leaves_no_trace(row, move, to, worker):
    first = row()
    second = type(first).objects.get(pk=first.pk)
    move(first, to, actor=worker)

    with pytest.raises(Overtaken):
        move(second, to, actor=worker)

    assert AuditEntry.objects.count() == 1


def test_a_stage_of_an_earlier_round_is_not_moved(worker):
    stage = StageFactory(writing=True)
    Stage.objects.update(round=1)

    with pytest.raises(Overtaken):
        stages.move(stage, StageStatus.REVIEWING, actor=worker)


def test_a_job_of_an_earlier_attempt_is_not_moved(worker):
    job = JobFactory(running=True)
    Job.objects.update(attempt=2)

    with pytest.raises(Overtaken):
        jobs._move(job, JobStatus.SUCCEEDED, actor=worker)


@pytest.mark.parametrize("status", [RunStatus.FINISHED, RunStatus.STOPPED])
def test_nothing_moves_in_a_run_that_is_over(status, worker):
    stage = StageFactory(run__status=status)

    with pytest.raises(RunOver, match=f"This run is {status}"):
        stages.move(stage, StageStatus.WRITING, actor=worker)


def test_a_stage_does_not_move_when_its_run_was_stopped_meanwhile(worker):
    stage = StageFactory(writing=True)
    Run.objects.update(status=RunStatus.STOPPED)

    with pytest.raises(Overtaken):
        stages.move(stage, StageStatus.REVIEWING, actor=worker)

    assert Stage.objects.get().status == StageStatus.WRITING
    assert not AuditEntry.objects.exists()


def test_the_tables_name_every_status():
    assert set(RUN_MOVES) == set(RunStatus)
    assert set(STAGE_MOVES) == set(StageStatus)
    assert set(JOB_MOVES) == set(JobStatus)


@pytest.mark.parametrize(
    ("heading", "moves"), [("Run", RUN_MOVES), ("Stage", STAGE_MOVES), ("Job", JOB_MOVES)]
)
def test_the_drawing_in_the_docs_is_the_table(heading, moves):
    text = (Path(__file__).parents[2] / "docs" / "states.md").read_text()
    chapter = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.M | re.S)
    drawn = set(re.findall(r"^    (\w+) --> (\w+)", chapter[1], re.M))

    assert drawn == {(str(was), str(to)) for was, after in moves.items() for to in after}


def test_what_is_settled_is_final():
    assert all(not STAGE_MOVES[status] for status in SETTLED)


def test_every_move_has_a_name_in_the_log():
    for noun, statuses in (("run", RunStatus), ("stage", StageStatus), ("job", JobStatus)):
        assert all(f"{noun}.{status}" in audit.ACTIONS for status in statuses)


def test_a_verdict_has_one_word_wherever_it_is_asked_for():
    words = ["all", "approved", "rejected", "waiting"]

    assert sorted(VERDICTS) == sorted(WHAT) == words
    for operation in (list_items, export_items):
        assert sorted(get_args(get_type_hints(operation)["verdict"])) == words
    assert get_type_hints(ItemOut)["verdict"] == Literal["waiting", "approved", "rejected"]
