from __future__ import annotations

import pytest

from curriculum.errors import (
    BadSettings,
    CurriculumError,
    MoveRefused,
    NothingToTeach,
    Overtaken,
    ReasonRequired,
    RunOver,
    WrongMoment,
)
from curriculum.models import AuditEntry, Job, Run, Stage
from curriculum.services import audit, budget, deciding, guidelines, planned, prompts, runs, skills
from curriculum.states import Autonomy, JobKind, JobStatus, RunStatus, StageStatus
from tests.factories import (
    JobFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
    diagnosed_run,
)

pytestmark = pytest.mark.django_db


def test_a_diagnosis_is_queued(approver):
    run = RunFactory()

    runs.diagnose(run, actor=approver)

    job = Job.objects.get()
    assert (run.status, job.kind, job.round) == (RunStatus.DIAGNOSING, JobKind.DIAGNOSE, 0)
    assert [e.action for e in AuditEntry.objects.all()] == ["run.diagnosing", "job.queued"]


def test_a_diagnosis_can_be_made_again(approver, worker):
    run = RunFactory()
    runs.diagnose(run, actor=approver)
    runs.diagnosed(run, actor=worker)

    runs.diagnose(run, actor=approver)

    assert sorted(Job.objects.values_list("round", flat=True)) == [0, 1]


def test_what_was_measured_is_the_evidence_of_the_diagnosis(worker):
    run = RunFactory(diagnosing=True)
    SkillFactory(run=run, key="A1", deficient=True)

    runs.diagnosed(run, actor=worker)

    assert AuditEntry.objects.get().evidence["skills"]["A1"]["gap"] == 0.8


def test_signing_the_diagnosis_plans_the_stages(approver):
    run = diagnosed_run()

    runs.sign_diagnosis(run, actor=approver, note="as I see it in class")

    assert run.status == RunStatus.REVIEWING_CURRICULUM
    planned = Stage.objects.values_list("position", "stage_skills__skill__key")
    assert list(planned) == [(1, "A1"), (2, "A2")]
    assert AuditEntry.objects.get().note == "as I see it in class"
    assert AuditEntry.objects.get().evidence["skills"]["A2"]["gap"] == 0.9


def test_a_diagnosis_that_finds_nothing_is_not_signed(approver):
    run = RunFactory(reviewing_diagnosis=True)

    with pytest.raises(NothingToTeach, match="No skill needs teaching"):
        runs.sign_diagnosis(run, actor=approver)

    assert Run.objects.get().status == RunStatus.REVIEWING_DIAGNOSIS
    assert not AuditEntry.objects.exists()


def test_planning_again_gives_up_what_people_moved(approver):
    run = diagnosed_run(reviewing_diagnosis=False, reviewing_curriculum=True)
    StageFactory(run=run, title="Mine", skills=["A2"])

    runs.replan(run, actor=approver)

    assert not Stage.objects.filter(title="Mine").exists()
    entry = AuditEntry.objects.get()
    assert entry.was["stages"] == [{"title": "Mine", "skills": ["A2"]}]
    assert {key for stage in entry.became["stages"] for key in stage["skills"]} == {"A1", "A2"}


def test_a_plan_is_made_again_only_while_it_is_reviewed(approver):
    run = diagnosed_run()

    with pytest.raises(WrongMoment, match="only while the run is “reviewing curriculum”"):
        runs.replan(run, actor=approver)


def test_going_back_and_signing_again_replaces_the_plan(approver):
    run = diagnosed_run()
    runs.sign_diagnosis(run, actor=approver)
    first = set(Stage.objects.values_list("pk", flat=True))

    runs.back_to_diagnosis(run, actor=approver)
    runs.sign_diagnosis(run, actor=approver)

    assert not first & set(Stage.objects.values_list("pk", flat=True))


def test_signing_the_curriculum_starts_teaching_and_begins_nothing_by_itself(approver):
    run = RunFactory(reviewing_curriculum=True)
    StageFactory(run=run, title="One")

    runs.sign_curriculum(run, actor=approver)

    assert run.status == RunStatus.TEACHING
    assert Stage.objects.get().status == StageStatus.PLANNED
    assert AuditEntry.objects.get().evidence["stages"][0]["title"] == "One"


def test_another_curriculum_than_was_looked_at_is_not_signed(approver):
    run = RunFactory(reviewing_curriculum=True)
    StageFactory(run=run, title="One")
    seen = planned.digest(run)
    Stage.objects.update(title="Two")

    with pytest.raises(Overtaken, match="This curriculum has just been changed"):
        runs.sign_curriculum(run, actor=approver, seen=seen)
    assert runs.sign_curriculum(run, actor=approver, seen=planned.digest(run)).status == (
        RunStatus.TEACHING
    )


def test_a_curriculum_whose_skills_are_said_in_other_words_is_looked_at_again(approver):
    run = RunFactory(reviewing_curriculum=True)
    skill = StageFactory(run=run, skills=["A1"]).stage_skills.get().skill
    seen = planned.digest(run)
    skills.edit(skill, actor=approver, title=skill.title, statement="quite another thing")

    with pytest.raises(Overtaken, match="This curriculum has just been changed"):
        runs.sign_curriculum(run, actor=approver, seen=seen)


def test_a_curriculum_without_stages_is_not_signed(approver):
    with pytest.raises(NothingToTeach):
        runs.sign_curriculum(RunFactory(reviewing_curriculum=True), actor=approver)


def test_a_run_finishes_with_its_report(worker):
    run = RunFactory(teaching=True)

    runs.finish(run, actor=worker, report={"retained": 0.94})

    assert (run.status, run.report) == (RunStatus.FINISHED, {"retained": 0.94})
    assert AuditEntry.objects.get().evidence == {"retained": 0.94}


def test_stopping_cancels_the_work_and_says_why(approver):
    run = RunFactory(teaching=True)
    running = JobFactory(run=run, kind=JobKind.REPORT, running=True)
    done = JobFactory(run=run, succeeded=True)

    runs.stop(run, actor=approver, reason="the wrong student")

    running.refresh_from_db()
    done.refresh_from_db()
    assert (running.status, done.status) == (JobStatus.CANCELLED, JobStatus.SUCCEEDED)
    assert AuditEntry.objects.get(action="run.stopped").note == "the wrong student"


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_nothing_is_stopped_or_concluded_without_a_reason(approver, reason):
    run = RunFactory(teaching=True)

    for service in (runs.stop, runs.conclude):
        with pytest.raises(ReasonRequired, match="Say why"):
            service(run, actor=approver, reason=reason)

    assert Run.objects.get().status == RunStatus.TEACHING


@pytest.mark.parametrize("status", ["finished", "stopped"])
def test_a_run_that_is_over_stays_as_it_is(approver, status):
    run = RunFactory(status=status)

    with pytest.raises(RunOver):
        runs.stop(run, actor=approver, reason="again")
    with pytest.raises(RunOver):
        deciding.set_autonomy(run, actor=approver, autonomy=Autonomy.NONE)
    with pytest.raises(RunOver):
        runs.diagnose(run, actor=approver)


def test_a_run_cannot_skip_its_diagnosis(approver):
    with pytest.raises(MoveRefused, match="“draft” cannot become “reviewing curriculum”"):
        runs.sign_diagnosis(RunFactory(), actor=approver)


def test_concluding_writes_the_report_with_stages_left_untaught(approver):
    run = RunFactory(teaching=True)
    StageFactory(run=run, mastered=True)
    StageFactory(run=run)

    runs.conclude(run, actor=approver, reason="good enough")

    assert Job.objects.get().kind == JobKind.REPORT
    entry = AuditEntry.objects.get(action="run.concluded")
    assert (entry.note, entry.became) == ("good enough", {"planned": 1})


def test_concluding_waits_for_a_stage_that_has_begun(approver):
    stage = StageFactory(reviewing=True)

    with pytest.raises(WrongMoment, match="in review"):
        runs.conclude(stage.run, actor=approver, reason="enough")

    assert not Job.objects.exists()


def test_a_run_is_concluded_once(approver):
    run = RunFactory(teaching=True)
    runs.conclude(run, actor=approver, reason="enough")

    with pytest.raises(Overtaken):
        runs.conclude(run, actor=approver, reason="enough")

    assert Job.objects.count() == 1


def test_autonomy_is_changed_and_written_down(approver):
    run = RunFactory()

    deciding.set_autonomy(run, actor=approver, autonomy=Autonomy.ONLY_GATES)

    entry = AuditEntry.objects.get()
    assert run.autonomy == Autonomy.ONLY_GATES
    assert (entry.was, entry.became) == ({"autonomy": "every_gate"}, {"autonomy": "only_gates"})


def test_an_autonomy_that_does_not_exist_is_refused(approver):
    with pytest.raises(BadSettings):
        deciding.set_autonomy(RunFactory(), actor=approver, autonomy="full")


def test_two_changes_of_autonomy_from_the_same_screen_are_one(approver):
    run = RunFactory()
    other = Run.objects.get()
    deciding.set_autonomy(run, actor=approver, autonomy=Autonomy.ONLY_GATES)

    with pytest.raises(Overtaken):
        deciding.set_autonomy(other, actor=approver, autonomy=Autonomy.NONE)

    assert AuditEntry.objects.count() == 1


def test_archiving_can_be_undone(approver):
    run = RunFactory(finished=True)

    runs.archive(run, actor=approver)
    assert run.archived_at is not None
    with pytest.raises(Overtaken):
        runs.archive(run, actor=approver)

    runs.unarchive(run, actor=approver)
    assert run.archived_at is None
    assert audit.verify(run)[0] == 2


def test_the_whole_way_leaves_a_whole_log(approver, worker):
    run = RunFactory()
    runs.diagnose(run, actor=approver)
    runs.diagnosed(run, actor=worker)
    with pytest.raises(CurriculumError):
        runs.sign_curriculum(run, actor=approver)

    assert audit.verify(run)[0] == AuditEntry.objects.count()


@pytest.mark.parametrize(
    "late",
    [
        lambda run, by: guidelines.write(run, actor=by, version=0, text="Be strict."),
        lambda run, by: deciding.set_autonomy(run, actor=by, autonomy=Autonomy.NONE),
        lambda run, by: deciding.set_two_people(run, actor=by, on=True),
        lambda run, by: budget.raise_to(run, actor=by, items=99_999),
        lambda run, by: prompts.begin_trial(
            run, actor=by, name="write", source="Write {{ n }}.", skill=run.skills.first()
        ),
    ],
)
def test_nothing_changes_a_run_that_ended_while_somebody_looked_at_it(approver, late):
    run = RunFactory(teaching=True)
    SkillFactory(run=run)
    seen = Run.objects.get(pk=run.pk)
    runs.stop(run, actor=approver, reason="enough")
    before = AuditEntry.objects.count()

    with pytest.raises(RunOver):
        late(seen, approver)

    assert AuditEntry.objects.count() == before
    assert not run.jobs.exists()
