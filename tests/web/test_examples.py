"""The page of examples: what is shown, changed, refused and kept in the editor."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum import engine
from curriculum.models import ExampleTrial, Job
from curriculum.states import JobKind
from tests.factories import CheckpointFactory, JobFactory, RunFactory, SkillFactory
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


@pytest.fixture
def put(run):
    """The run, where the domain puts its questions to the teacher."""
    run.settings["writing"]["questions_of_domain"] = True
    run.save()
    return run


def try_out(client, run, key="B2", **form):
    url = reverse("curriculum:skill-examples-try", args=[run.skills.get(key=key).pk])
    return client.post(url, form, headers=HTMX)


def trial(run, *, shown="alike", bare="usable", examples=(GOOD,), **said):
    """A trial of B2 that is over, of two questions: the first is of no use with examples."""
    asked = {"skill": "B2", "examples": list(examples)}
    job = JobFactory(run=run, kind=JobKind.EXAMPLES, succeeded=True, asked=asked)
    answers = [
        {"question": q, "answer": "1", "said": "It is so", "fault": "", "shown": s, "outcome": o}
        for s, outcomes in ((True, ("unusable", shown)), (False, (bare, bare)))
        for q, o in zip(("What is 9 - 8?", "What is 7 - 6?"), outcomes, strict=True)
    ]
    ExampleTrial.objects.create(job=job, answers=[each | said for each in answers])
    return job


def test_what_is_tried_stays_in_the_editor_and_is_not_saved(client, approver, put):
    typed = GOOD | {"solution": "57 - 3 = 54\n54 - 20 = 34\nAnswer: 34"}

    response = try_out(client, put, **typed)

    assert "Queued: the teacher is asked 12 questions. Nothing is saved." in response.text
    assert "54 - 20 = 34\nAnswer: 34</textarea>" in response.text
    assert "data-unsaved" in response.text
    assert 'hx-trigger="every 2s"' in response.text
    assert Job.objects.get().asked == {"skill": "B2", "examples": [typed]}
    assert put.skills.get(key="B2").examples == [GOOD]
    now = client.get(reverse("curriculum:run-examples-now", args=[put.pk]) + "?skill=B2").text
    assert "Waiting for a worker." in now
    assert "<textarea" not in now
    assert "Waiting for a worker." not in client.get(page(put, "?skill=A2")).text


def test_what_is_saved_is_tried_without_a_word_of_anything_unsaved(client, approver, put):
    response = try_out(client, put, **{k: v.replace("\n", "\r\n") for k, v in GOOD.items()})

    assert response.status_code == 200
    assert "data-unsaved" not in response.text


def test_without_a_script_the_examples_that_are_tried_stay_in_the_editor(client, approver, put):
    typed = GOOD | {"solution": "57 - 3 = 54\n54 - 20 = 34\nAnswer: 34"}
    url = reverse("curriculum:skill-examples-try", args=[put.skills.get(key="B2").pk])

    response = client.post(url, typed, follow=True)

    assert response.redirect_chain[0][0] == f"{page(put)}?skill=B2&trial=1"
    assert "54 - 20 = 34\nAnswer: 34</textarea>" in response.text


def test_a_trial_says_how_many_came_out_and_shows_what_is_of_no_use_first(client, reviewer, put):
    trial(put)

    text = client.get(page(put, "?skill=B2")).text

    assert "With these examples" in text
    assert "1 of 2" in text
    assert "2 of 2" in text
    assert text.index("9 - 8") < text.index("7 - 6")
    assert "those that are saved" in text
    assert "would give them up" not in text


def test_of_examples_that_are_not_followed_it_says_what_a_round_would_do(client, approver, put):
    trial(put, shown="usable", examples=[])

    text = client.get(page(put, "?skill=B2")).text

    assert "would give them up for this skill" in text
    assert "not those that are saved" in text
    assert "Put these examples into the editor" in text


def test_what_a_teacher_says_in_a_trial_is_never_markup(client, approver, put):
    hostile = "<script>alert(1)</script>"
    trial(put, said=hostile, fault=hostile, question=hostile)

    for text in (
        client.get(page(put, "?skill=B2")).text,
        client.get(reverse("curriculum:run-examples-now", args=[put.pk]) + "?skill=B2").text,
    ):
        assert hostile not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_trial_that_failed_says_why_and_comes_back_to_its_skill(client, approver, put):
    asked = {"skill": "B2", "examples": [GOOD]}
    job = JobFactory(run=put, kind=JobKind.EXAMPLES, failed=True, asked=asked)

    assert "The disk is full." in client.get(page(put, "?skill=B2")).text
    response = client.post(
        reverse("curriculum:job-retry", args=[job.pk]), {"from": "examples"}, follow=True
    )

    assert response.redirect_chain[0][0] == f"{page(put)}?skill=B2&trial=1"


def test_where_a_trial_would_show_nothing_there_is_no_button(client, approver, run):
    text = client.get(page(run, "?skill=B2")).text

    assert "makes up the questions of this skill itself" in text
    assert "skill-examples-try" not in text
    assert 'id="examples-try"' not in text
    assert try_out(client, run, **GOOD).status_code == 422


def test_a_run_whose_domain_is_not_here_still_shows_its_examples(client, approver, run):
    run.domain = "domains/gone.yaml"
    run.save()

    response = client.get(page(run, "?skill=B2"))

    assert response.status_code == 200
    assert "57 - 20 = 37" in response.text
    assert "Try on" not in response.text
