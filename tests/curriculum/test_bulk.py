"""Verdicts, tags and words for all that match; and items that people write."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.db import connection
from django.db.models import F

from curriculum.errors import (
    EmptyWords,
    NothingChanged,
    Overtaken,
    ReasonRequired,
    WordsTooLong,
    WrongMoment,
)
from curriculum.models import AuditEntry, Item, Review, ReviewAction, Stage, Tag
from curriculum.services import bulk, items, reviewing, undoing, words
from curriculum.services.matching import Queue
from curriculum.services.words import Replacement
from curriculum.states import Verdict
from distill.domains import question_key
from tests.factories import ItemFactory, ProbeFactory, StageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def replace(stage, actor, replacement, queue=None, seen=None):
    queue = queue or Queue(0)
    found = words.preview(stage, queue, replacement)
    return words.replace(
        stage,
        actor=actor,
        queue=queue,
        replacement=replacement,
        seen=seen or words.digest_of(item for item, *_ in found),
    )


def test_what_matches_is_approved_and_the_rest_waits(stage, approver):
    match = ItemFactory(stage=stage, question="What is 70 + 1?")
    ItemFactory(stage=stage, question="What is 80 + 1?")

    assert bulk.approve_matching(stage, actor=approver, queue=Queue(0, q="70 +")) == 1

    assert Item.objects.get(verdict=Verdict.APPROVED) == match
    action = ReviewAction.objects.get()
    assert (action.kind, action.n, action.where) == ("approved", 1, "round=0&q=70+%2B")
    assert Review.objects.get().action == action


def test_flagged_items_are_approved_together_only_where_the_filter_names_their_check(
    stage, approver
):
    ItemFactory(stage=stage, flagged=True)
    ItemFactory(stage=stage, leak=True)

    assert bulk.approve_matching(stage, actor=approver, queue=Queue(0)) == 0
    assert bulk.approve_matching(stage, actor=approver, queue=Queue(0, checks="flagged")) == 0
    assert bulk.approve_matching(stage, actor=approver, queue=Queue(0, failed="leak")) == 0
    assert bulk.approve_matching(stage, actor=approver, queue=Queue(0, failed="answer")) == 1


def test_what_failed_another_check_as_well_is_not_approved_by_the_name_of_one(stage, approver):
    ItemFactory(stage=stage, is_flagged=True, failed=" answer words ")

    assert bulk.approve_matching(stage, actor=approver, queue=Queue(0, failed="words")) == 0


def test_more_than_a_person_was_told_of_is_refused_and_fewer_is_not(stage, approver):
    ItemFactory.create_batch(2, stage=stage)

    with pytest.raises(Overtaken, match="This queue"):
        bulk.approve_matching(stage, actor=approver, queue=Queue(0), expected=1)
    with pytest.raises(Overtaken):
        bulk.reject_matching(stage, actor=approver, queue=Queue(0), reason="no", expected=1)

    assert bulk.approve_matching(stage, actor=approver, queue=Queue(0), expected=3) == 2


def test_all_that_match_are_rejected_for_one_reason(stage, approver):
    ItemFactory.create_batch(2, stage=stage)
    ItemFactory(stage=stage, approved=True)

    with pytest.raises(ReasonRequired):
        bulk.reject_matching(stage, actor=approver, queue=Queue(0), reason=" ")
    n = bulk.reject_matching(
        stage, actor=approver, queue=Queue(0, verdict="all"), reason="too easy"
    )

    assert n == 2
    assert set(Review.objects.values_list("reason", flat=True)) == {"too easy"}
    assert AuditEntry.objects.get().note == "too easy"


def test_of_many_items_the_entry_has_count_filter_and_hash_and_the_reviews_name_them(
    stage, approver, monkeypatch
):
    monkeypatch.setattr(reviewing, "INLINE", 2)
    found = ItemFactory.create_batch(3, stage=stage)

    bulk.approve_matching(stage, actor=approver, queue=Queue(0))

    evidence = AuditEntry.objects.get().evidence
    pairs = json.dumps([[item.pk, 1] for item in found], separators=(",", ":"))
    assert evidence["sha256"] == hashlib.sha256(pairs.encode()).hexdigest()
    assert (evidence["n"], evidence["filter"]) == (3, "round=0")
    assert "items" not in evidence
    named = Review.objects.filter(action=evidence["action"]).values_list("item", flat=True)
    assert set(named) == {item.pk for item in found}


def test_a_tag_is_put_on_once_and_taken_off(stage, approver):
    item = ItemFactory(stage=stage)

    assert bulk.tag_matching(stage, actor=approver, queue=Queue(0), word="odd") == 1
    assert bulk.tag_matching(stage, actor=approver, queue=Queue(0), word="odd") == 0
    assert items.tag(item, actor=approver, word="odd") is False
    items.untag(item, actor=approver, word="odd")
    with pytest.raises(Overtaken):
        items.untag(item, actor=approver, word="odd")

    assert not Tag.objects.exists()
    assert list(AuditEntry.objects.values_list("action", flat=True).order_by("sequence")) == [
        "items.tagged",
        "item.untagged",
    ]


def test_words_are_replaced_as_edits_that_wait_again(stage, approver):
    ItemFactory(stage=stage, question="What is 4 + 1?", approved=True)
    ItemFactory(stage=stage, question="Say 5 + 1!", answer="6")

    n, flagged = replace(
        stage, approver, Replacement("What is", "How much is"), Queue(0, "", "", "all")
    )

    assert (n, flagged) == (1, 0)
    changed = Item.objects.get(question="How much is 4 + 1?")
    assert (changed.version, changed.verdict) == (2, Verdict.WAITING)
    assert changed.revisions.get().question == "What is 4 + 1?"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.was, entry.became["n"]) == (
        "items.replaced",
        {"words": "What is"},
        1,
    )


@pytest.mark.parametrize(
    ("replacement", "question"),
    [
        (Replacement("what", "How", match_case=False), "How is 4 + 1?"),
        (Replacement(".", "!"), "What is 4 + 1?"),
        (Replacement("4 + 1", r"\g<0>"), r"What is \g<0>?"),
    ],
    ids=["any case", "no pattern", "no template"],
)
def test_text_is_found_and_put_as_it_stands(stage, approver, replacement, question):
    item = ItemFactory(stage=stage, question="What is 4 + 1?", answer="5")

    replace(stage, approver, replacement)

    item.refresh_from_db()
    assert item.question == question


def test_only_the_part_that_was_asked_for_is_changed(stage, approver):
    item = ItemFactory(stage=stage, question="What is 4 + 1?", solution="4 + 1. Answer: 5")

    replace(stage, approver, Replacement("4 + 1", "1 + 4", solution=False))

    item.refresh_from_db()
    assert (item.question, item.solution) == ("What is 1 + 4?", "4 + 1. Answer: 5")


def test_a_replacement_that_finds_nothing_or_something_else_by_now_is_refused(stage, approver):
    item = ItemFactory(stage=stage)
    what = Replacement("Add one", "One")

    with pytest.raises(NothingChanged):
        replace(stage, approver, Replacement("nowhere", "x"))
    with pytest.raises(Overtaken):
        replace(stage, approver, what, seen=words.digest_of([Item(pk=item.pk, version=2)]))

    assert not AuditEntry.objects.exists()


def test_new_words_are_checked_before_the_run_is_held(stage, approver, monkeypatch):
    item = ItemFactory(stage=stage)
    check, outside = words.engine.check_items, len(connection.savepoint_ids)
    checked = []

    def check_items(*asked):
        checked.append(len(connection.savepoint_ids))
        return check(*asked)

    monkeypatch.setattr(words.engine, "check_items", check_items)
    replace(stage, approver, Replacement("Add one", "One"))
    undoing.undo(ReviewAction.objects.get(), actor=approver)

    assert checked == [outside, outside]
    item.refresh_from_db()
    assert item.version == 3


def test_checks_that_others_have_overtaken_count_for_nothing(stage, approver, monkeypatch):
    item, twin = ItemFactory.create_batch(2, stage=stage)
    check = words.engine.check_items

    def check_items(*asked):
        Item.objects.filter(pk=twin.pk).update(question="One more?", version=F("version") + 1)
        return check(*asked)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(words.engine, "check_items", check_items)
        with pytest.raises(Overtaken):
            replace(stage, approver, Replacement(item.question, "One more?"))
    assert not AuditEntry.objects.exists()

    replace(stage, approver, Replacement(item.question, "One less?"))
    act = ReviewAction.objects.get()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(words.engine, "check_items", check_items)
        with pytest.raises(Overtaken):
            undoing.undo(act, actor=approver)

    act.refresh_from_db()
    assert act.undone_at is None
    assert Item.objects.get(pk=item.pk).question == "One less?"


def test_a_replacement_leaves_no_item_empty_or_endless(stage, approver):
    ItemFactory(stage=stage, question="eeeeeeeeeeeeeeeeeeeee 1", answer="1")

    with pytest.raises(EmptyWords):
        replace(stage, approver, Replacement("eeeeeeeeeeeeeeeeeeeee 1", ""))
    with pytest.raises(WordsTooLong):
        replace(stage, approver, Replacement("e", "e" * 1000))

    assert Item.objects.get().version == 1


def test_a_replacement_that_makes_two_questions_one_flags_both(stage, approver):
    ItemFactory(stage=stage, question="What is 4 + 1?")
    ItemFactory(stage=stage, question="What  is 4 + 1, please?", answer="5")

    n, flagged = replace(stage, approver, Replacement(", please", ""))

    assert (n, flagged) == (1, 1)
    assert Item.objects.get(version=2).failed == " duplicate "


def test_an_item_by_a_person_is_checked_and_waits_as_any_other(stage, approver):
    skill = stage.stage_skills.first().skill
    what = {"question": " What is 2 + 2? ", "solution": "Answer: 4", "answer": "4"}
    good = items.write(stage, actor=approver, round=0, skill=skill, **what)
    again = items.write(stage, actor=approver, round=0, skill=skill, **what)
    wrong = items.write(
        stage, actor=approver, round=0, skill=skill, **{**what, "question": "Two?", "answer": "5"}
    )

    assert (good.origin, good.verdict, good.question) == ("person", "", "What is 2 + 2?")
    assert (good.failed, again.failed, wrong.failed) == ("", " duplicate ", " ending ")
    assert len({good.key, again.key, wrong.key}) == 3
    entry = AuditEntry.objects.order_by("sequence").first()
    assert (entry.action, entry.actor) == ("item.written", approver.user)


def test_a_person_may_not_write_a_question_of_the_exam_and_train_on_it(stage, approver):
    skill = stage.stage_skills.first().skill
    question = "What is 4 + 4?"
    ProbeFactory(skill=skill, key=question_key(question), question=question, split="gate")

    item = items.write(
        stage, actor=approver, round=0, skill=skill, question=question, solution="8", answer="8"
    )

    assert item.is_leak


def test_an_item_has_words_everywhere(stage, approver):
    skill = stage.stage_skills.first().skill
    for empty in ("question", "solution", "answer"):
        given = {"question": "a", "solution": "b", "answer": "c", empty: " "}
        with pytest.raises(EmptyWords, match=empty):
            items.write(stage, actor=approver, round=0, skill=skill, **given)


def test_all_of_it_is_for_a_round_in_review(stage, approver):
    item = ItemFactory(stage=stage)
    Stage.objects.update(status="training")
    queue, skill = Queue(0), item.skill
    changes = [
        lambda: bulk.approve_matching(stage, actor=approver, queue=queue),
        lambda: bulk.reject_matching(stage, actor=approver, queue=queue, reason="no"),
        lambda: bulk.tag_matching(stage, actor=approver, queue=queue, word="odd"),
        lambda: items.tag(item, actor=approver, word="odd"),
        lambda: items.untag(item, actor=approver, word="odd"),
        lambda: replace(stage, approver, Replacement("Add", "One")),
        lambda: items.write(
            stage, actor=approver, round=0, skill=skill, question="a", solution="b", answer="c"
        ),
    ]

    for change in changes:
        with pytest.raises(WrongMoment, match="only while the stage is “in review”"):
            change()

    assert not AuditEntry.objects.exists()
