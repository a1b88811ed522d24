"""Probing more, from the diagnosis page: the forms, the progress, the ways back."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.models import Job, Score
from curriculum.services import jobs, skills
from curriculum.services.audit import Actor
from curriculum.states import JobKind, Role
from curriculum.views import reads
from tests.factories import JobFactory, RunFactory
from tests.web.writes import HTMX, diagnosed_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    return diagnosed_run()


def page(run, name="run-diagnosis"):
    return reverse(f"curriculum:{name}", args=[run.pk])


def job(run, **traits):
    return JobFactory(run=run, kind=JobKind.PROBE, **traits)


def test_one_skill_or_all_that_are_unclear_can_be_probed(client, reviewer, run):
    text = client.get(page(run)).text

    assert "Probe every skill that is less well known" in text
    assert "Probe A1 more" in text
    assert "Probe A2 more" in text

    client.post(page(run, "run-probe"), {"width": "0.05", "skill": "A2"})

    assert Job.objects.get().asked == {"skills": ["A2"], "width": 0.05}


def test_without_a_skill_all_that_are_unclear_are_probed(client, reviewer, run):
    response = client.post(page(run, "run-probe"), {"width": "0.05"}, follow=True)

    assert response.redirect_chain == [(page(run), 302)]
    assert Job.objects.get().asked["skills"] == ["A2"]  # there are no more of A1


def test_a_retired_skill_has_no_button(client, reviewer, run):
    skills.retire(run.skills.get(key="A1"), actor=Actor.worker())

    text = client.get(page(run)).text

    assert "Probe A1 more" not in text
    assert "Probe A2 more" in text


def test_where_every_probe_has_been_asked_no_more_are_offered(client, reviewer, run):
    Score.objects.filter(skill__key="A1").update(is_exhaustive=True)
    text = client.get(page(run)).text
    assert "Probe A1 more" not in text
    assert "Probe A2 more" in text
    assert "Probe every skill that is less well known" in text
    [a1, a2] = run.skills.filter(key__in=["A1", "A2"]).order_by("key")
    assert "Probe A1" not in client.get(reverse("curriculum:skill-words", args=[a1.pk])).text
    assert "Probe A2" in client.get(reverse("curriculum:skill-words", args=[a2.pk])).text

    Score.objects.update(is_exhaustive=True)

    text = client.get(page(run)).text
    assert "Probe every skill" not in text
    assert "there is nothing more to ask" in text


@pytest.mark.parametrize("width", ["", "wide", "0", "-1", "2", "nan", "inf"])
def test_a_width_that_is_none_is_told_beside_the_field(client, reviewer, run, width):
    response = client.post(page(run, "run-probe"), {"width": width, "skill": "A2"}, headers=HTMX)

    assert response.status_code == 422
    assert '<ul class="wrong" id="id_width_error">' in response.text
    assert not Job.objects.exists()


def test_when_there_is_nothing_to_ask_a_sentence_says_so(client, reviewer, run):
    response = client.post(page(run, "run-probe"), {"width": "1"}, headers=HTMX)

    assert response.status_code == 409
    assert "There is nothing more to ask" in response.text


def test_progress_shows_on_the_page_and_nothing_else_can_be_begun(client, approver, run):
    running = job(run, running=True, done=10, total=40, unit="answers")

    text = client.get(page(run)).text

    assert f'hx-get="{page(run, "run-diagnosis-now")}?seen=' in text
    assert "10 of 40 answers, about" in text
    assert f"/jobs/{running.pk}/cancel/" in text
    assert "Probe A1 more" not in text
    assert 'id="probe-more"' not in text
    assert "<button disabled>Sign the diagnosis</button>" in text


def test_a_second_request_is_refused_with_a_sentence(client, reviewer, run):
    job(run, running=True)

    response = client.post(page(run, "run-probe"), {"width": "0.05"}, headers=HTMX)

    assert response.status_code == 409
    assert "A worker is at it: “probe more”." in response.text


def test_the_page_follows_the_work_and_is_shown_again_when_it_has_ended(client, viewer, run):
    probing = job(run, running=True, done=1, total=4)
    run.refresh_from_db()
    seen = {"seen": run.audit_sequence}

    poll = client.get(page(run, "run-diagnosis-now"), seen, headers=HTMX)
    assert 'id="diagnosis"' not in poll.text
    assert 'id="live"' in poll.text

    jobs.succeed(probing)
    poll = client.get(page(run, "run-diagnosis-now"), seen, headers=HTMX)
    assert poll["HX-Retarget"] == "#diagnosis"
    assert 'id="diagnosis"' in poll.text
    assert "every 2s" not in poll.text


@pytest.mark.parametrize(
    ("trait", "words"),
    [("failed", "The disk is full."), ("cancelled", "its answers are kept"), ("lost", "end well")],
)
def test_what_ended_early_can_be_gone_on_with(client, reviewer, run, trait, words):
    early = job(run, **{trait: True})

    text = client.get(page(run)).text
    assert words in text
    response = client.post(f"/jobs/{early.pk}/retry/", {"from": "diagnosis"})

    assert response.url == page(run)
    early.refresh_from_db()
    assert (early.status, early.attempt) == ("queued", 2)


def test_cancelling_comes_back_to_the_diagnosis(client, reviewer, run):
    running = job(run, running=True)

    assert '<input type="hidden" name="from" value="diagnosis">' in client.get(page(run)).text
    response = client.post(f"/jobs/{running.pk}/cancel/", {"from": "diagnosis"})

    assert response.url == page(run)


def test_a_viewer_sees_the_progress_and_no_buttons(client, viewer, run):
    job(run, running=True, done=10, total=40, unit="answers")

    text = client.get(page(run)).text

    assert "10 of 40 answers" in text
    assert "Probe" not in text.replace("Probe more", "")
    assert "/cancel/" not in text


@pytest.mark.parametrize("status", ["draft", "diagnosing", "teaching", "finished"])
def test_at_other_times_there_is_nothing_to_press(client, approver, status):
    run = RunFactory(status=status)

    assert "probe-more" not in client.get(page(run)).text
    response = client.post(page(run, "run-probe"), {"width": "0.2"}, headers=HTMX)
    assert response.status_code == 409
    assert 'class="notice error"' in response.text


def test_a_run_waits_for_nobody_while_it_is_probed_and_for_a_person_after(run, approver):
    probing = job(run, running=True)

    def action():
        return reads.run_row(reads.runs_with_work().get(pk=run.pk)).action

    assert (action().who, action().is_for(Role.APPROVER)) == ("a worker", False)
    jobs.fail(probing, "The disk is full.")
    assert (action().label, action().is_for(Role.APPROVER)) == ("Review the diagnosis", True)
