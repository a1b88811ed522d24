"""Models on servers as teachers of runs: those that the installation names, and no others."""

from __future__ import annotations

import itertools

import pytest

from curriculum import engine
from curriculum.errors import BadModel
from curriculum.models import Answer, Run
from curriculum.services import jobs
from curriculum.states import JobStatus, RunStatus
from distill.errors import BackendUnavailable
from tests.curriculum.small import PROBES, diagnosed, diagnosing, draft, fail, work
from tests.distill.serving import Said, completion, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    with serving() as served:
        served.answer = lambda asked: completion("Answer: 7", usage={"completion_tokens": 3})
        yield served


@pytest.fixture
def teacher(server, settings, monkeypatch, tmp_path):
    """A model on `server` that this installation knows."""
    settings.IOA_HOME = tmp_path
    settings.IOA_TEACHERS = [f"openai:Big@{server.url}#IOA_TEST_KEY"]
    monkeypatch.setenv("IOA_TEST_KEY", "sk-secret")
    return settings.IOA_TEACHERS[0]


def test_a_new_run_is_offered_the_teachers_of_the_installation_without_the_names_of_keys(
    teacher, server
):
    assert engine.teachers()[1:] == [(teacher, f"openai:Big@{server.url}")]


def test_a_run_is_measured_against_a_model_on_a_server(approver, teacher, server):
    run = diagnosed(approver, teacher=teacher)

    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert len(server.asked) == PROBES
    assert {a.headers["Authorization"] for a in server.asked} == {"Bearer sk-secret"}
    assert set(Answer.objects.filter(checkpoint=None).values_list("text", flat=True)) == {
        "Answer: 7"
    }


def test_what_a_server_answered_before_it_refused_is_kept_and_not_asked_again(
    approver, teacher, server
):
    hello = completion("Answer: 7")
    number = itertools.count(1)
    server.answer = lambda asked: Said("", 401) if next(number) == 6 else hello
    run = diagnosing(approver, teacher=teacher)

    job = fail(run, BackendUnavailable, "did not accept the key in IOA_TEST_KEY")

    assert Answer.objects.filter(checkpoint=None).count() == 7  # of two batches of four
    assert len(server.asked) == 8
    jobs.retry(job, actor=approver)
    work(run)
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert len(server.asked) == PROBES + 1


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("openai:Big@https://elsewhere.example/v1#SECRET_KEY", "is no teacher of this"),
        ("openai:Big@https://elsewhere.example/v1", "is no teacher of this installation"),
        ("transformers:../../etc", "see IOA_TEACHERS"),
        ("transformers:/etc", "see IOA_TEACHERS"),
    ],
)
def test_a_form_cannot_send_a_key_of_ours_to_a_server_of_its_own(approver, teacher, spec, words):
    with pytest.raises(BadModel, match=words):
        draft(approver, teacher=spec)

    assert not Run.objects.exists()


def test_a_teacher_whose_key_is_missing_is_refused_before_there_is_a_run(
    approver, teacher, monkeypatch
):
    monkeypatch.delenv("IOA_TEST_KEY")

    with pytest.raises(BadModel, match="The environment variable IOA_TEST_KEY"):
        draft(approver, teacher=teacher)


def test_a_teacher_that_the_installation_no_longer_names_fails_the_job_in_a_sentence(
    approver, teacher, settings
):
    run = diagnosing(approver, teacher=teacher)
    settings.IOA_TEACHERS = []

    fail(run, BadModel, "is no teacher of this installation: see IOA_TEACHERS")

    assert run.jobs.get().status == JobStatus.FAILED
