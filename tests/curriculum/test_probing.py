"""Probing on where the diagnosis is unclear: what is asked, what changes, and what must not."""

from __future__ import annotations

import pytest
from django.db import connection

from curriculum import engine, tasks
from curriculum.errors import (
    BadSettings,
    JobOutdated,
    NothingToAsk,
    RunOver,
    StillAtWork,
    WrongMoment,
)
from curriculum.models import Answer, AuditEntry, Job, Score
from curriculum.services import audit, deciding, jobs, probing, runs, skills
from curriculum.states import JobKind, JobStatus, RunStatus
from tests.curriculum.small import PROBES, diagnosed, work
from tests.factories import JobFactory, RunFactory
from tests.factories import diagnosed_run as measured

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings, tmp_path, monkeypatch):
    settings.IOA_HOME = tmp_path
    monkeypatch.setattr(tasks, "BEAT_EVERY_SECONDS", 0)


@pytest.fixture
def run(approver):
    return diagnosed(approver, skills=["A2", "S2"])


def width(skill):
    skill.refresh_from_db()
    return skill.gap_high - skill.gap_low


def test_it_asks_until_the_interval_is_narrow_enough_and_the_figures_follow(run, approver):
    skill = run.skills.get(key="A2")
    before = width(skill)
    assert before > 0.2

    probing.probe_more(run, actor=approver, width=0.2)
    work(run)

    assert width(skill) <= 0.2 < before
    of_student, of_teacher = Score.objects.filter(skill=skill).order_by("checkpoint")
    assert of_student.n == of_teacher.n > PROBES
    assert of_student.n % PROBES == 0  # look by look
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    audit.verify(run)


def test_only_the_skill_that_was_named_is_asked(run, approver):
    job = probing.probe_more(run, actor=approver, width=0.2, skills=["A2"])
    work(run)

    assert job.asked == {"skills": ["A2"], "width": 0.2}
    assert Answer.objects.filter(probe__skill__key="S2").count() == 2 * PROBES
    assert Answer.objects.filter(probe__skill__key="A2").count() > 2 * PROBES


def test_nothing_is_asked_twice_and_an_earlier_look_is_never_forgotten(run, approver):
    probing.probe_more(run, actor=approver, width=0.15)
    work(run)
    asked, n = Answer.objects.count(), dict(Score.objects.values_list("pk", "n"))
    assert Answer.objects.filter(checkpoint=None).count() * 2 == asked

    runs.diagnose(run, actor=approver)
    work(run)

    assert Answer.objects.count() == asked
    assert dict(Score.objects.values_list("pk", "n")) == n


@pytest.mark.slow
def test_a_second_probing_goes_on_from_the_first(run, approver):
    probing.probe_more(run, actor=approver, width=0.3)
    work(run)
    first = Score.objects.filter(skill__key="A2").values_list("n", flat=True)[0]

    probing.probe_more(run, actor=approver, width=0.12)
    second = work(run)

    now = Score.objects.filter(skill__key="A2").values_list("n", flat=True)[0]
    assert now > first
    assert second.done == second.total  # of this job's own questions
    assert Answer.objects.count() == sum(Score.objects.values_list("n", flat=True))


def test_what_people_change_meanwhile_survives(run, approver, monkeypatch):
    probing.probe_more(run, actor=approver, width=0.2)
    a2, s2 = run.skills.get(key="A2"), run.skills.get(key="S2")

    def meddle():
        skills.edit(a2, actor=approver, title="Our own words", statement="Ours.")
        skills.retire(s2, actor=approver)
        skills.add_edge(run, source=a2, target=s2, actor=approver, reason="as in class")

    real = engine.probe_more

    def probe_more(*args, **kwargs):
        found = real(*args, **kwargs)
        meddle()
        return found

    monkeypatch.setattr(engine, "probe_more", probe_more)
    work(run)

    a2.refresh_from_db()
    s2.refresh_from_db()
    assert (a2.title, a2.statement, s2.status) == ("Our own words", "Ours.", "retired")
    assert run.prerequisites.filter(source=a2, target=s2, is_active=True).exists()
    assert run.jobs.get(kind=JobKind.PROBE).status == JobStatus.SUCCEEDED


def test_a_skill_that_is_retired_before_the_worker_comes_is_not_asked(run, approver):
    probing.probe_more(run, actor=approver, width=0.2)
    skills.retire(run.skills.get(key="S2"), actor=approver)

    work(run)

    assert Answer.objects.filter(probe__skill__key="S2").count() == 2 * PROBES


def test_a_skill_that_was_restored_after_the_diagnosis_is_measured(approver):
    run = measured()
    late = run.skills.get(key="A2")
    Score.objects.filter(skill=late).delete()

    job = probing.probe_more(run, actor=approver, width=1.0)

    assert job.asked["skills"] == ["A2"]


def test_the_record_says_who_asked_for_what_and_how_the_figures_changed(run, approver):
    probing.probe_more(run, actor=approver, width=0.2, skills=["A2"])
    work(run)

    asked = AuditEntry.objects.filter(action="job.queued").last()
    assert asked.actor == approver.user
    assert asked.became["asked"] == {"skills": ["A2"], "width": 0.2}
    done = AuditEntry.objects.get(action="run.probed")
    assert set(done.was["skills"]) == set(done.became["skills"]) == {"A2"}
    assert done.was["skills"]["A2"]["gap_high"] != done.became["skills"]["A2"]["gap_high"]


@pytest.mark.parametrize(
    "status", [status for status in RunStatus if status != RunStatus.REVIEWING_DIAGNOSIS]
)
def test_it_is_for_the_review_of_the_diagnosis_alone(approver, status):
    run = RunFactory(status=status)

    with pytest.raises((WrongMoment, RunOver), match=r"reviewing diagnosis|is (finished|stopped)"):
        probing.probe_more(run, actor=approver, width=0.2)

    assert not Job.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("wide", [0, -1, 1.01])
def test_a_width_that_is_none_is_refused(approver, wide):
    with pytest.raises(BadSettings, match="above 0"):
        probing.probe_more(measured(), actor=approver, width=wide)


def test_a_second_one_is_refused_while_the_first_is_at_it(run, approver):
    probing.probe_more(run, actor=approver, width=0.2)

    with pytest.raises(StillAtWork, match="probe more"):
        probing.probe_more(run, actor=approver, width=0.1)

    assert run.jobs.filter(kind=JobKind.PROBE).count() == 1


# On SQLite the threads get a copy (`at_once`); elsewhere they have to see what is committed.
@pytest.mark.django_db(transaction=connection.vendor != "sqlite")
def test_two_at_once_make_one_job(approver, at_once):
    run = measured()

    results = at_once(
        [lambda: probing.probe_more(run, actor=approver, width=0.02, skills=["A2"])] * 2
    )

    assert sum(isinstance(result, Job) for result in results) == 1, results
    assert sum(isinstance(result, StillAtWork) for result in results) == 1, results


def test_when_all_is_known_well_enough_it_says_so(run, approver):
    with pytest.raises(NothingToAsk, match="at most 1.00 wide"):
        probing.probe_more(run, actor=approver, width=1)

    assert not run.jobs.filter(kind=JobKind.PROBE).exists()


def test_a_skill_whose_probes_are_used_up_is_not_asked_again(approver):
    run = diagnosed(approver, skills=["A1"])
    probing.probe_more(run, actor=approver, width=0.02)
    work(run)

    score = Score.objects.filter(skill__key="A1").exclude(checkpoint=None).get()
    assert score.is_exhaustive
    assert width(run.skills.get()) == 0
    with pytest.raises(NothingToAsk):
        probing.probe_more(run, actor=approver, width=0.02)


def test_signing_and_measuring_again_wait_for_it(run, approver):
    job = probing.probe_more(run, actor=approver, width=0.2)

    for service in (runs.sign_diagnosis, runs.diagnose):
        with pytest.raises(StillAtWork):
            service(run, actor=approver)
        run.refresh_from_db()
        assert run.status == RunStatus.REVIEWING_DIAGNOSIS

    jobs.cancel(job, actor=approver)
    assert runs.sign_diagnosis(run, actor=approver).status == RunStatus.REVIEWING_CURRICULUM


def test_it_cannot_be_taken_up_again_once_the_diagnosis_is_signed(run, approver):
    job = jobs.cancel(probing.probe_more(run, actor=approver, width=0.2), actor=approver)
    runs.sign_diagnosis(run, actor=approver)

    with pytest.raises(JobOutdated):
        jobs.retry(job, actor=approver)


def test_it_cannot_be_taken_up_again_once_another_was_asked_for(run, approver):
    first = jobs.cancel(probing.probe_more(run, actor=approver, width=0.2), actor=approver)
    probing.probe_more(run, actor=approver, width=0.1)

    with pytest.raises(JobOutdated):
        jobs.retry(first, actor=approver)


def test_autopilot_that_comes_meanwhile_signs_when_it_is_done(run, approver):
    probing.probe_more(run, actor=approver, width=0.2)
    deciding.set_autonomy(run, actor=approver, autonomy="none")
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS

    work(run)

    assert run.status == RunStatus.TEACHING


def test_what_is_measured_too_late_is_not_written(approver):
    run = RunFactory(reviewing_curriculum=True)

    with pytest.raises(WrongMoment):
        probing.probed(run, actor=approver, diagnosis=engine.Diagnosis([], {}))


def test_progress_is_of_what_is_really_asked(run, approver, monkeypatch):
    told = []
    real = jobs.beat
    monkeypatch.setattr(
        jobs,
        "beat",
        lambda job, done, total, **k: told.append((done, total)) or real(job, done, total, **k),
    )
    job = probing.probe_more(run, actor=approver, width=0.2)
    before = Answer.objects.count()

    work(run)

    job.refresh_from_db()
    assert told[0][0] == 0
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(done <= total for done, total in told)
    assert job.done == job.total == Answer.objects.count() - before


def test_a_stopped_run_takes_its_probing_with_it(run, approver):
    job = probing.probe_more(run, actor=approver, width=0.2)

    runs.stop(run, actor=approver, reason="enough")

    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_a_job_of_another_run_holds_up_nobody(run, approver):
    JobFactory(running=True)

    assert probing.probe_more(run, actor=approver, width=0.2).status == JobStatus.QUEUED
