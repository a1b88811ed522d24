"""Trials of a run's prompts by the API: asked for, followed, and read when they are over."""

from __future__ import annotations

import pytest

from curriculum.models import Job, PromptTemplate
from curriculum.states import JobKind, JobStatus
from tests.factories import ApproverFactory, JobFactory, PromptTemplateFactory, SkillFactory
from tests.web.api_calls import bearer
from tests.web.api_words import HOSTILE, refused, run_in_words, tried_words

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(db):
    return run_in_words()


@pytest.fixture
def ask(client, run):
    """Of the run's prompts, as somebody who approves: a GET, or a POST of what is said."""
    auth = bearer(ApproverFactory())

    def send(path, said=None):
        url = f"/api/v1/runs/{run.pk}/prompts{path}"
        if said is None:
            return client.get(url, headers=auth)
        return client.post(url, said, content_type="application/json", headers=auth)

    return send


def test_a_trial_is_of_the_words_in_use_or_of_others_and_saves_none(ask, run):
    SkillFactory(run=run, key="B3")
    PromptTemplateFactory(run=run, source="One.\n")

    first = ask("/decompose/try", {}).json()
    busy = ask("/items/try", {})
    Job.objects.update(status=JobStatus.SUCCEEDED)
    second = ask("/decompose/try", {"source": "Slowly.", "skill": "B3"}).json()

    assert (first["kind"], first["run_id"], first["status"]) == ("try", run.pk, "queued")
    assert "eta_seconds" in first
    refused(busy, 409, "A worker is at it")
    asked = [job.asked for job in Job.objects.order_by("pk")]
    assert asked == [
        {"name": "decompose", "source": "One.\n", "skill": "B2"},
        {"name": "decompose", "source": "Slowly.\n", "skill": "B3"},
    ]
    assert Job.objects.get(pk=second["id"]).kind == JobKind.TRY
    assert PromptTemplate.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"source": "Slowly {{ nobody }}."}, "This template cannot be used"),
        ({"source": ""}, "The template may not be empty."),
        ({"skill": "A99"}, "Choose a skill of this run."),
        ({"skill": "C1"}, "Choose a skill of this run."),
        ({"skill": "x" * 41}, "body.skill"),
        ({"source": 1}, "body.source"),
    ],
)
def test_a_trial_that_cannot_be_made_says_why(ask, run, said, says):
    SkillFactory(run=run, key="C1", is_transfer=True)

    refused(ask("/decompose/try", said), 422, says)
    assert not Job.objects.exists()


def test_what_a_trial_came_to_is_there_when_it_is_over(ask, run):
    refused(ask("/decompose/tried"), 404, "No words of this template have been tried.")

    job = ask("/decompose/try", {"source": "Slowly."}).json()["id"]
    waiting = ask("/decompose/tried").json()
    Job.objects.update(status=JobStatus.SUCCEEDED)
    trial = tried_words(run, job=Job.objects.get())
    over = ask("/decompose/tried").json()

    assert (waiting["job"]["id"], waiting["job"]["status"]) == (job, "queued")
    assert (waiting["items"], waiting["faults"], waiting["call"]) == ([], [], None)
    assert (over["job"]["id"], over["name"], over["skill"]) == (trial.job_id, "decompose", "B2")
    assert (over["source"], over["items"], over["faults"]) == (
        "Slowly.\n",
        trial.items,
        trial.faults,
    )
    assert (over["call"]["teacher"], over["call"]["prompt_tokens"]) == ("big", 7)
    refused(ask("/items/tried"), 404, "No words of this template have been tried.")


def test_one_that_failed_says_why(ask, run):
    asked = {"name": "decompose", "source": "Slowly.\n", "skill": "B2"}
    JobFactory(run=run, kind=JobKind.TRY, failed=True, asked=asked)

    said = ask("/decompose/tried").json()

    assert (said["job"]["status"], said["job"]["error"]) == ("failed", "The disk is full.")
    assert (said["items"], said["call"]) == ([], None)


def test_what_a_model_says_is_text_and_nothing_else(ask, run):
    tried_words(run, HOSTILE)

    response = ask("/decompose/tried")

    assert response["Content-Type"].partition(";")[0] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    said = response.json()
    (item,) = said["items"]
    assert {item["question"], item["solution"], item["checks"][0]["detail"]} == {HOSTILE}
    assert (said["source"], said["faults"]) == (HOSTILE, [HOSTILE])
    assert (said["call"]["prompt"], said["call"]["reply"]) == (HOSTILE, HOSTILE)
