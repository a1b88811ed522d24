"""Taking back acts, the last first, and what others have changed since."""

from __future__ import annotations

import pytest

from curriculum.errors import Overtaken, SomebodyElses, WrongMoment
from curriculum.models import Assignment, AuditEntry, Item, Review, Revision, Stage, Tag
from curriculum.services import apart, audit, bulk, items, sampling, teamwork, undoing, words
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.services.undoing import last_action
from curriculum.states import Verdict
from tests.factories import ItemFactory, ReviewerFactory, StageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1"])


@pytest.fixture
def other():
    return Actor.person(ReviewerFactory(first_name="Grace", last_name="Hopper"))


def undo_last(stage, actor):
    return undoing.undo(last_action(stage, 0, actor.user), actor=actor)


def verdicts():
    return list(Item.objects.order_by("pk").values_list("verdict", flat=True))


def test_acts_are_undone_the_last_first_one_by_one_or_many_at_once(stage, approver):
    one, two, three, four = ItemFactory.create_batch(4, stage=stage)
    items.reject(one, actor=approver, version=1, reason="too easy")
    bulk.approve_all(stage, actor=approver, round=0)
    assert verdicts() == ["rejected", "approved", "approved", "approved"]

    assert undo_last(stage, approver).n == 3
    assert verdicts() == ["rejected", "", "", ""]
    assert undo_last(stage, approver).n == 1
    assert verdicts() == ["", "", "", ""]
    assert last_action(stage, 0, approver.user) is None
    assert audit.verify(stage.run)[0] == 4


def test_what_was_undone_can_be_decided_and_undone_again(stage, approver):
    ItemFactory(stage=stage)
    for _ in range(2):
        bulk.approve_all(stage, actor=approver, round=0)
        assert undo_last(stage, approver).n == 1

    assert [r.verdict for r in Review.objects.order_by("pk")] == ["approved", "", "approved", ""]


def test_what_somebody_else_has_changed_since_stays_and_they_are_named(stage, approver, other):
    kept, edited, mine = ItemFactory.create_batch(3, stage=stage)
    bulk.approve_all(stage, actor=approver, round=0)
    items.undo(Item.objects.get(pk=kept.pk), actor=other, version=1)
    items.reject(Item.objects.get(pk=kept.pk), actor=other, version=1, reason="no")
    new = {"question": "What is 1 + 1?", "solution": "Answer: 2"}
    items.edit(Item.objects.get(pk=edited.pk), actor=other, version=1, **new)

    done = undo_last(stage, approver)

    assert (done.n, done.stays, done.by) == (1, 2, ["Grace Hopper"])
    assert verdicts() == ["rejected", "", ""]
    entry = AuditEntry.objects.get(action="items.undone")
    assert entry.became == {"undone": 1, "stays": 2, "changed_by": ["Grace Hopper"]}
    assert entry.evidence["items"] == [[mine.pk, 1]]


def test_an_approval_given_again_by_somebody_else_is_theirs(stage, approver, other):
    item, _ = ItemFactory.create_batch(2, stage=stage)
    bulk.approve_all(stage, actor=approver, round=0)
    items.undo(Item.objects.get(pk=item.pk), actor=other, version=1)
    items.approve(Item.objects.get(pk=item.pk), actor=other, version=1)

    assert undo_last(stage, approver).n == 1
    assert verdicts() == [Verdict.APPROVED, ""]


def test_an_edit_is_undone_by_a_new_version_with_the_words_before(stage, approver):
    item = ItemFactory(stage=stage, question="What is 2 + 3?", answer="5", solution="Answer: 5")
    items.edit(item, actor=approver, version=1, question="What is 2 + 3?", solution="It is so.")
    assert item.is_flagged

    undo_last(stage, approver)

    item.refresh_from_db()
    assert (item.version, item.solution, item.is_flagged) == (3, "Answer: 5", False)
    assert list(Revision.objects.values_list("version", "solution")) == [
        (1, "Answer: 5"),
        (2, "It is so."),
    ]


def edit(item, actor, question):
    now = Item.objects.get(pk=item.pk)
    solution = now.solution
    items.edit(now, actor=actor, version=now.version, question=question, solution=solution)


def test_edits_of_one_item_are_undone_one_after_another_to_its_first_words(stage, approver):
    item = ItemFactory(stage=stage, question="What is 1 + 1?")
    edit(item, approver, "What is 1 + 2?")
    edit(item, approver, "What is 1 + 3?")

    for question in ("What is 1 + 2?", "What is 1 + 1?"):
        assert undo_last(stage, approver).n == 1
        item.refresh_from_db()
        assert item.question == question

    edit(item, approver, "What is 1 + 4?")
    assert undo_last(stage, approver).n == 1
    item.refresh_from_db()
    assert (item.question, item.version) == ("What is 1 + 1?", 7)
    assert last_action(stage, 0, approver.user) is None


def test_words_replaced_come_back_in_an_item_whose_later_edit_was_undone(stage, approver):
    first, _ = ItemFactory.create_batch(2, stage=stage, question="What is 1 + 1?")
    what = words.Replacement("What is", "How much is")
    seen = words.digest_of(Item.objects.all())
    words.replace(stage, actor=approver, queue=Queue(0), replacement=what, seen=seen)
    edit(first, approver, "How much is 1 and 1?")

    assert undo_last(stage, approver).n == 1
    assert undo_last(stage, approver).n == 2
    assert {item.question for item in Item.objects.all()} == {"What is 1 + 1?"}


def test_words_of_somebody_else_stay_though_what_came_after_them_was_undone(stage, approver, other):
    item = ItemFactory(stage=stage, question="What is 1 + 1?")
    edit(item, approver, "What is 1 + 2?")
    edit(item, other, "What is 1 + 3?")
    edit(item, approver, "What is 1 + 4?")
    undo_last(stage, approver)

    done = undo_last(stage, approver)

    assert (done.n, done.stays) == (0, 1)
    item.refresh_from_db()
    assert item.question == "What is 1 + 3?"


def test_an_edit_whose_item_was_approved_since_stays(stage, approver, other):
    item = ItemFactory(stage=stage)
    items.edit(item, actor=approver, version=1, question="What is 1 + 1?", solution="Answer: 2")
    items.approve(item, actor=other, version=2)

    done = undo_last(stage, approver)

    assert (done.n, done.stays, done.by) == (0, 1, ["Grace Hopper"])
    assert Item.objects.get().version == 2


def test_words_replaced_in_many_items_come_back_together(stage, approver):
    found = ItemFactory.create_batch(3, stage=stage)
    what = words.Replacement("Add one more.", "One more.")
    seen = words.digest_of(found)
    words.replace(stage, actor=approver, queue=Queue(0), replacement=what, seen=seen)

    assert undo_last(stage, approver).n == 3

    assert [item.solution for item in Item.objects.order_by("pk")] == [i.solution for i in found]
    assert set(Item.objects.values_list("version", flat=True)) == {3}


def test_tags_put_on_together_come_off_together(stage, approver):
    had, _ = ItemFactory.create_batch(2, stage=stage)
    items.tag(had, actor=approver, word="odd")
    bulk.tag_matching(stage, actor=approver, queue=Queue(0), word="odd")

    assert undo_last(stage, approver).n == 1
    assert Tag.objects.get().item == had


def test_a_verdict_taken_back_alone_is_undone_and_not_undone_again(stage, approver):
    first, second = ItemFactory.create_batch(2, stage=stage)
    items.approve(first, actor=approver, version=1)
    items.approve(second, actor=approver, version=1)
    items.undo(second, actor=approver, version=1)

    assert undo_last(stage, approver).n == 1
    assert verdicts() == ["", ""]


def test_an_act_is_undone_once_and_by_whoever_did_it(stage, approver, other):
    items.approve(ItemFactory(stage=stage), actor=approver, version=1)
    action = last_action(stage, 0, approver.user)

    with pytest.raises(SomebodyElses):
        undoing.undo(action, actor=other)
    undoing.undo(action, actor=approver)
    with pytest.raises(Overtaken):
        undoing.undo(action, actor=approver)


def test_what_is_frozen_is_not_undone(stage, approver):
    items.approve(ItemFactory(stage=stage), actor=approver, version=1)
    Stage.objects.update(status="training")

    with pytest.raises(WrongMoment):
        undo_last(stage, approver)

    assert last_action(stage, 0, approver.user).undone_at is None
    assert verdicts() == ["approved"]


def test_policys_acts_are_nobodys_to_undo(stage, approver):
    ItemFactory(stage=stage)
    bulk.approve_all(stage, actor=Actor.policy("only gates: clean items"), round=0)

    assert last_action(stage, 0, approver.user) is None
    with pytest.raises(SomebodyElses):
        undoing.undo(stage.actions.get(), actor=approver)


def shared_item(stage, *people):
    item = ItemFactory(stage=stage)
    for who in people:
        Assignment.objects.create(item=item, reviewer=who)
    return item


def say(item, who, verdict, reason=""):
    return teamwork.give_opinion(
        item, actor=Actor.person(who), version=1, verdict=verdict, reason=reason
    )


@pytest.mark.parametrize("verdict", [Verdict.APPROVED, Verdict.REJECTED])
def test_an_adjudication_is_undone_and_not_an_older_verdict(stage, approver, other, verdict):
    older = ItemFactory(stage=stage)
    item = shared_item(stage, other.user, ReviewerFactory())
    items.approve(older, actor=approver, version=1)
    for assigned, said in zip(item.assignments.all(), ("approved", "rejected"), strict=True):
        say(item, assigned.reviewer, said, "odd")
    teamwork.adjudicate(item, actor=approver, version=1, verdict=verdict, reason="so")

    assert undo_last(stage, approver).n == 1

    assert verdicts() == ["approved", ""]
    assert list(apart.to_adjudicate(stage, 0)) == [item]
    entry = AuditEntry.objects.get(action="items.undone")
    assert (entry.was["act"], entry.evidence["items"]) == (verdict, [[item.pk, 1]])
    again = teamwork.adjudicate(item, actor=approver, version=1, verdict=verdict, reason="so")
    assert again.verdict == verdict
    items.undo(again, actor=other, version=1)
    assert undoing.offered(stage, 0, approver.user).reviews.get().item == older


def test_what_opinions_agree_on_is_nobodys_to_undo(stage, approver):
    item = shared_item(stage, approver.user, ReviewerFactory())
    for assigned in item.assignments.all():
        say(item, assigned.reviewer, Verdict.APPROVED)

    assert verdicts() == ["approved"]
    assert not stage.actions.exists()


def test_behind_what_cannot_be_undone_no_older_act_is_offered(stage, approver):
    older, tagged = ItemFactory.create_batch(2, stage=stage)
    items.tag(tagged, actor=approver, word="odd")
    items.approve(older, actor=approver, version=1)
    act = undoing.offered(stage, 0, approver.user)
    assert act == last_action(stage, 0, approver.user)

    say(shared_item(stage, approver.user, ReviewerFactory()), approver.user, Verdict.APPROVED)
    assert undoing.offered(stage, 0, approver.user) is None
    assert last_action(stage, 0, approver.user) == act  # it stands, and can be named

    new = ItemFactory(stage=stage)
    items.approve(new, actor=approver, version=1)
    undoing.undo(undoing.offered(stage, 0, approver.user), actor=approver)
    assert undoing.offered(stage, 0, approver.user) == act  # undo after undo goes on

    items.untag(tagged, actor=approver, word="odd")
    assert undoing.offered(stage, 0, approver.user) is None


def test_behind_the_approval_of_a_samples_others_nothing_is_offered(stage, approver, other):
    ItemFactory.create_batch(40, stage=stage)
    sample = sampling.draw(stage, actor=approver, round=0, n=12, tolerance=0.25)
    for pk, _ in sample.items:
        items.approve(Item.objects.get(pk=pk), actor=approver, version=1)

    sampling.approve_rest(sample, actor=approver)

    assert undoing.offered(stage, 0, approver.user) is None
    assert last_action(stage, 0, approver.user) is not None
