"""Testing a prerequisite from the graph page: the cost first, then the button."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.models import Evidence, Job
from curriculum.states import JobKind
from tests.factories import JobFactory, PrerequisiteFactory, RunFactory, SkillFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


def an_edge(target="A3", **traits):
    run = RunFactory(**(traits or {"reviewing_diagnosis": True}))
    return PrerequisiteFactory(
        run=run, source=SkillFactory(run=run, key="A2"), target=SkillFactory(run=run, key=target)
    )


@pytest.fixture
def edge():
    return an_edge()


def graph(edge, **asked):
    return reverse("curriculum:run-graph", args=[edge.run_id], query=asked or None)


def test_each_edge_can_be_asked_about_and_nothing_is_spent_by_asking(client, reviewer, edge):
    assert f'id="test-{edge.pk}"' in client.get(graph(edge)).text

    text = client.get(graph(edge, test=edge.pk, steps=5)).text

    assert "Three throw-away trainings: 15 steps on 60 items, about" in text
    assert "then 256 questions." in text
    assert "No training of this student has been timed yet" in text
    assert '<input type="hidden" name="steps" value="5">' in text
    assert not Job.objects.exists()


def test_htmx_gets_the_announcement_in_the_graph(client, reviewer, edge):
    response = client.get(graph(edge, test=edge.pk), headers=HTMX)

    assert 'id="trial-cost"' in response.text
    assert "<html" not in response.text


def test_the_button_has_it_done(client, reviewer, edge):
    response = client.post(f"/edges/{edge.pk}/test/", {"steps": "5"})

    assert response.url == graph(edge)
    job = Job.objects.get()
    assert (job.kind, job.asked["edge"], job.asked["steps"]) == (JobKind.TRIAL, edge.pk, 5)


@pytest.mark.parametrize("steps", ["", "many", "0", "501"])
def test_steps_that_are_none_are_told(client, reviewer, edge, steps):
    asked = client.get(graph(edge, test=edge.pk, steps=steps))
    posted = client.post(f"/edges/{edge.pk}/test/", {"steps": steps}, headers=HTMX)

    assert '<ul class="wrong" id="id_steps_error">' in asked.text
    assert 'id="trial-cost"' not in asked.text
    assert posted.status_code == 422
    assert not Job.objects.exists()


def test_an_edge_that_cannot_be_tested_says_why_and_has_no_button(client, reviewer):
    text = client.get(graph(edge := an_edge("T1"), test=edge.pk)).text

    assert 'class="notice error"' in text
    assert 'id="trial"' not in text


@pytest.mark.parametrize("pk", ["x", "-1", "²", "99999999999999999999999"])
def test_an_edge_that_is_none_is_no_crash(client, reviewer, edge, pk):
    assert client.get(graph(edge, test=pk)).status_code in (200, 404)


def test_the_edge_of_another_run_is_not_found(client, reviewer, edge):
    assert client.get(graph(edge, test=an_edge().pk)).status_code == 404


def test_progress_shows_on_the_page_and_nothing_else_can_be_begun(client, reviewer, edge):
    JobFactory(
        run=edge.run, kind=JobKind.TRIAL, running=True, done=5, total=50, unit="steps and answers"
    )

    text = client.get(graph(edge, test=edge.pk)).text

    assert "5 of 50 steps and answers, about" in text
    assert f'hx-get="/runs/{edge.run_id}/graph/now/?seen=' in text
    assert '<input type="hidden" name="from" value="graph">' in text
    assert 'id="trial"' not in text
    assert f'id="test-{edge.pk}"' not in text


def test_the_poll_is_the_progress_alone_until_more_has_changed(client, viewer, edge):
    JobFactory(run=edge.run, kind=JobKind.TRIAL, running=True)
    now = f"/runs/{edge.run_id}/graph/now/"

    assert 'id="graph"' not in client.get(now, {"seen": 0}, headers=HTMX).text
    assert 'id="graph"' in client.get(now, {"seen": 7}, headers=HTMX).text


def test_one_that_failed_says_why_and_can_be_gone_on_with(client, reviewer, edge):
    job = JobFactory(run=edge.run, kind=JobKind.TRIAL, failed=True)

    assert "The disk is full." in client.get(graph(edge)).text
    response = client.post(f"/jobs/{job.pk}/retry/", {"from": "graph"})

    assert response.url == graph(edge)


def test_what_was_tested_stands_by_the_edge(client, viewer, edge):
    Evidence.objects.create(
        prerequisite=edge, kind="tested", strength=0.62, n=48, reason="Dep = 0.62 [0.50 0.70]"
    )

    text = client.get(graph(edge)).text

    assert '<span class="tag">tested</span> 62%, n 48' in text
    assert "Dep = 0.62 [0.50 0.70]" in text


def test_too_little_to_say_is_said(client, viewer, edge):
    Evidence.objects.create(prerequisite=edge, kind="tested", n=48, reason="Unclear: …")

    assert "not enough evidence, n 48" in client.get(graph(edge)).text


def test_a_viewer_may_not_ask_what_it_costs(client, viewer, edge):
    text = client.get(graph(edge, test=edge.pk)).text

    assert 'id="trial-cost"' not in text
    assert "Test…" not in text


@pytest.mark.parametrize("status", ["draft", "teaching", "finished"])
def test_at_other_times_there_is_nothing_to_press(client, reviewer, status):
    edge = an_edge(status=status)

    assert 'id="trial"' not in client.get(graph(edge, test=edge.pk)).text
    response = client.post(f"/edges/{edge.pk}/test/", {"steps": "5"}, headers=HTMX)
    assert response.status_code == 409


def test_too_few_earlier_checkpoints_are_told_in_a_sentence(client, reviewer, edge):
    response = client.post(f"/runs/{edge.run_id}/graph/look-back/", headers=HTMX)

    assert response.status_code == 200
    assert "Not enough evidence: 0 checkpoints in 0 runs" in response.text
    assert not Evidence.objects.exists()
