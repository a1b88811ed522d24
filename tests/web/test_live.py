"""Pages that follow work: they look again while it goes on, and no longer."""

from __future__ import annotations

import re

import pytest

from curriculum.models import TrainingStep
from curriculum.states import JobKind
from curriculum.views.jobs import SHOWN
from tests.factories import GateFactory, JobFactory, RunFactory, SnapshotFactory, StageFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


def now(client, run, seen):
    return client.get(f"/runs/{run.pk}/now/", {"seen": seen}, headers=HTMX)


def test_a_run_at_work_shows_how_far_it_is_and_looks_again(client, viewer):
    job = JobFactory(running=True, done=30, total=120, unit="answers")

    page = client.get(f"/runs/{job.run_id}/").text

    assert "30 of 120 answers" in page
    assert f'hx-get="/runs/{job.run_id}/now/?seen=0" hx-trigger="every 2s"' in page


def test_looking_again_brings_the_progress_alone(client, viewer):
    run = JobFactory(running=True, done=31, total=120).run

    response = now(client, run, 0)

    assert 'id="live"' in response.text
    assert 'id="run-now"' not in response.text
    assert "HX-Retarget" not in response


def test_looking_again_brings_everything_once_more_has_changed(client, viewer):
    run = JobFactory(running=True).run
    type(run).objects.filter(pk=run.pk).update(audit_sequence=5)

    response = now(client, run, 4)

    assert 'id="run-now"' in response.text
    assert response["HX-Retarget"] == "#run-now"
    assert response["HX-Reswap"] == "outerHTML"


@pytest.mark.parametrize("status", ["draft", "reviewing_diagnosis", "finished", "stopped"])
def test_a_run_that_waits_for_a_person_does_not_look_again(client, viewer, status):
    run = RunFactory(status=status)

    assert "every 2s" not in client.get(f"/runs/{run.pk}/").text


def test_a_failed_job_says_why_and_offers_a_retry(client, approver):
    job = JobFactory(failed=True)

    page = client.get(f"/runs/{job.run_id}/").text

    assert "The disk is full." in page
    assert f'action="/jobs/{job.pk}/retry/"' in page
    assert "every 2s" not in page


def test_autopilot_is_followed_between_two_jobs(client, viewer):
    run = RunFactory(teaching=True, autonomy="none")
    StageFactory(run=run)

    assert "every 2s" in client.get(f"/runs/{run.pk}/").text


@pytest.fixture
def training():
    stage = StageFactory(training=True)
    job = JobFactory(running=True, run=stage.run, stage=stage, kind=JobKind.TRAIN, total=100)
    SnapshotFactory(stage=stage)
    for step in range(1, 31):
        TrainingStep.objects.create(job=job, step=step, loss=2 / step, learning_rate=5e-4)
    return job


def test_a_training_shows_its_curve_and_the_same_numbers_in_a_table(client, viewer, training):
    page = client.get(f"/stages/{training.stage_id}/training/").text

    assert '<script id="loss-figure" type="application/json">' in page
    assert '<td class="num">30</td><td class="num">0.067</td>' in page
    assert "every 2s" in page


def test_a_training_that_ended_does_not_look_again(client, viewer, training):
    type(training).objects.filter(pk=training.pk).update(status="succeeded")

    assert "every 2s" not in client.get(f"/stages/{training.stage_id}/training/").text


def test_jobs_are_listed_with_state_and_filtered(client, viewer):
    JobFactory(failed=True)
    running = JobFactory(running=True)

    page = client.get("/jobs/", {"status": "running"}).text

    assert f'id="job-{running.pk}"' in page
    assert "The disk is full." not in page


@pytest.fixture
def many():
    """A run with a job at work, and with failed ones: two of them on a second page."""
    run = RunFactory(diagnosing=True)
    for number in range(SHOWN + 2):
        JobFactory(run=run, round=number, failed=True)
    JobFactory(failed=True)
    JobFactory(run=run, kind=JobKind.PROBE, running=True)
    return run


def test_pages_of_jobs_keep_what_is_picked(client, viewer, many):
    page = client.get("/jobs/", {"run": many.pk, "status": "failed"}).text

    assert f'href="?run={many.pk}&amp;status=failed&amp;page=2"' in page
    assert 'href="?page=2"' in client.get("/jobs/").text


def test_what_is_done_with_a_job_leaves_the_list_as_it_was_picked(client, reviewer, many):
    asked = f"?run={many.pk}&status=failed&page=2"
    last, last_but_one = many.jobs.filter(status="failed").order_by("pk")[:2]
    url = f"/jobs/{last.pk}/retry/{asked}"
    form = 'action="{0}" hx-post="{0}"'.format(url.replace("&", "&amp;"))
    assert form in client.get(f"/jobs/{asked}").text

    for status in (200, 409):
        response = client.post(url, headers=HTMX)
        assert response.status_code == status
        assert re.findall('<tr role="row" id="job-(.*?)">', response.text) == [str(last_but_one.pk)]


def test_without_a_script_the_list_is_come_back_to_as_it_was_picked(client, reviewer, many):
    asked = f"?run={many.pk}&status=failed&page=2"
    failed, running = many.jobs.filter(status="failed")[0], many.jobs.get(status="running")

    assert client.post(f"/jobs/{failed.pk}/retry/{asked}").url == f"/jobs/{asked}"
    assert client.post(f"/jobs/{running.pk}/cancel/").url == "/jobs/"


def test_the_list_of_jobs_looks_again_at_what_was_picked_without_its_filter(client, reviewer, many):
    asked = f"?run={many.pk}"
    address = f"/jobs/{many.jobs.filter(status='failed')[0].pk}/retry/{asked}"

    for part in (client.get(f"/jobs/{asked}", headers=HTMX), client.post(address, headers=HTMX)):
        assert f'hx-get="/jobs/{asked}" hx-trigger="every 3s"' in part.text
        assert "filter-status" not in part.text  # whose list of states may be open


def test_a_gate_says_why_it_may_not_advance(client, approver):
    gate = GateFactory()
    key = gate.stage.stage_skills.get().skill.key

    page = client.get(f"/stages/{gate.stage_id}/gate/").text

    assert f"Not allowed: {key} not yet." in page
    assert 'disabled id="gate-advance"' in page


def test_a_waiver_without_a_reason_is_refused_beside_the_field(client, approver):
    gate = GateFactory()

    response = client.post(f"/gates/{gate.pk}/waive/", {"round": 0, "reason": ""}, headers=HTMX)

    assert response.status_code == 422
    assert 'id="gate-reason-error"' in response.text


def test_a_decision_on_an_older_round_than_the_last_is_refused(client, approver):
    gate = GateFactory(mastered=True)

    response = client.post(f"/gates/{gate.pk}/advance/", {"round": 5}, headers=HTMX)

    assert response.status_code == 409
