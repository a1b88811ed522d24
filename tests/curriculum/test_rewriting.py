"""Others in place of what is no good: refused together, and as many written anew."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum import tasks
from curriculum.errors import JobOutdated, ReasonRequired, StillAtWork
from curriculum.models import Item, Job, TeacherCall, WritingTally
from curriculum.services import bulk, jobs, rewriting, stages, undoing
from curriculum.services.matching import Queue
from curriculum.states import JobKind, JobStatus, StageStatus, Verdict
from tests.curriculum.small import reviewing, work, writing_by
from tests.factories import ItemFactory, StageFactory

pytestmark = pytest.mark.django_db


def ask_for_others(stage, actor, queue=None, reason="too easy"):
    return rewriting.rewrite_matching(stage, actor=actor, queue=queue or Queue(0), reason=reason)


def test_as_many_others_of_the_same_skill_come_into_the_queue(approver):
    stage = reviewing(approver)
    before = set(Item.objects.values_list("question", flat=True))

    n = ask_for_others(stage, approver)
    job = work(stage.run)

    stage.refresh_from_db()
    others = rewriting.items_of(job)
    assert stage.status == StageStatus.REVIEWING
    assert others.count() == n == len(before)
    assert not before & set(others.values_list("question", flat=True))
    assert not others.exclude(verdict=Verdict.WAITING).exists()
    assert Item.objects.filter(verdict=Verdict.REJECTED).count() == n
    entry = stage.run.audit.get(action="items.rewritten")
    assert entry.became == {"round": 0, "batch": 1, "items": n, "flagged": 0}


def test_a_worker_that_begins_again_writes_the_same_and_nothing_twice(approver):
    stage = reviewing(approver)
    ask_for_others(stage, approver)
    job = stage.run.jobs.get(kind=JobKind.REWRITE)
    work(stage.run)
    said = list(rewriting.items_of(job).values_list("key", "question"))
    rewriting.items_of(job).filter(key__gt=said[5][0]).delete()

    Job.objects.filter(pk=job.pk).update(status=JobStatus.LOST)
    jobs.retry(Job.objects.get(pk=job.pk), actor=approver)
    work(stage.run)

    assert sorted(rewriting.items_of(job).values_list("key", "question")) == sorted(said)


def test_a_second_batch_is_yet_others(approver):
    stage = reviewing(approver)
    for _ in range(2):
        ask_for_others(stage, approver)
        work(stage.run)

    questions = list(Item.objects.values_list("question", flat=True))
    assert len(questions) == len(set(questions))
    assert Item.objects.filter(verdict=Verdict.WAITING).count() * 3 == len(questions)


def test_nothing_is_trained_while_others_are_to_come(approver):
    stage = StageFactory(reviewing=True)
    ItemFactory(stage=stage, approved=True)
    ItemFactory(stage=stage)
    ask_for_others(stage, approver)

    with pytest.raises(StillAtWork, match="write others"):
        stages.train(stage, actor=approver, round=0)
    stage.refresh_from_db()
    ItemFactory(stage=stage)
    with pytest.raises(StillAtWork):
        ask_for_others(stage, approver)

    jobs.cancel(Job.objects.get(), actor=approver)
    bulk.approve_matching(stage, actor=approver, queue=Queue(0))
    assert stages.train(stage, actor=approver, round=0).status == StageStatus.TRAINING
    with pytest.raises(JobOutdated):  # the items are frozen: others would come too late
        jobs.retry(Job.objects.get(kind=JobKind.REWRITE), actor=approver)


def test_a_stage_that_is_rolled_back_calls_them_off(approver):
    stage = reviewing(approver)
    ask_for_others(stage, approver)
    written = Item.objects.count()
    stage.refresh_from_db()

    stages.roll_back(stage, actor=approver, round=0, reason="nonsense")
    queued = Job.objects.get(kind=JobKind.REWRITE)
    tasks.work(queued.pk, queued.attempt)

    queued.refresh_from_db()
    assert queued.status == JobStatus.CANCELLED
    assert Item.objects.count() == written
    assert not stage.run.audit.filter(action="items.rewritten").exists()


def test_without_a_reason_or_an_item_nothing_is_asked_for(approver):
    stage = StageFactory(reviewing=True)
    item = ItemFactory(stage=stage)

    with pytest.raises(ReasonRequired):
        ask_for_others(stage, approver, reason=" ")
    assert ask_for_others(stage, approver, Queue(0, q="nowhere")) == 0

    item.refresh_from_db()
    assert item.verdict == Verdict.WAITING
    assert not Job.objects.exists()


def test_the_rejection_can_be_undone_and_the_others_stay(approver):
    stage = reviewing(approver)
    n = ask_for_others(stage, approver)
    work(stage.run)
    act = undoing.last_action(stage, 0, approver.user)

    undoing.undo(act, actor=approver)

    assert Item.objects.filter(verdict=Verdict.WAITING).count() == 2 * n


def test_a_language_model_is_told_why_and_both_tallies_are_kept(approver, teacher):
    stage = writing_by(approver, teacher)
    work(stage.run)
    stage.refresh_from_db()
    before = WritingTally.objects.count()

    ask_for_others(stage, approver, reason="names no unit")
    work(stage.run)

    others = TeacherCall.objects.filter(key__startswith="s1r0w1-", purpose="write")
    assert others.exists()
    assert all("names no unit" in prompt for prompt in others.values_list("prompt", flat=True))
    assert WritingTally.objects.filter(batch=1).count() == before


def test_the_queue_shows_how_far_they_are_and_what_has_come(client, approver):
    stage = reviewing(approver)
    client.force_login(approver.user)
    page = reverse("curriculum:stage-review", args=[stage.pk])
    url = reverse("curriculum:stage-rewrite-all", args=[stage.pk])

    client.post(url, {"round": 0, "reason": "too easy"})
    waiting = client.get(page).text
    work(stage.run)
    done = client.get(reverse("curriculum:stage-rewriting", args=[stage.pk])).text

    assert 'hx-trigger="every 2s"' in waiting
    assert "Write others" in waiting
    assert "16 others written in place of items rejected as “<bdi>too easy</bdi>”" in " ".join(
        done.split()
    )
    assert "every 2s" not in done
