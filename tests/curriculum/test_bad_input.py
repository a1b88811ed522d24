"""What people, files, models and disks can get wrong, from the door to the row: it is said in a
sentence, the state is as before, and nothing is lost."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from django.db import OperationalError

from curriculum import engine, tasks
from curriculum.errors import (
    BadDomain,
    BadModel,
    BadSettings,
    NothingToTeach,
    UnreviewedItems,
)
from curriculum.models import Answer, Checkpoint, Item, Run, Skill, StageSkill
from curriculum.services import audit, items, jobs, runs, stages
from curriculum.states import JobStatus, RunStatus, SkillOutcome, StageStatus
from distill import roster
from distill.backends.base import Reply
from distill.backends.simulated import SimulatedTrainer

pytestmark = pytest.mark.django_db

DOMAIN = """\
title: Halves
skills:
  - id: H1
    grader: number
    probes:
      - {question: "Half of 4?", reference: 2}
      - {question: "Half of 6?", reference: 3}
      - {question: "Half of 8?", reference: 4}
    items:
      - {question: "Half of 10?", answer: 5}
  - id: H2
    prerequisites: [H1]
    probes:
      - {question: "Is 3 odd?", reference: yes}
      - {question: "Is 5 odd?", reference: yes}
      - {question: "Is 7 odd?", reference: yes}
"""
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.IOA_HOME = tmp_path
    return tmp_path


@pytest.fixture
def halves(home):
    """Write the domain file that a run is made of."""

    def write(text=DOMAIN):
        path = home / "domains" / "halves.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return "domains/halves.yaml"

    return write


@pytest.fixture
def draft(approver):
    def make(**given):
        chosen = engine.default_settings()
        chosen["budget"] |= {"items_per_round": 16}
        chosen["probing"] |= {"diagnose_probes": 12, "gate_probes": 12, "gate_probes_cap": 12}
        return runs.create(
            **{
                "actor": approver,
                "name": "Sums",
                "domain": "foundations",
                "teacher": "procedural",
                "student": "simulated",
                "settings": chosen,
                "skills": ["A2"],
                **given,
            }
        )

    return make


@pytest.fixture
def reviewing(draft, approver):
    """A stage with items that wait for a verdict."""

    def make():
        run = diagnosed(draft(), approver)
        runs.sign_diagnosis(run, actor=approver)
        runs.sign_curriculum(run, actor=approver)
        stage = stages.open(run.stages.get(), actor=approver)
        work(run)
        stage.refresh_from_db()
        return stage

    return make


def work(run):
    """Do the next queued job of a run, as a worker would."""
    job = run.jobs.get(status=JobStatus.QUEUED)
    tasks.work(job.pk, job.attempt)
    run.refresh_from_db()
    return run.jobs.get(pk=job.pk)


def diagnosed(run, approver):
    run = runs.diagnose(run, actor=approver)
    work(run)
    return run


def assert_fails(run, error, words):
    """The next job ends as failed, with a sentence for people, and the run's log is whole."""
    with pytest.raises(error):
        work(run)
    job = run.jobs.first()
    assert job.status == JobStatus.FAILED
    assert words in job.error
    assert job.error.endswith(".")
    audit.verify(run)
    return job


# --- domains and models ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "is_now", "words"),
    [
        ("- id: H1\n", "- id: H1\n    prerequisites: [H2]\n", "(H1 → H2 → H1|H2 → H1 → H2)"),
        ("grader: number", "grader: vibes", "no grader “vibes”"),
        ("prerequisites: [H1]", "prerequisites: [H9]", "H9"),
        ("skills:", "skills: [", "line"),
        ("Halves", "Hal\x00ves", "halves.yaml"),
    ],
    ids=["cycle", "grader", "prerequisite", "no yaml", "nul"],
)
def test_a_domain_file_with_a_mistake_makes_no_run_and_says_where_it_is(
    halves, draft, was, is_now, words
):
    spec = halves(DOMAIN.replace(was, is_now, 1))
    assert (spec, "halves.yaml") in engine.domains()

    with pytest.raises(BadDomain, match=words) as caught:
        draft(domain=spec, skills=[])

    assert "halves.yaml" in str(caught.value)
    assert not Run.objects.exists()


def test_a_domain_file_that_breaks_later_fails_the_job_and_is_mended(halves, draft, approver):
    run = runs.diagnose(draft(domain=halves(), skills=[]), actor=approver)
    halves(DOMAIN.replace("grader: number", "grader: vibes"))

    job = assert_fails(run, BadDomain, "no grader “vibes”")
    assert run.status == RunStatus.DIAGNOSING

    halves()
    jobs.retry(job, actor=approver)
    assert work(run).status == JobStatus.SUCCEEDED


def test_a_domain_outside_the_installation_is_refused(draft, tmp_path_factory):
    outside = tmp_path_factory.mktemp("elsewhere") / "halves.yaml"
    outside.write_text(DOMAIN)

    for spec in (str(outside), "../" + outside.name, "domains/../../halves.yaml"):
        with pytest.raises(BadDomain, match="not a domain of this installation"):
            draft(domain=spec)


def test_a_model_folder_without_weights_makes_no_run(home, draft):
    folder = home / "models" / "hollow"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")

    with pytest.raises(BadModel, match="no weights") as caught:
        draft(student="hollow")

    assert str(folder) in str(caught.value)
    assert not Run.objects.exists()


def test_weights_that_vanish_later_fail_the_job_and_leave_the_run(home, draft, approver):
    folder = home / "models" / "student"
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    weights = folder / "model.safetensors"
    weights.touch()
    run = runs.diagnose(draft(student="student"), actor=approver)
    weights.unlink()

    assert_fails(run, Exception, "no weights")

    assert run.status == RunStatus.DIAGNOSING
    assert Answer.objects.filter(checkpoint=None).count() == 12  # the teacher's are kept


# --- settings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("thresholds", "mastery", 1.5),
        ("thresholds", "gap", -0.1),
        ("thresholds", "mastery", float("nan")),
        ("probing", "diagnose_probes", 0),
        ("probing", "batch_size", 2.5),
        ("budget", "items", "many"),
        ("budget", "rehearsal_share", 1),
        ("lora", "learning_rate", float("inf")),
        ("lora", "learning_rate", 0),
        ("lora", "weight_decay", float("nan")),
        ("lora", "rank", None),
        ("lora", "layers", 3),
    ],
)
def test_a_setting_out_of_its_range_is_named_and_makes_no_run(draft, group, name, value):
    with pytest.raises(BadSettings, match=f"{group}.{name}"):
        draft(settings={group: {name: value}})

    assert not Run.objects.exists()


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
    taught_by, draft, approver, says
):
    taught_by(lambda prompt: says)

    run = diagnosed(draft(skills=["A1", "A2"]), approver)

    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    told = {tuple(row) for row in run.skills.values_list("is_teachable", "is_deficient", "gap")}
    assert told == {(False, False, None)}
    with pytest.raises(NothingToTeach):
        runs.sign_diagnosis(run, actor=approver)
    run.refresh_from_db()
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert not run.stages.exists()


def test_what_the_teacher_cannot_do_is_left_out_of_the_plan_and_never_mastered(
    taught_by, draft, approver
):
    taught_by(lambda p: f"Answer: {p.reference}" if p.skill == "A2" else "no idea")
    run = diagnosed(draft(skills=["A1", "A2"]), approver)

    runs.sign_diagnosis(run, actor=approver)
    runs.set_autonomy(run, actor=approver, autonomy="none")
    while run.jobs.filter(status=JobStatus.QUEUED).exists():
        work(run)

    assert run.status == RunStatus.FINISHED
    assert list(StageSkill.objects.values_list("skill__key", flat=True)) == ["A2"]
    mastered = {row["id"]: row["mastered"] for row in run.report["skills"]}
    assert mastered["A1"] is False
    assert Skill.objects.get(key="A1").is_teachable is False


def test_a_teacher_that_answers_too_little_fails_the_job(monkeypatch, draft, approver):
    mute = Says(lambda p: "")
    mute.generate = lambda prompts: []
    monkeypatch.setattr(roster, "find_teacher", lambda *_: mute)
    run = runs.diagnose(draft(), actor=approver)

    assert_fails(run, ValueError, "A retry may help")

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
def test_an_answer_of_any_characters_is_kept(learnt_by, draft, approver, says, kept):
    learnt_by(lambda prompt: says)

    run = diagnosed(draft(), approver)

    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    answers = Answer.objects.exclude(checkpoint=None)
    assert set(answers.values_list("text", flat=True)) == {kept or says}
    assert answers.count() == 12
    audit.verify(run)


# --- disks -------------------------------------------------------------------------------


def test_a_full_disk_during_a_training_fails_the_job_and_a_retry_finishes_it(
    reviewing, approver, monkeypatch
):
    stage = reviewing()
    items.approve_all(stage, actor=approver, round=0)
    stages.train(stage, actor=approver, round=0)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", raises(FULL))
        job = assert_fails(stage.run, Exception, "The disk is full")
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
def test_a_full_disk_while_items_are_written_keeps_what_is_written(
    draft, approver, monkeypatch, error
):
    run = diagnosed(draft(), approver)
    runs.sign_diagnosis(run, actor=approver)
    runs.sign_curriculum(run, actor=approver)
    stage = stages.open(run.stages.get(), actor=approver)
    bulk_create = Item.objects.bulk_create

    def first_ten(rows, **options):
        if Item.objects.count() == 10:
            raise error
        return bulk_create(rows, **options)

    with monkeypatch.context() as full:
        full.setattr(Item.objects, "bulk_create", first_ten)
        job = assert_fails(run, type(error), "The disk is full")
    assert Item.objects.count() == 10
    stage.refresh_from_db()
    assert stage.status == StageStatus.WRITING

    jobs.retry(job, actor=approver)
    assert work(run).status == JobStatus.SUCCEEDED
    assert Item.objects.count() == 16
    assert len(set(Item.objects.values_list("key", flat=True))) == 16


def test_no_room_for_the_report_is_said_and_an_older_one_stands(home, monkeypatch):
    path = home / "demo" / "report.json"
    engine.write_report(path, {"retained": 0.5})

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", raises(FULL))
        with pytest.raises(Exception, match="The disk is full.*Free some space"):
            engine.write_report(path, {"retained": 0.9})

    assert "0.5" in path.read_text()
    assert [p.name for p in path.parent.iterdir()] == ["report.json"]


def raises(error):
    def call(*arguments, **options):
        raise error

    return call


# --- people ------------------------------------------------------------------------------


def test_a_stage_with_items_nobody_has_looked_at_is_not_trained(reviewing, approver):
    stage = reviewing()
    first = stage.items.first()
    items.approve(first, actor=approver, version=first.version)

    with pytest.raises(UnreviewedItems, match="15"):
        stages.train(stage, actor=approver, round=0)

    stage.refresh_from_db()
    assert stage.status == StageStatus.REVIEWING
    assert not stage.snapshots.exists()
    assert set(stage.stage_skills.values_list("outcome", flat=True)) == {SkillOutcome.OPEN}
