"""Testing a prerequisite by throw-away trainings: what it costs, says, and leaves behind."""

from __future__ import annotations

import pytest
from django.db import connection

from curriculum import engine, tasks
from curriculum.errors import (
    BadDomain,
    BadSettings,
    JobOutdated,
    RunOver,
    StillAtWork,
    WrongMoment,
)
from curriculum.models import AuditEntry, Evidence, Job
from curriculum.services import audit, jobs, probing, runs, skills, trials
from curriculum.states import JobKind, JobStatus, RunStatus
from distill.errors import DistillError
from tests.curriculum.small import PROBES, diagnosed, fail, work
from tests.factories import CheckpointFactory, PrerequisiteFactory, RunFactory, SkillFactory

pytestmark = pytest.mark.django_db
STEPS = 3


@pytest.fixture(autouse=True)
def home(settings, tmp_path, monkeypatch):
    settings.IOA_HOME = tmp_path
    monkeypatch.setattr(tasks, "BEAT_EVERY_SECONDS", 0)
    return tmp_path


@pytest.fixture
def edge(approver):
    return diagnosed(approver, skills=["A2", "A3"]).prerequisites.get()


@pytest.fixture
def begun(edge, approver):
    return trials.begin(edge, actor=approver, steps=STEPS)


@pytest.fixture
def tampered(monkeypatch):
    """Have something happen at a beat of the job."""

    def do(something, at=STEPS + PROBES + 1):
        real, happened = jobs.beat, []

        def beat(job, done, total, **more):
            if done >= at and not happened:
                happened.append(done)
                something()
            real(job, done, total, **more)

        monkeypatch.setattr(jobs, "beat", beat)

    return do


def said_by_tests(edge):
    return edge.evidence.filter(kind="tested")


def test_what_it_says_is_evidence_of_the_edge_with_its_interval(edge, begun, home):
    work(edge.run)

    row = said_by_tests(edge).get()
    assert row.n == PROBES
    assert row.strength is None or 0 <= row.strength <= 1
    assert "A3 is at " in row.reason
    assert "Dep = " in row.reason
    assert "] together." in row.reason
    begun.refresh_from_db()
    assert begun.status == JobStatus.SUCCEEDED
    assert begun.done == begun.total == 3 * STEPS + 4 * PROBES
    entry = AuditEntry.objects.get(action="edge.tested")
    assert (entry.note, entry.became["n"]) == (row.reason, PROBES)
    audit.verify(edge.run)


def test_neither_the_student_nor_the_run_is_changed_and_no_adapter_is_left(edge, begun, home):
    edge.run.refresh_from_db()
    before = list(edge.run.checkpoints.values())

    work(edge.run)

    assert edge.run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert list(edge.run.checkpoints.values()) == before
    assert list((home / "runs").rglob("trials/*")) == []


def test_the_cost_is_told_before_and_stays_on_record(edge, begun, approver):
    cost = engine.trial_cost(edge, STEPS)

    assert cost.sentence.startswith(f"Three throw-away trainings: {3 * STEPS} steps on ")
    assert cost.seconds is None
    assert begun.asked == {"edge": edge.pk, "steps": STEPS, "cost": cost.sentence}
    entry = AuditEntry.objects.filter(action="job.queued").last()
    assert (entry.actor, entry.became["asked"]) == (approver.user, begun.asked)


def test_the_time_it_takes_is_that_of_earlier_trainings_of_the_student(edge):
    other = CheckpointFactory(run__student=edge.run.student)
    CheckpointFactory(run=other.run, parent=other, is_current=False, train_tokens=1000, seconds=2)
    CheckpointFactory(run__student="another", train_tokens=1, seconds=1000)

    short, long = (engine.trial_cost(edge, steps).seconds for steps in (3, 30))

    assert 0 < short < long


def test_an_edge_that_no_items_can_be_written_for_is_refused_with_a_sentence(approver):
    run = RunFactory(reviewing_diagnosis=True)
    source, target = (SkillFactory(run=run, key=key) for key in ("A2", "T1"))
    edge = PrerequisiteFactory(run=run, source=source, target=target)

    with pytest.raises(BadDomain, match="T1"):
        trials.begin(edge, actor=approver, steps=STEPS)

    assert not Job.objects.exists()


@pytest.mark.parametrize("steps", [0, -1, trials.MOST_STEPS + 1])
def test_as_many_steps_as_no_test_may_take_are_refused(edge, approver, steps):
    with pytest.raises(BadSettings, match="1 to 500 steps"):
        trials.begin(edge, actor=approver, steps=steps)


@pytest.mark.parametrize(
    "status", [status for status in RunStatus if status != RunStatus.REVIEWING_DIAGNOSIS]
)
def test_it_is_for_the_review_of_the_diagnosis_alone(approver, status):
    edge = PrerequisiteFactory(run=RunFactory(status=status))

    with pytest.raises((WrongMoment, RunOver)):
        trials.begin(edge, actor=approver, steps=STEPS)
    with pytest.raises((WrongMoment, RunOver)):
        trials.tested(edge, actor=approver, found=engine.Tested(0.5, 9, "It holds."))

    assert not Job.objects.exists()
    assert not Evidence.objects.exists()
    assert not AuditEntry.objects.exists()


def test_one_thing_at_a_time(edge, begun, approver):
    for service in (
        lambda: trials.begin(edge, actor=approver, steps=STEPS),
        lambda: probing.probe_more(edge.run, actor=approver, width=0.1),
        lambda: runs.sign_diagnosis(edge.run, actor=approver),
    ):
        edge.run.refresh_from_db()
        with pytest.raises(StillAtWork, match="test a prerequisite"):
            service()


# On SQLite the threads get a copy (`at_once`); elsewhere they have to see what is committed.
@pytest.mark.django_db(transaction=connection.vendor != "sqlite")
def test_two_at_once_make_one_job(edge, approver, at_once):
    results = at_once([lambda: trials.begin(edge, actor=approver, steps=STEPS)] * 2)

    assert sum(isinstance(result, Job) for result in results) == 1, results
    assert sum(isinstance(result, StillAtWork) for result in results) == 1, results


def test_a_second_worker_doubles_no_row(edge, begun):
    work(edge.run)

    tasks.work(begun.pk, begun.attempt)

    assert said_by_tests(edge).count() == 1


def test_one_that_is_cancelled_half_way_says_nothing_and_can_be_gone_on_with(
    edge, begun, approver, tampered, home
):
    tampered(lambda: jobs.cancel(Job.objects.get(pk=begun.pk), actor=approver))

    tasks.work(begun.pk, begun.attempt)

    assert not said_by_tests(edge).exists()
    begun.refresh_from_db()
    assert begun.status == JobStatus.CANCELLED
    assert (home / "runs" / str(edge.run_id) / "trials" / str(begun.pk)).is_dir()

    jobs.retry(begun, actor=approver)
    tasks.work(begun.pk, begun.attempt)

    begun.refresh_from_db()
    assert begun.status == JobStatus.SUCCEEDED
    assert said_by_tests(edge).count() == 1


def test_what_an_abandoned_test_left_is_removed_by_the_next(edge, begun, approver, tampered, home):
    tampered(lambda: jobs.lose(begun.pk, begun.attempt))
    tasks.work(begun.pk, begun.attempt)

    trials.begin(edge, actor=approver, steps=STEPS)
    work(edge.run)

    assert list((home / "runs").rglob("trials/*")) == []
    begun.refresh_from_db()
    with pytest.raises(JobOutdated):
        jobs.retry(begun, actor=approver)


def test_a_training_that_fails_is_a_sentence(edge, begun, tampered):
    def crash():
        raise DistillError("The trainer cannot train on this device.")

    tampered(crash)

    job = fail(edge.run, DistillError, "The trainer cannot train on this device.")

    assert job == begun
    assert not said_by_tests(edge).exists()


def test_too_little_to_say_is_a_sentence_and_leaves_the_edge_as_it_was(edge, approver):
    trials.tested(edge, actor=approver, found=engine.Tested(None, 12, "Unclear: A3 is at 0.10."))

    row = said_by_tests(edge).get()
    assert (row.strength, row.n, row.reason) == (None, 12, "Unclear: A3 is at 0.10.")
    edge.refresh_from_db()
    assert edge.is_active


def test_a_persons_word_stands_whatever_a_test_says(edge, begun, approver):
    skills.refuse_edge(edge, actor=approver, reason="Not in our school.")

    work(edge.run)

    edge.refresh_from_db()
    assert not edge.is_active
    assert said_by_tests(edge).exists()


def test_the_kind_has_a_queue_and_a_task():
    assert JobKind.TRIAL in tasks.WORK
