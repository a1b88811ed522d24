"""Examples tried on a run's teacher: both ways to ask, nothing twice, nothing of it an item."""

from __future__ import annotations

import pytest

from curriculum import engine, tasks
from curriculum.errors import BadPrompt, RunOver, StillAtWork
from curriculum.models import AuditEntry, ExampleTrial, Item, Skill, TeacherCall
from curriculum.services import audit, jobs, prompts, runs
from curriculum.states import JobStatus
from tests.curriculum.small import diagnosed, fail, gone, work
from tests.factories import RunFactory, SkillFactory

pytestmark = pytest.mark.django_db

EXAMPLE = {
    "question": "What is 61 + 24?",
    "solution": "60 + 20 = 80\n1 + 4 = 5\n80 + 5 = 85\nAnswer: 85",
}


@pytest.fixture
def run(approver, teacher):
    run = diagnosed(approver, teacher=teacher)
    run.settings["writing"]["questions_of_domain"] = True
    run.save(update_fields=["settings"])
    return run


def trial(run, actor, *examples):
    skill = run.skills.get(key="A2")
    return prompts.begin_examples_trial(skill, actor=actor, examples=examples or [EXAMPLE])


def test_it_asks_both_ways_and_nothing_of_it_is_an_item(run, approver, server):
    before, status = len(server.asked), run.status
    shown = run.skills.get(key="A2").examples

    trial(run, approver)
    job = work(run)

    assert (job.status, job.unit) == (JobStatus.SUCCEEDED, "answers")
    answers = ExampleTrial.objects.get(job=job).answers
    assert len(answers) == 2 * engine.TRIED_QUESTIONS == len(server.asked) - before
    assert [each["shown"] for each in answers] == [True] * 12 + [False] * 12
    assert {each["outcome"] for each in answers} <= set(engine.Outcome)
    calls = TeacherCall.objects.filter(purpose="try")
    assert sum(EXAMPLE["solution"] in call.prompt for call in calls) == engine.TRIED_QUESTIONS
    assert not Item.objects.exists()
    assert run.skills.get(key="A2").examples == shown
    assert engine.tokens_of_calls(run) > 0
    run.refresh_from_db()
    assert run.status == status
    assert AuditEntry.objects.get(action="examples.tried").became == {"skill": "A2", "answers": 24}
    audit.verify(run)


def test_one_that_ended_early_asks_nothing_twice_when_it_is_retried(
    run, approver, server, monkeypatch
):
    trial(run, approver)
    with monkeypatch.context() as patched:
        patched.setattr(tasks.prompts, "tried_examples", gone)
        job = fail(run, OSError, "unforeseen")
    before = len(server.asked)

    jobs.retry(job, actor=approver)
    work(run)

    assert len(server.asked) == before
    assert ExampleTrial.objects.count() == 1
    assert TeacherCall.objects.count() == 2 * engine.TRIED_QUESTIONS


def test_one_trial_at_a_time_and_none_of_a_run_that_is_over(run, approver):
    job = trial(run, approver)

    with pytest.raises(StillAtWork, match="try examples"):
        trial(run, approver)
    runs.stop(run, actor=approver, reason="enough")
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    with pytest.raises(RunOver):
        trial(run, approver)


def test_what_could_not_be_saved_is_not_tried(run, approver):
    with pytest.raises(BadPrompt, match="Example 1: .* which is not so"):
        trial(run, approver, EXAMPLE | {"solution": "60 + 20 = 90\nAnswer: 85"})

    assert not run.jobs.filter(kind="examples").exists()


@pytest.mark.parametrize(
    ("writing", "says"),
    [
        ({}, "makes up the questions of this skill itself"),
        ({"questions_of_domain": True, "operations": ["plain_language"]}, "shown no examples"),
    ],
)
def test_where_it_would_show_nothing_it_says_so(approver, writing, says):
    run = RunFactory(teacher="openai:big@http://localhost/v1", domain="foundations")
    run.settings["writing"] |= writing
    run.save()
    skill = SkillFactory(run=run, key="A2", examples=[EXAMPLE])

    assert says in engine.why_no_trial(skill)
    with pytest.raises(BadPrompt, match=says):
        trial(run, approver)
    assert Skill.objects.get().examples == [EXAMPLE]


def test_where_examples_are_not_shown_the_words_that_are_asked_have_none():
    run = RunFactory(teacher="openai:big@http://localhost/v1", domain="foundations")
    run.settings["writing"] |= {"questions_of_domain": True, "operations": ["plain_language"]}
    run.save()

    assert EXAMPLE["solution"] not in engine.asked_alone(
        SkillFactory(run=run, key="A2", examples=[EXAMPLE])
    )
