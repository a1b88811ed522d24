"""Whatever is killed, whenever: a retry ends with what an undisturbed run has, once."""

from __future__ import annotations

import django_rq
import pytest
from django.db.models import Count

from curriculum import models, queues, workers
from curriculum.services import audit, jobs, runs
from curriculum.states import Autonomy, JobStatus, RunStatus
from ioa_web.private_redis import redis_server
from tests.real.house import POLICY, SKILLS, Worker, house, new_run

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def worker(tmp_path_factory, django_db_blocker):
    home = tmp_path_factory.mktemp("home")
    with redis_server(home), django_db_blocker.unblock(), house(home):
        worker = Worker(home)
        yield worker
        worker.stop()


@pytest.fixture(scope="module")
def undisturbed(worker):
    """What a run leaves that nobody disturbed."""
    run = runs.diagnose(new_run("Undisturbed"), actor=POLICY)
    worker.burst()
    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED
    return what_is_left(run)


def what_is_left(run):
    """All that a run has measured, made and decided, without row numbers and times."""

    def rows(queryset, *fields):
        return sorted(queryset.values_list(*fields), key=repr)

    of_skill = {"skill__run": run}
    return {
        "skills": rows(run.skills, "key", "gap", "severity", "is_deficient", "is_teachable"),
        "probes": rows(models.Probe.objects.filter(**of_skill), "skill__key", "split", "key"),
        "answers": rows(
            models.Answer.objects.filter(probe__skill__run=run),
            *("probe__skill__key", "probe__key", "text", "grade", "tokens", "error"),
            *("checkpoint__stage__position", "checkpoint__round"),
        ),
        "scores": rows(
            models.Score.objects.filter(**of_skill),
            *("skill__key", "split", "n", "mean", "low", "high"),
            *("checkpoint__stage__position", "checkpoint__round"),
        ),
        "stages": rows(run.stages, "position", "title", "status", "round"),
        "items": rows(
            models.Item.objects.filter(stage__run=run),
            *("stage__position", "round", "key", "question", "solution", "verdict", "version"),
        ),
        "snapshots": rows(
            models.SnapshotItem.objects.filter(snapshot__stage__run=run),
            *("snapshot__stage__position", "snapshot__round", "snapshot__content_hash"),
            *("position", "item__key", "is_rehearsal"),
        ),
        "steps": rows(
            models.TrainingStep.objects.filter(job__run=run),
            *("job__stage__position", "job__round", "step", "loss", "learning_rate"),
        ),
        "checkpoints": rows(
            run.checkpoints,
            *("stage__position", "round", "parent__stage__position", "content_hash"),
            *("train_tokens", "final_loss", "is_current"),
        ),
        "gates": rows(
            models.GateRecord.objects.filter(stage__run=run),
            *("stage__position", "round", "decision", "allows_advance", "evidence"),
        ),
        "jobs": rows(run.jobs, "kind", "stage__position", "round", "status"),
        "report": run.report,
    }


def numbers(run):
    """The numbers of all rows that jobs make one by one."""
    made = {
        "answer": models.Answer.objects.filter(probe__skill__run=run),
        "item": models.Item.objects.filter(stage__run=run),
        "step": models.TrainingStep.objects.filter(job__run=run),
    }
    return {(name, pk) for name, rows in made.items() for pk in rows.values_list("pk", flat=True)}


def history(job):
    """What the log says of a job, in order."""
    entries = models.AuditEntry.objects.filter(subject=f"job:{job.pk}").order_by("sequence")
    return [entry.action.removeprefix("job.") for entry in entries]


def finish(run):
    """The run, which has to be finished by now, and its log whole."""
    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED
    n, _ = audit.verify(run)
    assert n == run.audit_sequence
    return run


HALF_WAY = {
    "diagnose": "answers 8",  # the teacher is done, the student is not
    "write": "items 2",  # of four savings, of twenty items each
    "train": "step 3",
    "assess": "answers 2",
    "report": "answers 11",
}


@pytest.mark.parametrize("kind", HALF_WAY)
def test_a_job_killed_half_way_and_again_at_its_end_is_completed_by_a_retry(
    worker, undisturbed, kind
):
    run = runs.diagnose(new_run(kind), actor=POLICY)

    assert worker.burst(f"{kind} {HALF_WAY[kind]}")
    job = run.jobs.get(status=JobStatus.LOST)
    assert (job.kind, job.attempt) == (kind, 1)
    assert "retry continues" in job.error
    kept = numbers(run)
    jobs.retry(job, actor=POLICY)

    assert worker.burst(f"{kind} succeed 1")
    job.refresh_from_db()
    assert (job.status, job.attempt) == (JobStatus.LOST, 2)
    jobs.retry(job, actor=POLICY)

    assert worker.burst()
    finish(run)
    assert history(job) == ["queued", *["running", "lost", "queued"] * 2, "running", "succeeded"]
    assert what_is_left(run) == undisturbed
    assert kept <= numbers(run)  # what was there already was not made again


def test_a_job_killed_half_way_has_kept_what_was_done(worker):
    run = runs.diagnose(new_run("Kept"), actor=POLICY)

    worker.burst("diagnose answers 8")

    answers = models.Answer.objects.filter(probe__skill__run=run)
    by_teacher = answers.values_list("checkpoint").annotate(n=Count("pk"))
    assert sorted(n for _, n in by_teacher) == [16, 48]
    assert not models.Score.objects.filter(skill__run=run).exists()


@pytest.mark.parametrize("kind", ["write", "train"])
def test_work_that_is_done_but_whose_successor_was_not_sent_goes_on_by_itself(
    worker, undisturbed, kind
):
    run = runs.diagnose(new_run(f"Unsent after {kind}"), actor=POLICY)

    assert worker.burst(f"{kind} enqueue 1")
    assert run.jobs.filter(kind=kind, status=JobStatus.SUCCEEDED).exists()
    assert run.jobs.filter(status=JobStatus.QUEUED).count() == 1

    assert worker.burst()  # a worker looks for such jobs when it begins
    assert what_is_left(finish(run)) == undisturbed


@pytest.mark.parametrize("kind", ["diagnose", "assess"])
def test_no_run_stands_still_when_its_worker_is_killed_before_policy_decides(
    worker, undisturbed, kind
):
    run = runs.diagnose(new_run(f"Undecided after {kind}"), actor=POLICY)

    assert worker.burst(f"{kind} act 1")
    jobs.retry(run.jobs.get(status=JobStatus.LOST), actor=POLICY)
    assert worker.burst()

    assert what_is_left(finish(run)) == undisturbed


def test_a_job_dies_with_its_worker_and_the_next_start_finds_it(worker, undisturbed, settings):
    settings.IOA_EMBEDDED_REDIS = True
    run = runs.diagnose(new_run("The worker itself"), actor=POLICY)

    assert not worker.burst("train step 3 worker")
    job = run.jobs.get(kind="train")
    assert job.status == JobStatus.RUNNING

    workers.recover()
    job.refresh_from_db()
    assert job.status == JobStatus.LOST
    jobs.retry(job, actor=POLICY)
    assert worker.burst()

    assert what_is_left(finish(run)) == undisturbed


def test_a_redis_that_forgot_everything_has_forgotten_nothing_that_counts(worker):
    run = runs.diagnose(new_run("Flushed", Autonomy.EVERY_GATE), actor=POLICY)
    django_rq.get_connection("gpu").flushall()
    assert [job.run for job in jobs.orphans()] == [run]

    sent = jobs.requeue_orphans()

    assert [job.kind for job in sent] == ["diagnose"]
    assert jobs.orphans() == []
    worker.burst()
    assert_diagnosed(run)


def test_a_job_that_is_sent_twice_is_done_once(worker):
    run = runs.diagnose(new_run("Twice", Autonomy.EVERY_GATE), actor=POLICY)
    job = run.jobs.get()
    again = django_rq.get_queue("gpu")
    again.enqueue(queues.WORK, job.pk, job.attempt, job_id="the-same-once-more")

    worker.burst()

    assert_diagnosed(run)
    assert history(job) == ["queued", "running", "succeeded"]


def test_a_job_cancelled_before_it_is_begun_is_left_alone_and_a_retry_does_it(worker):
    run = runs.diagnose(new_run("Cancelled", Autonomy.EVERY_GATE), actor=POLICY)
    job = jobs.cancel(run.jobs.get(), actor=POLICY)

    worker.burst()
    assert not models.Answer.objects.filter(probe__skill__run=run).exists()

    jobs.retry(job, actor=POLICY)
    worker.burst()

    assert_diagnosed(run)
    assert history(job) == ["queued", "cancelled", "queued", "running", "succeeded"]


def assert_diagnosed(run):
    run.refresh_from_db()
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert models.Answer.objects.filter(probe__skill__run=run).count() == 2 * 24 * len(SKILLS)
    audit.verify(run)
