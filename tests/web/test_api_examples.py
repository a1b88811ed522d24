"""Examples of a skill by the API: changed only as they were seen, tried, and read again."""

from __future__ import annotations

import pytest

from curriculum.models import AuditEntry, ExampleTrial, Job, Skill
from curriculum.states import JobStatus
from tests.factories import ApproverFactory, RunFactory, SkillFactory
from tests.web.api_calls import bearer
from tests.web.api_words import EXAMPLE

pytestmark = pytest.mark.django_db
OTHER = EXAMPLE | {"solution": "57 - 3 = 54\n54 - 20 = 34\nAnswer: 34"}


@pytest.fixture
def skill():
    run = RunFactory(teacher="openai:big@http://localhost/v1", domain="foundations")
    run.settings["writing"]["questions_of_domain"] = True
    run.save()
    return SkillFactory(run=run, key="B2", examples=[EXAMPLE])


@pytest.fixture
def ask(client, skill):
    """As Ada, of the skill's examples: a GET, or a POST of what is said."""
    auth = bearer(ApproverFactory(first_name="Ada", last_name=""))

    def send(path="", said=None):
        url = f"/api/v1/skills/{skill.pk}/examples{path}"
        if said is None:
            return client.get(url, headers=auth)
        return client.post(url, said, content_type="application/json", headers=auth)

    return send


def test_they_are_changed_by_who_has_seen_them(ask):
    seen = ask().json()["seen"]

    changed = ask("", {"examples": [OTHER], "seen": seen, "note": "ones first"})
    late = ask("", {"examples": [], "seen": seen})

    assert changed.status_code == 200
    assert changed.json()["examples"] == [OTHER]
    assert changed.json()["seen"] != seen
    assert late.status_code == 409
    assert Skill.objects.get().examples == [OTHER]
    assert AuditEntry.objects.get(action="skill.examples").note == "ones first"


def test_what_says_what_is_not_so_is_refused_in_its_sentence(ask):
    wrong = EXAMPLE | {"solution": "57 - 20 = 38\nAnswer: 34"}

    for path in ("", "/try"):
        response = ask(path, {"examples": [wrong]})
        assert response.status_code == 422
        assert "says 57 - 20 = 38, which is not so" in response.json()["detail"]
    assert not Job.objects.exists()


def test_a_trial_is_of_those_that_are_saved_or_of_others_and_can_be_read_when_it_is_over(ask):
    assert ask("/tried").status_code == 404

    assert ask("/try", {}).json()["kind"] == "examples"
    assert ask("/tried").json()["examples"] == [EXAMPLE]
    assert ask("/tried").json()["answers"] == []
    assert ask("/try", {}).status_code == 409  # one at a time
    Job.objects.update(status=JobStatus.SUCCEEDED)
    job = ask("/try", {"examples": [OTHER]}).json()["id"]

    answer = {
        "question": "What is 9 - 8?",
        "answer": "1",
        "said": "9 - 8 = 1\nAnswer: 1",
        "shown": True,
        "outcome": "usable",
        "fault": "",
    }
    ExampleTrial.objects.create(job_id=job, answers=[answer])
    tried = ask("/tried").json()
    assert (tried["job"]["id"], tried["examples"], tried["answers"]) == (job, [OTHER], [answer])
    assert Skill.objects.get().examples == [EXAMPLE]
