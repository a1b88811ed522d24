"""Reviewing as a team: sharing out, independent opinions, agreement and adjudication."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from curriculum.errors import (
    BadShare,
    LeakNeverApproved,
    NotYours,
    Overtaken,
    ReasonRequired,
    SecondPersonNeeded,
    WrongMoment,
)
from curriculum.models import Assignment, AuditEntry, Item, Opinion, Review, Stage
from curriculum.services import apart, audit, gates, items, signers, stages, teamwork
from curriculum.services.audit import Actor
from curriculum.states import ActorKind, StageStatus, Verdict
from tests.factories import (
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    ReviewerFactory,
    StageFactory,
    ViewerFactory,
)

pytestmark = pytest.mark.django_db(transaction=connection.vendor != "sqlite")
YES, NO = Verdict.APPROVED, Verdict.REJECTED


@pytest.fixture
def team(db):
    return [ReviewerFactory(first_name=name, last_name="") for name in ("Bob", "Cid", "Dan")]


@pytest.fixture
def stage(db):
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def shared_item(people, stage=None, **traits):
    item = ItemFactory(**({"stage": stage} if stage else {}), **traits)
    for who in people:
        Assignment.objects.create(item=item, reviewer=who)
    return item


def say(item, who, verdict, reason="", version=1):
    return teamwork.give_opinion(
        item, actor=Actor.person(who), version=version, verdict=verdict, reason=reason
    )


def share_out(stage, people, actor, **more):
    return teamwork.share_out(stage, actor=actor, round=0, reviewers=people, **more)


def loads():
    return Counter(Assignment.objects.values_list("reviewer__first_name", flat=True))


# --- sharing out


def test_each_skill_goes_round_the_reviewers_in_turn(stage, team, approver):
    a1, a2 = [place.skill for place in stage.stage_skills.all()]
    for skill in (a1, a2):
        ItemFactory.create_batch(6, stage=stage, skill=skill)

    share_out(stage, team, approver)

    assert loads() == {"Bob": 4, "Cid": 4, "Dan": 4}
    of_a1 = Assignment.objects.filter(item__skill=a1).values_list("reviewer", flat=True)
    assert set(Counter(of_a1).values()) == {2}


def test_a_random_share_goes_to_several_people_and_to_the_same_items_again(stage, team, approver):
    ItemFactory.create_batch(20, stage=stage)

    n = share_out(stage, team, approver, overlap=3, overlap_share=0.25)
    first = set(apart.shared(Item.objects.all()).values_list("item", flat=True))
    share_out(stage, team, approver, overlap=3, overlap_share=0.25)

    assert n == len(first) == 5
    assert set(apart.shared(Item.objects.all()).values_list("item", flat=True)) == first
    assert Assignment.objects.count() == 15 + 5 * 3


@given(
    st.lists(st.integers(1, 3), max_size=40),
    st.integers(3, 6),
)
def test_loads_differ_by_one_at_most_and_nobody_gets_an_item_twice(wanted, n_people):
    people = list(range(100, 100 + n_people))

    dealt = teamwork.deal(list(enumerate(wanted)), people, {})

    assert [len(who) for who in dealt.values()] == wanted
    assert all(len(set(who)) == len(who) for who in dealt.values())
    load = Counter(who for each in dealt.values() for who in each)
    counts = [load[person] for person in people]
    assert max(counts) - min(counts) <= 1


def test_only_what_waits_is_shared_out_and_the_entry_says_to_whom(stage, team, approver):
    waiting = ItemFactory(stage=stage)
    ItemFactory(stage=stage, approved=True)

    share_out(stage, team[:1], approver)

    assert list(apart.left_for(team[0])) == [waiting]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.became) == ("items.shared_out", {"items": 1, "to": ["Bob"]})


def test_who_gave_an_opinion_keeps_the_item_when_it_is_dealt_again(stage, team, approver):
    item = shared_item(team[:2], stage)
    say(item, team[0], YES)

    share_out(stage, team[1:], approver, overlap=2, overlap_share=1)

    people = set(item.assignments.values_list("reviewer__first_name", flat=True))
    assert "Bob" in people
    assert len(people) == 2


def test_an_item_with_an_opinion_is_left_in_somebodys_queue_when_nothing_is_to_overlap(
    stage, team, approver
):
    bob, cid, _ = team
    item = shared_item([bob, cid], stage)
    say(item, bob, YES)

    n = share_out(stage, [cid], approver, overlap=2, overlap_share=0)

    assert n == 1
    assert list(apart.left_for(cid)) == [item]
    assert say(item, cid, YES).verdict == YES


def test_who_gave_an_opinion_is_not_left_alone_with_the_item(stage, team, approver):
    item = shared_item(team[:2], stage)
    say(item, team[0], YES)

    with pytest.raises(BadShare, match="On 1 of the items .* choose another person as well"):
        share_out(stage, team[:1], approver)

    assert item.assignments.count() == 2


def test_dealing_to_fewer_concludes_what_they_have_all_said(stage, team, approver):
    item = shared_item(team, stage)
    say(item, team[0], YES)
    say(item, team[1], YES)

    share_out(stage, team[:2], approver, overlap=2, overlap_share=1)

    item.refresh_from_db()
    assert item.verdict == YES


def test_shares_that_cannot_be_are_refused_and_leave_no_trace(stage, team, approver):
    ItemFactory(stage=stage)

    for people, more in (
        ([], {}),
        (team, {"overlap": 4, "overlap_share": 0.5}),
        (team, {"overlap": 1, "overlap_share": 0.5}),
        (team, {"overlap_share": 1.5}),
        ([ViewerFactory()], {}),
    ):
        with pytest.raises(BadShare):
            share_out(stage, people, approver, **more)

    assert not Assignment.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_round_that_is_not_in_review_or_has_no_waiting_item_is_not_shared_out(team, approver):
    with pytest.raises(WrongMoment):
        share_out(StageFactory(writing=True), team, approver)
    with pytest.raises(BadShare, match="nothing to share"):
        share_out(StageFactory(reviewing=True), team, approver)
    with pytest.raises(Overtaken):
        teamwork.share_out(StageFactory(reviewing=True), actor=approver, round=1, reviewers=team)


# --- opinions


@pytest.mark.parametrize("verdict", [YES, NO])
def test_whether_one_person_may_decide_is_asked_when_all_other_writers_wait(team, verdict):
    item, actor = ItemFactory(), Actor.person(team[0])

    with CaptureQueriesContext(connection) as asked:
        if verdict == YES:
            items.approve(item, actor=actor, version=1)
        else:
            items.reject(item, actor=actor, version=1, reason="no")

    said = [query["sql"] for query in asked]
    held = next(i for i, sql in enumerate(said) if sql.startswith('UPDATE "curriculum_run"'))
    assert [i > held for i, sql in enumerate(said) if "curriculum_assignment" in sql] == [True]


@pytest.mark.parametrize("verdict", [YES, NO])
def test_when_all_say_the_same_it_is_the_verdict_by_policy_with_their_words(team, verdict):
    item = shared_item(team[:2])
    say(item, team[0], verdict, "one step is missing")
    item.refresh_from_db()
    assert item.verdict == Verdict.WAITING

    item = say(item, team[1], verdict, "one step is missing")

    assert item.verdict == verdict
    review = Review.objects.get()
    assert (review.reviewed_as, review.reviewer) == (ActorKind.POLICY, None)
    entry = AuditEntry.objects.get(action="item.agreed")
    assert entry.actor_name == "overlap: opinions of 2 reviewers"
    assert [o["by"] for o in entry.evidence["opinions"]] == ["Bob", "Cid"]
    audit.verify(item.stage.run)


def test_before_all_are_in_the_log_says_who_spoke_and_not_what(team):
    item = shared_item(team[:2])

    say(item, team[0], NO, "secret reason")

    entry = AuditEntry.objects.get()
    told = f"{entry.was}{entry.became}{entry.evidence}{entry.note}"
    assert entry.action == "item.opinion"
    assert "rejected" not in told
    assert "secret" not in told


def test_where_they_differ_the_item_waits_for_an_adjudicator(team, approver):
    item = shared_item(team[:2])
    say(item, team[0], YES)
    assert not apart.to_adjudicate(item.stage, 0).exists()
    say(item, team[1], NO, "too hard")
    assert list(apart.to_adjudicate(item.stage, 0)) == [item]
    assert AuditEntry.objects.filter(action="item.disagreed").exists()

    teamwork.adjudicate(item, actor=approver, version=1, verdict=NO, reason="It is too hard.")

    item.refresh_from_db()
    assert item.verdict == NO
    assert not apart.to_adjudicate(item.stage, 0).exists()
    entry = AuditEntry.objects.get(action="item.adjudicated")
    assert [o["verdict"] for o in entry.evidence["opinions"]] == ["approved", "rejected"]
    assert Review.objects.get().reason == "It is too hard."


def test_an_adjudication_says_why_and_waits_for_all_opinions(team, approver):
    item = shared_item(team[:2])
    say(item, team[0], YES)

    with pytest.raises(NotYours, match="Not all opinions"):
        teamwork.adjudicate(item, actor=approver, version=1, verdict=YES, reason="Fine.")
    with pytest.raises(ReasonRequired):
        teamwork.adjudicate(item, actor=approver, version=1, verdict=YES, reason=" ")


def test_one_persons_verdict_on_a_shared_item_is_refused_and_on_a_single_one_is_not(team):
    item, mine = shared_item(team[:2]), shared_item(team[:1])
    bob = Actor.person(team[0])

    with pytest.raises(NotYours):
        items.approve(item, actor=bob, version=1)
    with pytest.raises(NotYours):
        items.reject(item, actor=bob, version=1, reason="no")

    assert items.approve(mine, actor=bob, version=1).verdict == YES


def test_approving_all_together_leaves_what_takes_opinions(stage, team, approver):
    shared_item(team[:2], stage)
    shared_item(team[:2], stage, flagged=True)
    single = ItemFactory(stage=stage)

    assert items.approve_all(stage, actor=approver, round=0) == 1
    assert items.reject_flagged(stage, actor=approver, round=0) == 0
    assert list(Item.objects.exclude(verdict=Verdict.WAITING)) == [single]


def test_an_opinion_stands_is_for_those_assigned_and_has_to_say_why(team, approver):
    item = shared_item(team[:2])
    say(item, team[0], YES)

    with pytest.raises(NotYours, match="it stands"):
        say(item, team[0], NO, "second thoughts")
    with pytest.raises(NotYours, match="not shared out to you"):
        say(item, team[2], YES)
    with pytest.raises(NotYours, match="not shared out to you"):
        say(shared_item(team[:1]), team[0], YES)
    with pytest.raises(ReasonRequired):
        say(item, team[1], NO, " ")
    with pytest.raises(LeakNeverApproved):
        say(shared_item(team[:2], leak=True), team[0], YES)
    assert Opinion.objects.count() == 1


def test_opinions_are_of_a_version_and_an_edit_asks_all_of_them_again(team):
    item = shared_item(team[:2], StageFactory(reviewing=True, skills=["A1"]))
    say(item, team[0], YES)
    items.edit(
        item,
        actor=Actor.person(team[1]),
        version=1,
        question="What is 1 + 1?",
        solution="Answer: 2",
    )

    with pytest.raises(Overtaken):
        say(item, team[1], YES, version=1)
    assert list(apart.left_for(team[0])) == [item]
    say(item, team[0], YES, version=2)
    assert say(item, team[1], YES, version=2).verdict == YES


def test_a_verdict_by_agreement_that_is_undone_waits_for_an_adjudicator(team, approver):
    item = shared_item(team[:2])
    for who in team[:2]:
        item = say(item, who, YES)

    items.undo(item, actor=approver, version=1)

    assert list(apart.to_adjudicate(item.stage, 0)) == [item]


def test_of_two_last_opinions_at_once_one_concludes(at_once, team):
    item = shared_item(team[:2])

    results = at_once([lambda who=who: say(item, who, YES) for who in team[:2]])

    assert all(isinstance(result, Item) for result in results), results
    assert at_once([lambda: Item.objects.get(pk=item.pk).verdict]) == [YES]
    assert at_once([lambda: (Review.objects.count(), Opinion.objects.count())]) == [(1, 2)]


def test_of_one_persons_two_opinions_at_once_one_counts(at_once, team):
    item = shared_item(team[:2])

    results = at_once([lambda v=v: say(item, team[0], v, "why") for v in (YES, NO)])

    assert sum(isinstance(result, NotYours) for result in results) == 1
    assert at_once([Opinion.objects.count]) == [1]


def test_under_the_two_person_rule_who_spoke_for_an_item_does_not_sign_its_gate(db):
    people = [ApproverFactory(first_name=name, last_name="") for name in ("Ada", "Bea", "Cleo")]
    stage = StageFactory(run__two_people=True, reviewing=True, skills=["A1"])
    CheckpointFactory(run=stage.run)
    item = shared_item(people[:2], stage)
    for who in people[:2]:
        say(item, who, YES)
    stage = stages.train(stage, actor=Actor.person(people[2]), round=0)
    Stage.objects.filter(pk=stage.pk).update(status=StageStatus.DECIDING)
    gate = GateFactory(stage=Stage.objects.get(pk=stage.pk), mastered=True)

    assert signers.part_of(people[0], gate.stage).did == "spoke for 1 item"
    with pytest.raises(SecondPersonNeeded, match="You spoke for 1 item"):
        gates.advance(gate, actor=Actor.person(people[0]), round=0, reason="")
