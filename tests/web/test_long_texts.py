"""Texts longer than anybody reads: pages on them stay quick, and forms refuse longer ones."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.models import Item
from curriculum.review_forms import LONGEST
from curriculum.views.prompt_reads import changes
from curriculum.views.review_reads import difference
from tests.factories import ItemFactory, StageFactory


def sums(n, sign):
    return " ".join(f"{i % 5} {sign} {i % 3} = {i % 5}" for i in range(n))


def test_a_long_change_between_what_stays_is_told_as_one():
    old, new = sums(100, "+"), sums(100, "plus")

    found = difference(f"Work it out. {old} So 7.", f"Work it out. {new} So 7.")

    first = len("0 ")  # both sums begin and end with the same number
    last = len(" 1 = 4 So 7.")
    assert found[0] == ("same", "Work it out. " + old[:first])
    assert [kind for kind, _ in found] == ["same", "gone", "new", "same"]
    assert found[-1] == ("same", (old + " So 7.")[-last:])


def test_a_small_change_in_a_long_text_is_told_word_by_word():
    old = sums(2_000, "+")

    found = difference(old + " a b c " + old, old + " a x c " + old)

    assert [part for part in found if part[0] != "same"] == [("gone", "b"), ("new", "x")]
    assert "".join(text for kind, text in found if kind != "new") == old + " a b c " + old


def test_the_words_of_a_template_are_compared_by_line_within_the_same_bound():
    old, new = "same\n" + "a\nb\n" * 1_100 + "end", "same\n" + "a\nc\n" * 1_100 + "end"

    found = changes(old, new)

    assert [kind for kind, _ in found] == ["same", "gone", "new", "same"]


@pytest.mark.django_db
def test_an_item_longer_than_the_api_takes_is_refused_by_both_forms(client, reviewer):
    stage = StageFactory(reviewing=True, skills=["A1"])
    item = ItemFactory(stage=stage)
    long = {"question": "1 " * (LONGEST // 2 + 1) + "?", "solution": "Answer: 1", "answer": "1"}

    edited = client.post(
        reverse("curriculum:item-edit", args=[item.pk]), {"version": item.version, **long}
    )
    skill = stage.stage_skills.get().skill_id
    written = client.post(
        reverse("curriculum:stage-write-item", args=[stage.pk]),
        {"round": 0, "of_skill": skill, **long},
    )

    assert (edited.status_code, written.status_code) == (422, 422)
    assert "at most 100000 characters" in edited.text
    assert Item.objects.get().version == item.version
