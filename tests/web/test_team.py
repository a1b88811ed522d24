"""The team's page, and what the review page says of the others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from curriculum.models import (
    Assignment,
    AuditEntry,
    Guideline,
    Item,
    ItemLock,
    Opinion,
    Review,
    Sample,
)
from curriculum.services import presence
from curriculum.states import Verdict
from curriculum.views import team as team_page
from curriculum.views import team_reads
from tests.factories import ApproverFactory, ItemFactory, ReviewerFactory, StageFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture
def stage(db):
    return StageFactory(reviewing=True, skills=["A1", "A2"])


@pytest.fixture
def carol(db):
    return ReviewerFactory(first_name="Carol", last_name="")


def team(client, stage):
    response = client.get(f"/stages/{stage.pk}/team/")
    assert response.status_code == 200
    return response.text


def review(client, item, query=""):
    return client.get(f"/stages/{item.stage_id}/review/?item={item.pk}{query}").text


def look(client, item, **form):
    return client.post(f"/items/{item.pk}/look/", form, headers=HTMX)


def assign(item, *people):
    for who in people:
        Assignment.objects.create(item=item, reviewer=who)
    return item


# --- presence


def test_opening_a_page_takes_no_lock_and_its_heartbeat_does(client, reviewer, stage):
    item = ItemFactory(stage=stage)

    page = review(client, item)
    assert not ItemLock.objects.exists()
    assert f'hx-post="/items/{item.pk}/look/"' in page

    assert look(client, item).text.strip() == ""
    assert ItemLock.objects.get().person == reviewer


def test_the_second_person_is_told_may_take_over_and_is_shown_the_next_free(
    client, reviewer, carol, stage
):
    first, second = ItemFactory.create_batch(2, stage=stage)
    presence.look(first, person=carol)
    ItemLock.objects.update(since=timezone.now() - timedelta(minutes=2, seconds=5))

    told = look(client, first, round=0, checks="passed")

    assert "<strong>Carol</strong> has been looking at this" in told.text
    assert "for 2 minutes" in told.text
    free = re.search(r'id="next-free" href="([^"]+)"', told.text).group(1).replace("&amp;", "&")
    assert "checks=passed" in free
    assert f'id="item-{second.pk}"' in client.get(free).text
    assert look(client, first, take="1").text.strip() == ""
    assert ItemLock.objects.get().person == reviewer


def test_a_heartbeat_that_has_nothing_new_brings_the_time_alone(client, reviewer, carol, stage):
    item = ItemFactory(stage=stage)
    presence.look(item, person=carol)

    again = look(client, item, seen=carol.pk)

    assert again["HX-Reswap"] == "none"
    assert 'id="presence-since"' in again.text
    assert "take-over" not in again.text


def test_the_queue_prefers_what_nobody_else_looks_at(client, reviewer, carol, stage):
    first, second = ItemFactory.create_batch(2, stage=stage)
    presence.look(first, person=carol)

    page = client.get(f"/stages/{stage.pk}/review/").text
    assert f'id="item-{second.pk}"' in page

    presence.look(second, person=ReviewerFactory())
    page = client.get(f"/stages/{stage.pk}/review/").text
    assert f'id="item-{first.pk}"' in page  # rather a taken one than none


def test_a_heartbeat_is_for_reviewers_and_only_a_post(client, viewer, stage):
    item = ItemFactory(stage=stage)

    assert client.get(f"/items/{item.pk}/look/").status_code == 405
    assert look(client, item).status_code == 403
    assert "/look/" not in review(client, item)
    client.logout()
    assert client.post(f"/items/{item.pk}/look/").url == f"/login/?next=/items/{item.pk}/look/"
    assert not ItemLock.objects.exists()


def test_without_htmx_a_take_over_leads_back_to_the_item(client, reviewer, stage):
    item = ItemFactory(stage=stage)

    response = client.post(f"/items/{item.pk}/look/", {"take": "1"})

    assert response.status_code == 302
    assert response.url.endswith(f"?round=0&item={item.pk}")


# --- opinions


def test_a_shared_item_asks_for_an_opinion_and_not_for_a_verdict(client, reviewer, carol, stage):
    item = assign(ItemFactory(stage=stage), reviewer, carol)

    page = review(client, item)

    assert "I approve" in page
    assert f"/items/{item.pk}/approve/" not in page


def test_what_is_offered_to_be_decided_together_leaves_out_what_several_judge(
    client, reviewer, carol, stage
):
    ItemFactory(stage=stage)
    for trait in ({}, {"flagged": True}):
        assign(ItemFactory(stage=stage, **trait), reviewer, carol)

    page = client.get(f"/stages/{stage.pk}/review/?round=0").text

    assert "Approve all 1 that match" in page
    assert 'id="reject-flagged"' not in page


def test_an_opinion_is_hidden_from_the_others_until_all_are_in(client, reviewer, carol, stage):
    item = assign(ItemFactory(stage=stage), reviewer, carol)
    secret = "the carry is lost"
    Opinion.objects.create(item=item, version=1, reviewer=carol, verdict="rejected", reason=secret)

    for address in ("review/", f"review/?item={item.pk}", "team/", "review/?verdict=all"):
        assert secret not in client.get(f"/stages/{stage.pk}/{address}").text
    assert secret not in client.get(f"/runs/{stage.run_id}/audit/").text

    said = client.post(f"/items/{item.pk}/opinion/", {"version": 1, "opinion": "approved"})
    assert said.status_code == 302
    assert secret in review(client, item)


def test_a_rejecting_opinion_without_a_reason_is_refused(client, reviewer, carol, stage):
    item = assign(ItemFactory(stage=stage), reviewer, carol)

    response = client.post(
        f"/items/{item.pk}/opinion/", {"version": 1, "opinion": "rejected"}, headers=HTMX
    )

    assert response.status_code == 422
    assert "Say why" in response.text
    assert not Opinion.objects.exists()


@pytest.mark.parametrize("form", [{}, {"version": 1}, {"version": 1, "opinion": "maybe"}])
def test_an_opinion_that_cannot_be_read_gets_a_sentence(client, reviewer, carol, stage, form):
    item = assign(ItemFactory(stage=stage), reviewer, carol)

    response = client.post(f"/items/{item.pk}/opinion/", form, headers=HTMX)

    assert response.status_code == 422
    assert 'class="notice error"' in response.text


def test_an_approver_adjudicates_seeing_all_opinions(client, approver, carol, stage):
    dan = ReviewerFactory(first_name="Dan", last_name="")
    item = assign(ItemFactory(stage=stage), carol, dan)
    for who, verdict in ((carol, "approved"), (dan, "rejected")):
        Opinion.objects.create(
            item=item, version=1, reviewer=who, verdict=verdict, reason=f"{who.first_name} says"
        )

    assert f"item={item.pk}" in team(client, stage).split('id="adjudication"')[1]
    page = review(client, item)
    assert "Carol says" in page
    assert "Dan says" in page
    client.post(
        f"/items/{item.pk}/adjudicate/",
        {"version": 1, "opinion": "approved", "reason": "Both steps are there."},
    )

    item.refresh_from_db()
    assert item.verdict == Verdict.APPROVED
    assert 'id="adjudication"' not in team(client, stage)


@pytest.mark.parametrize(("n", "says"), [(2, "2"), (3, "the first 2 of 3")])
def test_how_many_are_to_be_adjudicated_is_said_where_not_all_are_shown(
    client, viewer, carol, stage, monkeypatch, n, says
):
    monkeypatch.setattr(team_page, "SHOWN", 2)
    dan = ReviewerFactory()
    for item in ItemFactory.create_batch(n, stage=stage):
        assign(item, carol, dan)
        for who, verdict in ((carol, "approved"), (dan, "rejected")):
            Opinion.objects.create(item=item, version=1, reviewer=who, verdict=verdict, reason="x")

    page = team(client, stage)

    assert f'To adjudicate <small class="muted">{says}</small>' in page
    assert page.split('id="adjudication"')[1].split("</ul>")[0].count("<li>") == 2


def test_a_reviewer_cannot_adjudicate_and_reads_who_can(client, reviewer, carol, stage):
    item = assign(ItemFactory(stage=stage), reviewer, carol)
    for who, verdict in ((carol, "approved"), (reviewer, "rejected")):
        Opinion.objects.create(item=item, version=1, reviewer=who, verdict=verdict)

    page = review(client, item)

    assert "an approver decides" in page
    assert "/adjudicate/" not in page


def test_after_an_adjudication_undo_takes_that_back_and_names_it(client, approver, carol, stage):
    older = ItemFactory(stage=stage, question="What is 1 + 1?")
    item = assign(ItemFactory(stage=stage, question="What is 4 - 1?"), carol, ReviewerFactory())
    client.post(f"/items/{older.pk}/approve/", {"version": 1})
    for assigned, verdict in zip(item.assignments.all(), ("approved", "rejected"), strict=True):
        Opinion.objects.create(
            item=item, version=1, reviewer=assigned.reviewer, verdict=verdict, reason="odd"
        )
    said = {"version": 1, "opinion": "approved", "reason": "It is right."}

    after = client.post(f"/items/{item.pk}/adjudicate/", said, headers=HTMX).text
    assert "Undo: approved “What is 4 - 1?”" in after
    act = re.search(r'name="act" value="(\d+)"', after).group(1)
    undone = client.post(f"/items/{item.pk}/undo/", {"act": act}, headers=HTMX).text

    assert "Undone: approved “What is 4 - 1?”; it waits for a verdict again." in undone
    assert "Undo: approved “What is 1 + 1?”" in undone
    assert [i.verdict for i in (older, item) if not i.refresh_from_db()] == ["approved", ""]


def test_after_an_opinion_no_older_verdict_is_offered_to_be_undone(client, reviewer, carol, stage):
    older, other = ItemFactory.create_batch(2, stage=stage)
    client.post(f"/items/{older.pk}/approve/", {"version": 1})
    item = assign(ItemFactory(stage=stage), reviewer, carol)
    assert 'id="undo"' in review(client, other)

    said = {"version": 1, "opinion": "approved"}
    after = client.post(f"/items/{item.pk}/opinion/", said, headers=HTMX).text

    assert "Your opinion is kept" in after
    assert 'id="undo"' not in after
    assert 'id="undo"' not in review(client, other)


# --- the page


def test_what_is_yours_is_a_queue_of_its_own(client, reviewer, carol, stage):
    mine, hers = ItemFactory.create_batch(2, stage=stage)
    assign(mine, reviewer)
    assign(hers, carol)

    page = team(client, stage)
    link = re.search(r'href="([^"]+only=for-\d+)"', page).group(1).replace("&amp;", "&")
    queue = client.get(link).text

    assert "1 of 1" in queue
    assert f'id="item-{mine.pk}"' in queue
    assert f'name="only" value="for-{reviewer.pk}"' in queue


@pytest.mark.parametrize("only", ["for-x", "for-" + "9" * 30, "sample", "%00", "for-0"])
def test_a_strange_part_of_the_queue_shows_a_queue_all_the_same(client, reviewer, stage, only):
    ItemFactory(stage=stage)

    assert client.get(f"/stages/{stage.pk}/review/?only={only}").status_code == 200


def test_sharing_out_is_refused_in_words_and_keeps_the_form(client, approver, stage):
    ItemFactory(stage=stage)
    form = {"round": 0, "percent": "50", "overlap": "3", "reviewers": [approver.pk]}

    few = client.post(f"/stages/{stage.pk}/share-out/", form, headers=HTMX)
    none = client.post(f"/stages/{stage.pk}/share-out/", {"round": 0}, headers=HTMX)

    assert (few.status_code, none.status_code) == (422, 422)
    assert "3 people are to look at the same item" in few.text
    assert "Choose who reviews" in none.text
    assert not Assignment.objects.exists()


def test_a_sample_is_planned_drawn_reviewed_and_the_rest_approved(client, approver, stage):
    ItemFactory.create_batch(40, stage=stage)
    assert "n = 38" in team(client, stage)  # 5 % of 40

    client.post(f"/stages/{stage.pk}/sample/", {"round": 0, "n": "12", "tolerance": "25"})
    sample = Sample.objects.get()
    page = team(client, stage)
    assert "12 of them wait for a person" in page
    assert "1 of 12" in client.get(f"/stages/{stage.pk}/review/?only=sample").text
    for pk, _ in sample.items:
        client.post(f"/items/{pk}/approve/", {"version": 1})
    page = team(client, stage)
    assert "0 of 12 bad: at most 25% of the 28 others" in page
    client.post(f"/samples/{sample.pk}/approve-rest/")

    assert not Item.objects.exclude(verdict=Verdict.APPROVED).exists()
    assert "the others were approved on it" in team(client, stage)


def test_others_approved_on_a_sample_that_went_bad_are_warned_of(client, approver, stage):
    ItemFactory.create_batch(40, stage=stage)
    client.post(f"/stages/{stage.pk}/sample/", {"round": 0, "n": "12", "tolerance": "25"})
    sample = Sample.objects.get()
    for pk, _ in sample.items:
        client.post(f"/items/{pk}/approve/", {"version": 1})
    client.post(f"/samples/{sample.pk}/approve-rest/")
    page = f"/stages/{stage.pk}/review/"
    assert "<strong>0 of 12 are bad</strong>: at most 25% of the 28 others." in team(client, stage)
    assert "sample-worn" not in client.get(page).text

    pk = sample.items[0][0]
    client.post(f"/items/{pk}/undo/", {"version": 1})
    waits = team(client, stage)
    client.post(f"/items/{pk}/reject/", {"version": 1, "reason": "wrong"})

    assert "the others were approved on it" in waits
    assert "<strong>0 of 12 are bad</strong> and 1 without a person's verdict: up to" in waits
    said = (
        "<strong>1 of 12 is bad</strong>: up to 39.3% of the 28 others, more than the 25% that "
        "was said before the draw."
    )
    assert said in team(client, stage)
    warned = client.get(page).text
    assert 'id="sample-worn"' in warned
    assert said in warned
    assert "Train on 39 approved items" in warned


def test_a_bound_above_the_tolerance_is_said_and_cannot_be_pressed(client, approver, stage):
    ItemFactory.create_batch(40, stage=stage)
    client.post(f"/stages/{stage.pk}/sample/", {"round": 0, "n": "12", "tolerance": "25"})
    sample = Sample.objects.get()
    for n, (pk, _) in enumerate(sample.items):
        verb = "reject" if n == 0 else "approve"
        client.post(f"/items/{pk}/{verb}/", {"version": 1, "reason": "wrong"})

    page = team(client, stage)
    refused = client.post(f"/samples/{sample.pk}/approve-rest/", headers=HTMX)

    assert 'id="approve-rest" disabled' in page
    assert refused.status_code == 409
    assert "1 of 12 were bad" in refused.text


def test_guidelines_stand_beside_the_item_as_they_were_typed(client, approver, stage):
    item = ItemFactory(stage=stage)
    words = "<script>alert(1)</script>\n\n* not a list *"

    client.post(f"/stages/{stage.pk}/guideline/", {"version": 0, "text": words})
    page = review(client, item)

    assert "&lt;script&gt;alert(1)&lt;/script&gt;\n\n* not a list *" in page
    late = client.post(
        f"/stages/{stage.pk}/guideline/", {"version": 0, "text": "Mine."}, headers=HTMX
    )
    assert late.status_code == 409
    assert Guideline.objects.count() == 1


def test_a_reviewer_sees_the_page_and_is_told_what_needs_an_approver(client, reviewer, stage):
    ItemFactory.create_batch(3, stage=stage)

    page = team(client, stage)

    assert page.count("This needs an approver.") == 2
    assert "share-out/" not in page
    assert "guideline/" not in page


def test_a_round_without_items_says_so(client, reviewer):
    assert "No items in this round" in team(client, StageFactory(writing=True))


# --- progress


def decide(who, item, seconds, verdict="approved"):
    made = Review.objects.create(item=item, version=1, verdict=verdict, reviewer=who)
    Review.objects.filter(pk=made.pk).update(created_at=NINE + timedelta(seconds=seconds))


def test_progress_counts_verdicts_and_times_them_without_pauses(carol, stage):
    item = ItemFactory(stage=stage)
    for seconds in (0, 10, 30, 60, 60 + 3600):
        decide(carol, item, seconds)
    decide(carol, item, 3670, "rejected")
    decide(carol, item, 3670)  # together with it
    assign(ItemFactory(stage=stage), carol)

    (row,) = team_reads.progress(stage, 0)

    assert (row.decided, row.rejected, row.left) == (7, 1, 1)
    assert row.gaps == [10, 20, 30, 10]
    assert row.median_seconds == 15
    assert row.per_hour == pytest.approx(3600 * 4 / 70)
    assert row.share_approved == pytest.approx(6 / 7)


def test_a_person_with_one_verdict_has_no_pace_and_policy_is_nobody(client, reviewer, stage):
    item = ItemFactory(stage=stage)
    decide(reviewer, item, 0)
    Review.objects.create(item=item, version=1, verdict="approved", reviewed_as="policy")

    (row,) = team_reads.progress(stage, 0)

    assert (row.median_seconds, row.per_hour) == (None, None)
    assert "people-figure" in team(client, stage)


def test_the_page_asks_as_much_for_many_people_as_for_one(
    client, approver, stage, django_assert_max_num_queries
):
    for _ in range(12):
        who = ReviewerFactory()
        item = assign(ItemFactory(stage=stage), who, ReviewerFactory())
        presence.look(item, person=who)
        decide(who, ItemFactory(stage=stage), 0)

    with django_assert_max_num_queries(45):
        team(client, stage)


def test_agreement_is_of_items_on_which_all_have_spoken(stage, carol):
    dan = ReviewerFactory()
    whole, open_one = (assign(ItemFactory(stage=stage), carol, dan) for _ in range(2))
    for item, who, verdict in (
        (whole, carol, "approved"),
        (whole, dan, "rejected"),
        (open_one, carol, "approved"),
    ):
        Opinion.objects.create(item=item, version=1, reviewer=who, verdict=verdict)

    found = team_reads.agreement(stage, 0)

    assert (found.units, found.values, found.alpha) == (1, 2, 0.0)


def test_of_an_opinion_that_waits_for_others_progress_tells_only_that_it_was_given(stage, carol):
    dan = ReviewerFactory()
    item = assign(ItemFactory(stage=stage), carol, dan)
    said = {"item": item, "version": 1, "reason": "Two answers fit."}
    Opinion.objects.create(reviewer=carol, verdict="rejected", **said)

    open_one = {row.person: row for row in team_reads.progress(stage, 0)}[carol]
    Opinion.objects.create(reviewer=dan, verdict="approved", **said)
    whole = {row.person: row for row in team_reads.progress(stage, 0)}[carol]

    assert (open_one.decided, open_one.approved, open_one.rejected) == (1, 0, 0)
    assert open_one.share_approved is None
    assert (whole.decided, whole.approved, whole.rejected) == (1, 0, 1)


def test_nothing_of_this_is_written_by_looking(client, stage, db):
    ItemFactory(stage=stage)
    client.force_login(ApproverFactory())

    team(client, stage)

    assert not AuditEntry.objects.exists()
    assert not ItemLock.objects.exists()


def test_whose_part_is_open_comes_to_it_by_the_bare_address(client, reviewer, carol, stage):
    page = f"/stages/{stage.pk}/review/"
    assign(ItemFactory(stage=stage), carol)
    assert client.get(page).status_code == 200

    mine = assign(ItemFactory(stage=stage), reviewer)
    assert client.get(page).url == f"{page}?only=for-{reviewer.pk}"
    assert f'id="item-{mine.pk}"' in client.get(page, follow=True).text

    Item.objects.filter(pk=mine.pk).update(verdict=Verdict.APPROVED)
    assert client.get(page).status_code == 200


def test_an_item_that_is_anothers_says_whose(client, reviewer, carol, stage):
    theirs, mine = (assign(ItemFactory(stage=stage), who) for who in (carol, reviewer))

    assert 'id="for-another">for Carol</span>' in review(client, theirs)
    assert 'id="for-another"' not in review(client, mine)
