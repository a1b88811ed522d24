"""The items of the review queue below each other: the same filter, a page at a time."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.models import Item, Tag
from curriculum.states import Verdict
from curriculum.views import review_reads
from tests.factories import ItemFactory, StageFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def listed(client, stage, **more):
    return client.get(reverse("curriculum:stage-review", args=[stage.pk]), {"view": "list", **more})


def shown(response):
    return [item.pk for item in response.context["page"]]


def test_what_matches_stands_below_each_other_in_the_order_asked_for(client, reviewer, stage):
    short = ItemFactory(stage=stage, question="1?", solution="1", answer="1")
    long = ItemFactory(
        stage=stage, question="What is the sum of 1 and 1?", solution="1 + 1 = 2", answer="2"
    )
    ItemFactory(stage=stage, approved=True)

    assert shown(listed(client, stage)) == [short.pk, long.pk]
    assert shown(listed(client, stage, sort="longest")) == [long.pk, short.pk]
    assert shown(listed(client, stage, q="sum of")) == [long.pk]
    assert len(shown(listed(client, stage, verdict="all"))) == 3


def test_a_long_list_has_pages_that_keep_filter_and_view(client, reviewer, stage, monkeypatch):
    monkeypatch.setattr(review_reads, "SHOWN", 2)
    items = ItemFactory.create_batch(5, stage=stage)

    first = listed(client, stage, checks="passed")
    last = listed(client, stage, checks="passed", page="9")

    assert shown(first) == [item.pk for item in items[:2]]
    assert shown(last) == [items[4].pk]
    assert "checks=passed&amp;view=list&amp;page=2" in first.text
    assert "5 match, 1 to 2 of them here" in first.text


def test_a_row_names_the_checks_that_failed_as_the_filter_does(client, reviewer, stage):
    ItemFactory(stage=stage, is_flagged=True, failed=" answer duplicate ")

    assert ">answer not right, a duplicate</span>" in listed(client, stage).text


def test_a_row_leads_to_its_item_and_the_item_back_to_the_list(client, reviewer, stage):
    item = ItemFactory(stage=stage)

    assert f"view=list&amp;item={item.pk}" in listed(client, stage).text
    one = listed(client, stage, item=item.pk).text

    assert 'id="approve"' in one
    assert "back to the list" in one
    assert '<input type="hidden" name="view" value="list">' in one


def test_an_item_is_approved_in_its_row_and_the_list_stays(client, reviewer, stage, monkeypatch):
    monkeypatch.setattr(review_reads, "SHOWN", 1)
    first, second, third = ItemFactory.create_batch(3, stage=stage)
    url = reverse("curriculum:item-approve", args=[second.pk])

    said = {"version": second.version, "view": "list", "page": "2"}
    response = client.post(url, said, headers=HTMX)

    second.refresh_from_db()
    assert second.verdict == Verdict.APPROVED
    assert shown(response) == [third.pk]
    plain = client.post(
        reverse("curriculum:item-approve", args=[first.pk]), {**said, "version": first.version}
    )
    assert "view=list" in plain.url
    assert "page=2" in plain.url


def test_who_decides_on_an_older_version_sees_the_item_itself(client, reviewer, stage):
    item = ItemFactory(stage=stage, version=2)
    url = reverse("curriculum:item-approve", args=[item.pk])

    response = client.post(url, {"version": 1, "view": "list"}, headers=HTMX)

    assert response.status_code == 409
    assert response.context["page"] is None
    assert response.context["item"] == item


def test_an_act_on_many_comes_back_to_the_list(client, reviewer, stage):
    ItemFactory.create_batch(2, stage=stage)
    flagged = ItemFactory(stage=stage, flagged=True)
    url = reverse("curriculum:stage-approve-all", args=[stage.pk])

    response = client.post(url, {"view": "list", "round": 0, "expected": 2}, headers=HTMX)

    assert shown(response) == [flagged.pk]


def test_leaks_and_what_needs_opinions_have_no_button(client, reviewer, stage):
    leak = ItemFactory(stage=stage, leak=True)

    page = listed(client, stage).text

    assert "leak: never trained on" in page
    assert f'id="approve-{leak.pk}"' not in page


def test_a_viewer_sees_the_list_and_decides_nothing(client, viewer, stage):
    item = ItemFactory(stage=stage)

    page = listed(client, stage).text

    assert f'id="item-{item.pk}"' in page
    assert f'id="approve-{item.pk}"' not in page


def test_nothing_that_matches_is_said_as_elsewhere(client, reviewer, stage):
    ItemFactory(stage=stage)

    assert "No item matches" in listed(client, stage, q="nowhere").text


def test_words_of_a_model_are_no_markup(client, reviewer, stage):
    item = ItemFactory(stage=stage, question="<img src=x>", solution="<b>2</b>", answer="2")
    Tag.objects.create(item=item, word="<i>odd</i>")

    page = listed(client, stage).text

    assert "<img src=x" not in page
    assert "<b>2" not in page
    assert "<i>odd" not in page


def test_it_takes_as_many_queries_for_fifty_items_as_for_five(
    client, reviewer, stage, django_assert_max_num_queries
):
    ItemFactory.create_batch(5, stage=stage)
    with django_assert_max_num_queries(60) as few:
        listed(client, stage)
    ItemFactory.create_batch(45, stage=stage)
    with django_assert_max_num_queries(60) as many:
        listed(client, stage)

    assert Item.objects.filter(stage=stage).count() == 50
    assert len(many) <= len(few)


def test_an_item_is_rejected_in_its_row_by_one_of_the_reasons(client, reviewer, stage, settings):
    settings.IOA_REJECT_REASONS = ["too easy", "<odd> wording"]
    first, second = ItemFactory.create_batch(2, stage=stage)
    url = reverse("curriculum:item-reject", args=[first.pk])

    page = listed(client, stage).text
    assert f'formaction="{url}" name="reason" value="&lt;odd&gt; wording"' in page
    said = {"version": first.version, "view": "list", "reason": "too easy"}
    response = client.post(url, said, headers=HTMX)

    first.refresh_from_db()
    assert (first.verdict, first.reviews.get().reason) == (Verdict.REJECTED, "too easy")
    assert shown(response) == [second.pk]
