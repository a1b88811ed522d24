"""The student tries questions while its items are written: on the worker that has the student."""

from __future__ import annotations

import pytest

from curriculum import queues
from curriculum.models import GateRecord, Item
from curriculum.services import gates, items, stages
from curriculum.states import JobKind
from tests.curriculum.small import ITEMS, diagnosed, work
from tests.curriculum.small import writing as stage_of
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


def tries(run, drawn=3):
    run.settings["writing"]["tried"] = drawn
    run.save(update_fields=["settings"])


def second_round(approver, drawn):
    """The items of a remedy."""
    stage = stage_of(approver)
    tries(stage.run, drawn)
    work(stage.run)
    stage.refresh_from_db()
    items.approve_all(stage, actor=approver, round=0)
    stages.train(stage, actor=approver, round=0)
    work(stage.run)  # trains
    work(stage.run)  # assesses
    gate = GateRecord.objects.get(stage=stage)
    gates.remedy(gate, actor=approver, round=0)
    work(stage.run)
    return Item.objects.filter(stage=stage, round=1)


def test_half_of_a_remedy_is_what_the_student_got_wrong_with_its_words(approver):
    rows = second_round(approver, 3)

    said = [row for row in rows if row.said]
    assert len(said) == round(len(rows) / 2) > 0
    assert {row.said for row in said} == {"I do not know."}
    assert all(row.aims == ["no_answer"] for row in said)
    first = Item.objects.filter(round=0)
    assert len(first) == ITEMS
    assert not any(row.said for row in first)


def test_off_it_is_asked_nothing_for_them(approver):
    assert not any(row.said for row in second_round(approver, 0))


@pytest.mark.parametrize(("drawn", "queue"), [(0, "teacher"), (3, "gpu")])
@pytest.mark.parametrize("kind", [JobKind.WRITE, JobKind.REWRITE])
def test_they_are_written_where_the_student_is(drawn, queue, kind, approver):
    job = JobFactory(writing=True, kind=kind)
    tries(job.run, drawn)

    assert queues.queue_of(job) == queue


def test_other_jobs_stay_where_they_were(approver):
    run = diagnosed(approver)
    tries(run)

    assert {queues.queue_of(job) for job in run.jobs.all()} == {"gpu"}
    assert queues.queue_of(JobFactory(run=run, kind=JobKind.TRY)) == "teacher"


def test_what_a_model_makes_up_is_tried_by_nobody_and_needs_no_student(approver):
    job = JobFactory(writing=True, kind=JobKind.WRITE)
    tries(job.run)
    job.run.teacher = "openai:Big@http://127.0.0.1:9/v1"

    assert queues.queue_of(job) == "teacher"

    job.run.settings["writing"]["questions_of_domain"] = True
    assert queues.queue_of(job) == "gpu"
