"""Models that say anything, and disks that are full: the job says so in a sentence, the run is as
before, and nothing is lost.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from django.db import OperationalError

from curriculum import engine
from curriculum.engine import authoring
from curriculum.errors import CurriculumError, NothingToTeach
from curriculum.models import Answer, Checkpoint, Item, Skill, StageSkill
from curriculum.services import audit, deciding, jobs, results, runs
from curriculum.states import JobStatus, RunStatus, StageStatus
from distill import roster
from distill.backends.base import Reply
from distill.backends.simulated import SimulatedTrainer
from distill.errors import OutOfSpace
from tests.curriculum.small import (
    ITEMS,
    PROBES,
    diagnosed,
    diagnosing,
    fail,
    training,
    work,
    writing,
)
from tests.factories import ItemFactory, StageFactory

pytestmark = pytest.mark.django_db

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.IOA_HOME = tmp_path
    return tmp_path


# --- teachers and students ---------------------------------------------------------------


class Says:
    """A model that says what it is told to say, whatever it is asked."""

    name = "odd"

    def __init__(self, say):
        self._say = say

    def generate(self, prompts):
        return [Reply(self._say(p), 1, 1) for p in prompts]

    def close(self):
        pass


@pytest.fixture
def taught_by(monkeypatch):
    return lambda say: monkeypatch.setattr(roster, "find_teacher", lambda *_: Says(say))


@pytest.fixture
def learnt_by(monkeypatch):
    def use(say):
        odd = roster.Student("odd", lambda adapter: Says(say), SimulatedTrainer())
        monkeypatch.setattr(roster, "find_student", lambda *_: odd)

    return use


@pytest.mark.parametrize("says", ["", "Answer: purple", "Answer: " + "9" * 5000, "Answer: 1/0"])
def test_a_teacher_of_nonsense_can_teach_nothing_and_nothing_is_called_mastered(
    taught_by, says, approver
):
    taught_by(lambda prompt: says)

    run = diagnosed(approver, skills=["A1", "A2"])

    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    told = {tuple(row) for row in run.skills.values_list("is_teachable", "is_deficient", "gap")}
    assert told == {(False, False, None)}
    with pytest.raises(NothingToTeach):
        runs.sign_diagnosis(run, actor=approver)
    run.refresh_from_db()
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert not run.stages.exists()


@pytest.mark.slow
def test_what_the_teacher_cannot_do_is_left_out_of_the_plan_and_never_mastered(taught_by, approver):
    taught_by(lambda p: f"Answer: {p.reference}" if p.skill == "A2" else "no idea")
    run = diagnosed(approver, skills=["A1", "A2"])

    runs.sign_diagnosis(run, actor=approver)
    deciding.set_autonomy(run, actor=approver, autonomy="none")
    while run.jobs.filter(status=JobStatus.QUEUED).exists():
        work(run)

    assert run.status == RunStatus.FINISHED
    assert list(StageSkill.objects.values_list("skill__key", flat=True)) == ["A2"]
    mastered = {row["id"]: row["mastered"] for row in run.report["skills"]}
    assert mastered["A1"] is False
    assert Skill.objects.get(key="A1").is_teachable is False


def test_a_teacher_that_answers_too_little_fails_the_job(monkeypatch, approver):
    mute = Says(lambda p: "")
    mute.generate = lambda prompts: []
    monkeypatch.setattr(roster, "find_teacher", lambda *_: mute)
    run = diagnosing(approver)

    fail(run, ValueError, "A retry may help")

    assert run.status == RunStatus.DIAGNOSING
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    ("says", "kept"),
    [
        ("x" * 100_000 + " Answer: 7", None),
        ("Answer: \x007", "Answer: \ufffd7"),
        ("Answer:\u200b 7\u200d", None),
        ("half of an emoji \ud83d", "half of an emoji \ufffd"),
        ("\u202e7 :rewsnA", None),
        ("<script>alert(1)</script>", None),
    ],
    ids=["huge", "nul", "zero width", "surrogate", "right to left", "markup"],
)
def test_an_answer_of_any_characters_is_kept(learnt_by, says, kept, approver):
    learnt_by(lambda prompt: says)

    run = diagnosed(approver)

    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    answers = Answer.objects.exclude(checkpoint=None)
    assert set(answers.values_list("text", flat=True)) == {kept or says}
    assert answers.count() == PROBES
    audit.verify(run)


def test_an_item_of_any_characters_is_kept_in_columns_that_every_database_has_room_for(db):
    stage = StageFactory(writing=True)
    teacher = "openai:" + "m" * 190
    check = {"id": "answer", "version": 1, "passed": False, "detail": "It is \x00."}
    row = ItemFactory.build(
        stage=stage, skill=stage.stage_skills.get().skill, origin=teacher, checks=[check]
    )
    row.said = row.answer = "half \ud83d\x00"

    results.keep_items([row])

    item = stage.items.get()
    assert item.said == item.answer == "half \ufffd\ufffd"
    assert item.checks == [check | {"detail": "It is \ufffd."}]
    assert item.origin == teacher[:80]


# --- disks -------------------------------------------------------------------------------


def test_a_full_disk_during_a_training_fails_the_job_and_a_retry_finishes_it(monkeypatch, approver):
    stage = training(approver)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", raises(FULL))
        job = fail(stage.run, OutOfSpace, "The disk is full")
    stage.refresh_from_db()
    assert stage.status == StageStatus.TRAINING
    assert Checkpoint.objects.count() == 1  # the base

    jobs.retry(job, actor=approver)
    assert work(stage.run).status == JobStatus.SUCCEEDED
    assert Checkpoint.objects.count() == 2


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("database or disk is full"),
        OperationalError('could not extend file "base/5/1": No space left on device'),
        FULL,
    ],
    ids=["sqlite", "postgresql", "file"],
)
def test_a_full_disk_while_items_are_written_keeps_what_is_written(monkeypatch, error, approver):
    stage = writing(approver)
    monkeypatch.setattr(authoring, "SAVED_AT_ONCE", 1)
    bulk_create = Item.objects.bulk_create

    def first_ten(rows, **options):
        if Item.objects.count() == 10:
            raise error
        return bulk_create(rows, **options)

    with monkeypatch.context() as full:
        full.setattr(Item.objects, "bulk_create", first_ten)
        job = fail(stage.run, type(error), "The disk is full")
    assert Item.objects.count() == 10
    stage.refresh_from_db()
    assert stage.status == StageStatus.WRITING

    jobs.retry(job, actor=approver)
    assert work(stage.run).status == JobStatus.SUCCEEDED
    assert Item.objects.count() == ITEMS
    assert len(set(Item.objects.values_list("key", flat=True))) == ITEMS


def test_no_room_for_the_report_is_said_and_an_older_one_stands(home, monkeypatch):
    path = home / "demo" / "report.json"
    engine.write_report(path, {"retained": 0.5})

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", raises(FULL))
        with pytest.raises(CurriculumError, match="The disk is full.*Free some space"):
            engine.write_report(path, {"retained": 0.9})

    assert "0.5" in path.read_text()
    assert [p.name for p in path.parent.iterdir()] == ["report.json"]


def raises(error):
    def call(*arguments, **options):
        raise error

    return call
