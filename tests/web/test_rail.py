"""Where a run stands, and who must act next."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.services import runs, waiting
from curriculum.services.audit import Actor
from curriculum.states import Autonomy, JobKind, JobStatus, RunStatus, StageStatus
from curriculum.views import drawing, reads
from tests.factories import (
    ApproverFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
)

pytestmark = pytest.mark.django_db


def row(run):
    return reads.run_row(reads.runs_with_work().get(pk=run.pk))


@pytest.mark.parametrize(
    ("status", "label", "who"),
    [
        (RunStatus.DRAFT, "Start the diagnosis", "a reviewer"),
        (RunStatus.REVIEWING_DIAGNOSIS, "Review the diagnosis", "an approver"),
        (RunStatus.REVIEWING_CURRICULUM, "Review the curriculum", "an approver"),
        (RunStatus.FINISHED, "Read the report", "nobody"),
        (RunStatus.STOPPED, "", "nobody"),
    ],
)
def test_each_status_of_a_run_has_one_next_action(status, label, who):
    action = row(RunFactory(status=status)).action

    assert (action.label, action.who) == (label, who)


@pytest.mark.parametrize(
    ("status", "label", "who"),
    [
        (StageStatus.PLANNED, "Start stage 1", "a reviewer"),
        (StageStatus.WRITING, "", "a worker"),
        (StageStatus.REVIEWING, "Review the items of stage 1", "a reviewer"),
        (StageStatus.TRAINING, "", "a worker"),
        (StageStatus.ASSESSING, "", "a worker"),
        (StageStatus.DECIDING, "Decide at the gate", "an approver"),
    ],
)
def test_each_status_of_a_stage_has_one_next_action(status, label, who):
    action = row(StageFactory(status=status).run).action

    assert (action.label, action.who) == (label, who)


def test_where_clean_items_approve_themselves_the_training_after_people_is_a_step_of_its_own():
    stage = StageFactory(reviewing=True, run__autonomy=Autonomy.ONLY_GATES)
    ItemFactory(stage=stage, approved=True)

    action = row(stage.run).action

    assert (action.label, action.who) == ("Train stage 1", "an approver")
    assert "Policy does not train on those of people" in action.hint


def concluded(**job):
    run = RunFactory(teaching=True)
    StageFactory(run=run, mastered=True)
    StageFactory(run=run)
    JobFactory(run=run, kind=JobKind.REPORT, **job)
    return run


def test_a_concluded_run_waits_for_its_report_and_not_for_the_stages_left_out():
    found = row(concluded())

    assert (found.action.label, found.action.hint) == ("", "Queued: report.")
    assert found.action.who == "a worker"
    assert found.stage is None
    assert found.job.kind == JobKind.REPORT
    assert waiting.wanted(found.run, found.stages, found.jobs) is None


def test_a_report_that_failed_can_be_tried_again_though_stages_are_left_planned():
    found = row(concluded(failed=True))

    assert found.action.label == "Retry: report"
    assert found.action.url == f"/jobs/{found.job.pk}/retry/"
    assert waiting.wanted(found.run, found.stages, found.jobs).what == "retry: report"


def test_a_stage_that_is_begun_comes_before_one_that_is_planned():
    run = RunFactory(teaching=True)
    StageFactory(run=run, mastered=True)
    StageFactory(run=run)
    begun = StageFactory(run=run, reviewing=True)

    assert row(run).stage == begun


@pytest.mark.parametrize("trait", ["failed", "cancelled", "lost"])
def test_work_that_ended_early_is_retried_before_anything_else(trait):
    job = JobFactory(**{trait: True})

    action = row(job.run).action

    assert action.label == "Retry: diagnose"
    assert action.url == f"/jobs/{job.pk}/retry/"


def test_a_failure_of_a_round_that_is_over_bothers_nobody():
    stage = StageFactory(reviewing=True, round=1)
    JobFactory(run=stage.run, stage=stage, kind=JobKind.WRITE, round=0, failed=True)

    assert row(stage.run).action.label == "Review the items of stage 1"


def test_where_every_item_has_its_verdict_the_next_thing_is_to_train():
    stage = StageFactory(reviewing=True)
    item = ItemFactory(stage=stage, approved=True)
    ItemFactory(stage=stage, skill=item.skill)
    assert row(stage.run).action.label == "Review the items of stage 1"

    stage.items.update(verdict="approved")

    action = row(stage.run).action
    assert (action.label, action.who) == ("Train stage 1", "an approver")


def test_work_that_waits_for_a_worker_is_not_said_to_have_one():
    job = JobFactory()
    assert row(job.run).action.hint == "Queued: diagnose."


def test_the_rail_shows_what_is_done_what_is_waived_and_what_is_to_come():
    run = RunFactory(teaching=True)
    for trait in ("mastered", "waived", "deciding"):
        StageFactory(run=run, **{trait: True})
    StageFactory(run=run)

    states = [step.state for step in row(run).steps]

    assert states == ["done", "done", "done", "waived", "current", "todo", "todo"]


def test_a_drawing_puts_what_comes_first_on_the_left():
    run = RunFactory()
    a, b, c = (SkillFactory(run=run, key=key) for key in "ABC")
    edges = [
        PrerequisiteFactory(run=run, source=a, target=b),
        PrerequisiteFactory(run=run, source=b, target=c),
        PrerequisiteFactory(run=run, source=a, target=c),
    ]

    drawn = drawing.draw([c, b, a], edges)

    left = {box.skill.key: box.x for box in drawn.boxes}
    assert left["A"] < left["B"] < left["C"]
    assert len(drawn.lines) == 3
    assert all(box.x + drawn.box_width <= drawn.width for box in drawn.boxes)


def test_a_drawing_of_a_circle_ends_all_the_same():
    run = RunFactory()
    a, b = (SkillFactory(run=run, key=key) for key in "AB")
    edges = [
        PrerequisiteFactory(run=run, source=a, target=b),
        PrerequisiteFactory(run=run, source=b, target=a),
    ]

    assert len(drawing.draw([a, b], edges).boxes) == 2


def test_a_drawing_of_nothing_is_empty():
    assert drawing.draw([], []).boxes == []


@pytest.mark.usefixtures("viewer")
def test_a_stopped_run_says_why_and_by_whom_and_what_had_failed(client):
    run = RunFactory(status=RunStatus.DIAGNOSING)
    JobFactory(run=run, kind=JobKind.DIAGNOSE, status=JobStatus.FAILED, error="No such model.")
    boss = ApproverFactory(first_name="Eve", last_name="Boss")

    runs.stop(run, actor=Actor.person(boss), reason="The wrong student.")

    page = client.get(reverse("curriculum:run-detail", args=[run.pk])).text
    assert "by Eve Boss: “<bdi>The wrong student.</bdi>”" in page
    assert "<em>diagnose</em>, had failed: No such model." in page
    report = client.get(reverse("curriculum:run-report", args=[run.pk])).text
    assert "<h2>No report</h2>" in report
    assert "No report yet" not in report


@pytest.mark.usefixtures("reviewer")
def test_nothing_is_done_again_in_a_run_that_is_over(client):
    over, going = (RunFactory(status=s) for s in (RunStatus.STOPPED, RunStatus.DIAGNOSING))
    failed = {
        run: JobFactory(run=run, kind=JobKind.DIAGNOSE, status=JobStatus.FAILED)
        for run in (over, going)
    }

    page = client.get(reverse("curriculum:job-list")).text

    assert f'id="retry-{failed[going].pk}"' in page
    assert f'id="retry-{failed[over].pk}"' not in page
