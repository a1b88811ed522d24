"""What the queue's page says and refuses: filters, many at once, undo, words."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from curriculum.models import Item, ReviewAction, SavedFilter, Tag
from curriculum.services import bulk, items, saved
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.views import review_reads
from tests.factories import ApproverFactory, ItemFactory, JobFactory, SkillFactory, StageFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def post(client, stage, address, **form):
    url = reverse(f"curriculum:{address}", args=[stage.pk])
    return client.post(url, {"round": 0, **form}, headers=HTMX)


def page(client, stage, query=""):
    return client.get(f"/stages/{stage.pk}/review/{query}").text


def test_an_undo_says_what_stays_and_whose_change_it_was(client, reviewer, stage):
    one, _ = ItemFactory.create_batch(2, stage=stage)
    post(client, stage, "stage-approve-all")
    ada = Actor.person(ApproverFactory(first_name="Grace", last_name="Hopper"))
    items.undo(Item.objects.get(pk=one.pk), actor=ada, version=1)

    said = post(client, stage, "stage-undo", act=ReviewAction.objects.get().pk).text

    assert "Undone for 1 of 2. 1 of 2 was changed since by Grace Hopper and stays." in said


def test_the_button_says_what_undo_would_take_back(client, reviewer, stage):
    ItemFactory.create_batch(3, stage=stage)
    assert "Undo:" not in page(client, stage)

    bulk.approve_matching(stage, actor=Actor.person(reviewer), queue=Queue(0))

    assert "Undo: approved 3 items" in page(client, stage)


def test_the_button_names_the_item_of_an_act_on_one(client, reviewer, stage):
    item, other = ItemFactory.create_batch(2, stage=stage, question="What is 4 - 1?")
    by = Actor.person(reviewer)
    items.tag(item, actor=by, word="odd")
    assert "Undo: tagged “What is 4 - 1?”" in page(client, stage)
    items.edit(item, actor=by, version=1, question="What is 9 + 1?", solution="Answer: 10")
    assert "Undo: edited “What is 9 + 1?”" in page(client, stage)
    items.reject(other, actor=by, version=1, reason="odd")
    assert "Undo: rejected “What is 4 - 1?”" in page(client, stage)

    acts = ReviewAction.objects.order_by("-pk")
    said = [post(client, stage, "stage-undo", act=act.pk).text for act in acts]

    assert "Undone: edited “What is 9 + 1?”; it waits" in said[1]
    assert "Undone: tagged “What is 4 - 1?”." in said[2]


def test_somebody_elses_act_is_not_undone(client, reviewer, stage):
    item = ItemFactory(stage=stage)
    items.approve(item, actor=Actor.person(ApproverFactory()), version=1)

    assert "Undo:" not in page(client, stage)
    refused = post(client, stage, "stage-undo", act=ReviewAction.objects.get().pk)

    assert refused.status_code == 409
    assert "Somebody else did this" in refused.text


@pytest.mark.parametrize("act", ["", "x", "999"])
def test_an_undo_of_nothing_is_refused(client, reviewer, stage, act):
    assert post(client, stage, "stage-undo", act=act).status_code in (404, 422)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("stage-approve-all", {}),
        ("stage-reject-all", {"reason": "wrong"}),
        ("stage-reject-flagged", {}),
        ("stage-rewrite-all", {"reason": "wrong"}),
    ],
)
def test_where_somebody_was_faster_nothing_is_said_to_be_done(client, reviewer, address, said):
    stage = StageFactory(reviewing=True, skills=["A1"])
    ItemFactory(stage=stage, flagged=True, rejected=True)

    answer = post(client, stage, address, **said)

    assert "together: 0" not in answer.text
    assert 'warning">Nothing was changed: no item like that waits for you any' in answer.text
    assert not ReviewAction.objects.exists()


def test_a_tag_that_all_have_is_not_put_on_them_again(client, reviewer, stage):
    ItemFactory(stage=stage)

    assert "Tagged together: 1." in post(client, stage, "stage-tag-all", word="hard").text
    again = post(client, stage, "stage-tag-all", word="hard").text

    assert "Nothing was changed: every item that matches has this tag." in again


def test_numbers_of_items_are_written_alike(client, reviewer, stage, monkeypatch):
    counts = {"all": 2994, "waiting": 2994, "approved": 0, "rejected": 0, "flagged": 1795}
    monkeypatch.setattr(review_reads, "counts", lambda stage, round_: counts)
    ItemFactory(stage=stage)

    text = re.sub(r'(?:value|max)="[^"]*"', "", page(client, stage))

    assert "2,994 items still without a verdict" in text
    assert "Reject the 1,795 flagged" in text
    assert not re.search(r"\b(2994|1795)\b", text)


def test_more_than_was_shown_is_not_decided(client, reviewer, stage):
    ItemFactory.create_batch(2, stage=stage)

    refused = post(client, stage, "stage-approve-all", expected=1)

    assert refused.status_code == 409
    assert "This queue has just been changed" in refused.text
    assert not Item.objects.exclude(verdict="").exists()


@pytest.mark.parametrize(
    ("name", "field"), [("stage-reject-all", "many-reason"), ("stage-tag-all", "many-word")]
)
def test_what_is_missing_is_said_beside_its_field(client, reviewer, stage, name, field):
    ItemFactory(stage=stage)

    refused = post(client, stage, name)

    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text


def test_reasons_have_numbers_and_are_those_of_the_installation(client, reviewer, stage, settings):
    settings.IOA_REJECT_REASONS = ["odd", "even"]
    ItemFactory(stage=stage)

    shown = page(client, stage)

    assert 'value="even" id="reason-2" data-reason="2"' in shown
    assert "reason-3" not in shown


def test_filters_offer_what_the_round_has(client, reviewer, stage):
    item = ItemFactory(stage=stage, flagged=True, operations=["limit_load"])
    items.tag(item, actor=Actor.person(reviewer), word="strange")

    shown = page(client, stage, "?tag=strange")

    assert '<option value="answer">answer not right</option>' in shown
    assert '<option value="limit_load">limit load</option>' in shown
    assert '<option value="strange" selected>strange</option>' in shown
    assert f'<option value="{reviewer.pk}">Bob Reviewer</option>' in shown


def test_skills_beside_the_stages_own_can_be_filtered_for(client, reviewer, stage):
    ItemFactory(stage=stage, skill=SkillFactory(run=stage.run, key="X1", title="Brackets"))
    SkillFactory(run=stage.run, key="X2", title="Nothing of it here")

    shown = page(client, stage)

    assert '<option value="X1">X1 Brackets</option>' in shown
    assert '<option value="X2"' not in shown


def test_a_preview_counts_all_and_shows_twenty(client, reviewer, stage):
    ItemFactory.create_batch(22, stage=stage)
    url = reverse("curriculum:stage-replace-preview", args=[stage.pk])

    shown = client.get(url, {"find": "Add", "put": "<b>Put</b>", "solution": "on"}).text

    assert "22 items would change" in shown
    assert shown.count("<del>Add</del><ins>&lt;b&gt;Put&lt;/b&gt;</ins>") == 20
    assert not Item.objects.filter(version=2).exists()


def test_a_preview_says_whose_verdicts_fall_and_holds_for_those_alone(client, reviewer, stage):
    one, two, three = ItemFactory.create_batch(3, stage=stage)
    grace = Actor.person(ApproverFactory(first_name="Grace", last_name="Hopper"))
    items.approve(one, actor=grace, version=1)
    items.reject(two, actor=Actor.person(reviewer), version=1, reason="odd")
    words = {"find": "Add", "put": "Put", "solution": "on", "verdict": "all"}
    url = reverse("curriculum:stage-replace-preview", args=[stage.pk])

    shown = client.get(url, words).text
    seen = re.search(r'name="seen" value="(\w+)"', shown)[1]
    items.approve(three, actor=grace, version=1)  # which nobody has seen fall
    refused = post(client, stage, "stage-replace", **words, seen=seen)

    assert "wait again: 1 approved by Grace Hopper, 1 rejected by you." in shown
    assert refused.status_code == 409
    assert "2 approved by Grace Hopper, 1 rejected by you." in refused.text
    assert not Item.objects.filter(version=2).exists()


def test_a_preview_that_is_out_of_date_changes_nothing(client, reviewer, stage):
    ItemFactory(stage=stage)

    refused = post(client, stage, "stage-replace", find="Add", put="Put", solution="on", seen="0")

    assert refused.status_code == 409
    assert not Item.objects.filter(version=2).exists()


def test_a_preview_without_a_place_says_where_to_choose(client, reviewer, stage):
    url = reverse("curriculum:stage-replace-preview", args=[stage.pk])

    assert "Choose where" in client.get(url, {"find": "Add"}).text


def test_a_filter_is_saved_for_the_person_and_the_run_without_its_round(client, reviewer, stage):
    post(client, stage, "filter-save", name="mine", skill="A1", q="carry")

    kept = SavedFilter.objects.get()
    assert (kept.person, kept.run, kept.query) == (reviewer, stage.run, "skill=A1&q=carry")
    other = ApproverFactory()
    assert list(saved.filters_of(stage.run, other)) == []
    assert not saved.remove(stage.run, person=other, pk=kept.pk)


def test_there_is_an_end_to_saved_filters(client, reviewer, stage, monkeypatch):
    monkeypatch.setattr(saved, "MOST", 1)
    post(client, stage, "filter-save", name="one")

    assert post(client, stage, "filter-save", name="one", q="again").status_code == 200
    assert post(client, stage, "filter-save", name="two").status_code == 422
    assert SavedFilter.objects.get().query == "q=again"


def test_a_viewer_sees_the_queue_and_is_offered_no_change(client, viewer, stage):
    ItemFactory(stage=stage)

    shown = page(client, stage, "?q=what")

    assert "As the student sees it" in shown
    for name in ("approve-all", "to-write", "filter-name", "tag-word", 'id="undo"'):
        assert name not in shown


def test_the_next_item_costs_no_more_queries_the_longer_the_queue(
    client, reviewer, stage, django_assert_max_num_queries
):
    first = ItemFactory(stage=stage)
    ItemFactory.create_batch(30, stage=stage)
    url = reverse("curriculum:item-approve", args=[first.pk])

    with django_assert_max_num_queries(50):
        client.post(url, {"version": 1, "round": 0}, headers=HTMX)


def test_an_address_without_a_match_says_what_to_do(client, reviewer, stage):
    ItemFactory(stage=stage)

    shown = page(client, stage, "?q=nowhere")

    assert "1 wait that this filter leaves out." in shown
    assert "Clear the filter" in shown


def test_a_tag_is_as_long_as_it_is_kept_and_a_longer_one_is_refused(client, reviewer, stage):
    item = ItemFactory(stage=stage)
    url = reverse("curriculum:item-tag", args=[item.pk])

    one = client.post(url, {"word": "ß" * 40}, headers=HTMX)  # “ss”, forty times over
    all_of_them = post(client, stage, "stage-tag-all", word="ß" * 40)

    assert (one.status_code, all_of_them.status_code) == (422, 422)
    assert "A tag has 40 characters at most" in one.text
    assert not Tag.objects.exists()
    client.post(url, {"word": "ß" * 20}, headers=HTMX)
    assert Tag.objects.get().word == "ss" * 20


def test_the_page_behind_a_written_item_is_the_review_by_address_title_and_breadcrumb(
    client, reviewer
):
    stage = StageFactory(reviewing=True)
    skill = stage.stage_skills.get().skill_id
    form = {"of_skill": skill, "question": "What is 2 + 5?", "solution": "Answer: 7", "answer": "7"}
    url = reverse("curriculum:stage-write-item", args=[stage.pk])

    response = client.post(url, {"round": 0, **form}, headers=HTMX)

    made = Item.objects.get()
    at = f"/stages/{stage.pk}/review/?round=0&item={made.pk}"
    assert response["HX-Push-Url"] == at
    assert (
        f"<title>Review · stage {stage.position} · {stage.run.name} · IOA</title>" in response.text
    )
    assert '<ol hx-swap-oob="innerHTML:.crumbs ol">' in response.text
    assert client.post(url, {"round": 0, **form, "question": "2 + 5 = ?"}).status_code == 302


def test_a_queue_whose_writing_failed_says_so(client, reviewer):
    stage = StageFactory(run__status="teaching", status="writing")
    JobFactory(run=stage.run, stage=stage, kind="write", status="failed")

    shown = client.get(f"/stages/{stage.pk}/review/").text

    assert "Writing failed: the stage's page says more." in shown
    assert "They are being written" not in shown
