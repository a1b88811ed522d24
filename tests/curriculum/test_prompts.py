"""The words that a teacher is asked with: changed, tried, rolled back, and used."""

from __future__ import annotations

import pytest

from curriculum import engine, tasks
from curriculum.errors import BadPrompt, NothingChanged, Overtaken, RunOver, StillAtWork
from curriculum.models import AuditEntry, Item, Job, PromptTemplate, PromptTrial, TeacherCall
from curriculum.services import audit, jobs, prompts, runs
from curriculum.states import JobKind, JobStatus
from tests.curriculum.small import diagnosed, fail, gone, work, writing_by
from tests.factories import RunFactory, SkillFactory

pytestmark = pytest.mark.django_db

SPOKEN = "Say every step aloud, one to a line.\n"


@pytest.fixture
def run():
    return RunFactory(teacher="openai:big@http://localhost/v1")


def change(run, actor, source=SPOKEN, *, name="decompose", seen=0, **more):
    return prompts.change(run, actor=actor, name=name, source=source, seen=seen, **more)


def test_what_is_changed_is_asked_with_and_says_who_and_what_was_before(run, approver):
    was = engine.built_in_prompt("decompose")

    row = change(run, approver, note="they skip steps")

    assert engine.templates_of(run).sources["decompose"] == SPOKEN
    assert (row.number, row.actor, row.note) == (1, approver.user, "they skip steps")
    entry = AuditEntry.objects.get(action="prompt.changed")
    assert entry.was == {"name": "decompose", "number": 0, "source": was}
    assert entry.became == {"name": "decompose", "number": 1, "source": SPOKEN}
    assert entry.note == "they skip steps"


def test_other_runs_keep_their_words(run, approver):
    change(run, approver)

    other = RunFactory(teacher=run.teacher)
    assert engine.templates_of(other).version != engine.templates_of(run).version
    assert engine.templates_of(other).sources["decompose"] == engine.built_in_prompt("decompose")


def test_a_version_that_somebody_has_changed_meanwhile_is_refused(run, approver):
    change(run, approver)

    with pytest.raises(Overtaken):
        change(run, approver, "My own words.")

    assert PromptTemplate.objects.count() == 1
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{% for", "cannot be used"),
        ("{{ skill.nonsense }}", "nonsense"),
        ("{{ ().__class__ }}", "__class__"),
        ("{{ n * 10 }}", "cannot calculate"),
        ("{% include 'items' %}", "cannot hold"),
        ("x" * 20_001, "over 20,000"),
    ],
)
def test_what_does_not_render_is_refused_in_a_sentence(run, approver, source, says):
    with pytest.raises(BadPrompt, match=says):
        change(run, approver, source)

    assert not PromptTemplate.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_line_ends_of_a_form_change_nothing(run, approver):
    built_in = engine.built_in_prompt("items")

    with pytest.raises(NothingChanged):
        change(run, approver, built_in.replace("\n", "\r\n"), name="items")


def test_rolling_back_is_a_new_version_with_the_old_words(run, approver):
    change(run, approver)
    change(run, approver, "Other words.", seen=1)

    prompts.roll_back(run, actor=approver, name="decompose", number=1, seen=2)
    prompts.roll_back(run, actor=approver, name="decompose", number=0, seen=3)

    built_in = engine.built_in_prompt("decompose")
    rows = PromptTemplate.objects.values_list("number", "source")
    assert list(rows) == [(1, SPOKEN), (2, "Other words.\n"), (3, SPOKEN), (4, built_in)]
    assert engine.templates_of(run).version == engine.templates_of(RunFactory()).version
    audit.verify(run)


@pytest.mark.parametrize("number", [3, 99])
def test_a_version_there_is_not_cannot_be_rolled_back_to(run, approver, number):
    with pytest.raises(BadPrompt, match=f"no version {number}"):
        prompts.roll_back(run, actor=approver, name="decompose", number=number, seen=0)


def test_a_program_is_asked_with_no_words_and_a_run_that_is_over_with_none_any_more(approver):
    with pytest.raises(BadPrompt, match="no words"):
        change(RunFactory(), approver)
    with pytest.raises(RunOver):
        change(RunFactory(teacher="openai:big@http://localhost/v1", stopped=True), approver)
    with pytest.raises(BadPrompt, match="There is no template"):
        change(RunFactory(teacher="openai:big@http://localhost/v1"), approver, name="../settings")


def test_a_round_is_written_with_the_words_of_its_run_and_its_calls_say_so(
    approver, teacher, server
):
    stage = writing_by(approver, teacher)
    change(stage.run, approver)

    work(stage.run)

    assert all(SPOKEN.strip() in call.prompt for call in TeacherCall.objects.all())
    versions = set(TeacherCall.objects.values_list("prompt_version", flat=True))
    assert versions == {engine.templates_of(stage.run).version}
    assert versions != {engine.templates_of(RunFactory()).version}


def test_what_became_of_each_item_is_kept_and_a_second_worker_counts_nothing_twice(
    approver, teacher, server, writer
):
    stage = writing_by(approver, teacher)
    spoiled = iter(["no"])
    writer._spoil = lambda reply, nth: next(spoiled, reply)

    job = work(stage.run)
    tasks.work(job.pk, job.attempt)

    tallies = list(stage.tallies.all())
    assert sum(t.kept for t in tallies) == Item.objects.filter(stage=stage).count()
    assert sum(t.asked - t.read for t in tallies) > 0
    assert all(t.read == t.kept + t.spare + sum(t.lost.values()) for t in tallies)


def test_a_preview_is_what_the_teacher_would_be_asked_and_asks_nobody(approver, teacher, server):
    run = diagnosed(approver, teacher=teacher)
    skill = run.skills.get(key="A2")
    before = len(server.asked)

    words = engine.preview(skill, name="decompose", source=SPOKEN)

    assert SPOKEN.strip() in words
    assert "the student said" in words
    assert "Write 4 different exercises" in words
    assert len(server.asked) == before
    assert not TeacherCall.objects.exists()
    with pytest.raises(BadPrompt):
        engine.preview(skill, name="decompose", source="{{ nobody }}")


def trial(run, actor, source=SPOKEN):
    skill = run.skills.get(key="A2")
    return prompts.begin_trial(run, actor=actor, name="decompose", source=source, skill=skill)


def test_a_trial_asks_once_for_three_items_and_nothing_of_it_is_an_item(approver, teacher, server):
    run = diagnosed(approver, teacher=teacher)
    before = len(server.asked)
    status = run.status

    trial(run, approver)
    job = work(run)

    assert job.status == JobStatus.SUCCEEDED
    assert len(server.asked) - before == 1
    tried = PromptTrial.objects.get(job=job)
    assert len(tried.items) == 3
    assert {c["id"] for c in tried.items[0]["checks"]} >= {"parses", "leak", "answer"}
    assert SPOKEN.strip() in tried.call.prompt
    assert tried.items[0]["question"] in tried.call.reply
    assert not Item.objects.exists()
    assert not PromptTemplate.objects.exists()
    assert engine.tokens_of_calls(run) == tried.call.prompt_tokens + tried.call.reply_tokens > 0
    assert run.status == status
    audit.verify(run)


def test_what_a_trial_gets_is_shown_however_bad_it_is(approver, teacher, server, writer):
    run = diagnosed(approver, teacher=teacher)
    writer._spoil = lambda reply, nth: '<script>x</script> {"items": [{"question": "?"}]}'

    trial(run, approver)
    work(run)

    tried = PromptTrial.objects.get()
    assert tried.items == []
    assert tried.faults


def test_a_trial_goes_on_while_a_run_teaches_and_one_at_a_time(approver, teacher, server):
    stage = writing_by(approver, teacher)
    job = trial(stage.run, approver)

    with pytest.raises(StillAtWork, match="try a template"):
        trial(stage.run, approver)
    tasks.work(job.pk, job.attempt)

    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED
    assert stage.run.jobs.get(kind=JobKind.WRITE).status == JobStatus.QUEUED


def test_a_trial_that_ended_early_asks_nothing_twice_when_it_is_retried(
    approver, teacher, server, monkeypatch
):
    run = diagnosed(approver, teacher=teacher)
    trial(run, approver)
    with monkeypatch.context() as patched:
        patched.setattr(tasks.prompts, "tried", gone)
        job = fail(run, OSError, "unforeseen")
    before = len(server.asked)

    jobs.retry(job, actor=approver)
    work(run)

    assert len(server.asked) == before
    assert PromptTrial.objects.count() == TeacherCall.objects.count() == 1


def test_a_trial_of_a_run_that_was_stopped_has_nothing_left_to_do(approver, teacher, server):
    run = diagnosed(approver, teacher=teacher)
    job = trial(run, approver)

    runs.stop(run, actor=approver, reason="enough")

    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    with pytest.raises(RunOver):
        trial(run, approver)


def test_words_that_do_not_render_are_not_tried(run, approver):
    SkillFactory(run=run, key="A2")

    with pytest.raises(BadPrompt):
        trial(run, approver, "{{ nobody }}")

    assert not Job.objects.exists()
