"""The page of examples: what is shown, changed, refused and kept in the editor."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum import engine
from tests.factories import CheckpointFactory, RunFactory, SkillFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db

GOOD = {"question": "What is 57 - 23?", "solution": "57 - 20 = 37\n37 - 3 = 34\nAnswer: 34"}


@pytest.fixture
def run():
    run = RunFactory(teacher="openai:big@http://localhost/v1", domain="foundations")
    CheckpointFactory(run=run)
    SkillFactory(run=run, key="A2", title="add without carrying")
    SkillFactory(run=run, key="B2", title="take away without borrowing", examples=[GOOD])
    return run


def page(run, query=""):
    return reverse("curriculum:run-examples", args=[run.pk]) + query


def post(client, run, key="B2", **form):
    skill = run.skills.get(key=key)
    url = reverse("curriculum:skill-examples", args=[skill.pk])
    return client.post(url, {"seen": skill.examples_digest, **form}, headers=HTMX)


def test_an_approver_has_an_editor_with_an_empty_pair_behind_what_there_is(client, approver, run):
    text = client.get(page(run, "?skill=B2")).text

    assert "57 - 20 = 37" in text
    assert text.count('name="question"') == text.count('name="solution"') == 2
    assert "Back to the 3 of the domain" in text
    assert client.get(page(run, "?skill=ZZ")).status_code == 404


def test_five_are_all_there_may_be(client, approver, run):
    run.skills.filter(key="B2").update(examples=[GOOD] * engine.MOST_EXAMPLES)

    assert client.get(page(run, "?skill=B2")).text.count('name="question"') == 5


def test_a_reviewer_sees_them_and_no_editor(client, reviewer, run):
    text = client.get(page(run, "?skill=B2")).text

    assert "57 - 20 = 37" in text
    assert "<textarea" not in text
    assert "An approver can change them." in text
    assert "in its own words" in client.get(page(run)).text


def test_for_a_program_it_says_that_no_words_are_asked(client, approver):
    run = RunFactory()
    CheckpointFactory(run=run)

    assert "it is asked with no words" in client.get(page(run)).text


def test_what_is_saved_is_there_and_the_page_says_who_did_it(client, approver, run):
    both = {name: [GOOD[name], ""] for name in GOOD}

    response = post(client, run, "A2", **both, note="tens <b>first</b>")

    assert response.status_code == 422  # 57 - 23 is not of A2
    new = {"question": "What is 61 + 24?", "solution": "60 + 20 = 80\n1 + 4 = 5\nAnswer: 85"}
    response = post(client, run, "A2", **new, note="tens <b>first</b>")

    assert response.status_code == 200
    assert run.skills.get(key="A2").examples == [new]
    assert "0 → 1" in response.text
    assert "tens &lt;b&gt;first&lt;/b&gt;" in response.text


def test_what_is_refused_stays_in_the_editor(client, approver, run):
    response = post(client, run, question="What is 57 - 23?", solution="57 - 20 = 38\nAnswer: 34")

    assert response.status_code == 422
    assert "Example 1: The solution says 57 - 20 = 38, which is not so." in response.text
    assert "57 - 20 = 38\nAnswer: 34</textarea>" in response.text
    assert "data-unsaved" in response.text
    assert run.skills.get(key="B2").examples == [GOOD]


def test_those_of_the_domain_come_back(client, approver, run):
    response = post(client, run, of_domain="1", question="rubbish", solution="rubbish")

    assert response.status_code == 200
    skill = run.skills.get(key="B2")
    assert skill.examples == engine.examples_of_domain(skill)
    assert "of the domain</button>" not in response.text


def test_hostile_words_are_text(client, approver, run):
    hostile = {"question": "</textarea><script>", "solution": "<script>alert(1)</script> = 1"}
    run.skills.filter(key="B2").update(examples=[hostile])

    text = client.get(page(run, "?skill=B2")).text

    assert "<script>alert" not in text
    assert "</textarea><script>" not in text
