from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.views import run_lists
from tests.factories import ItemFactory, RunFactory, StageFactory

pytestmark = pytest.mark.django_db
LIST = reverse("curriculum:run-list")


def names(response):
    return [row.run.name for row in response.context["rows"]]


def test_runs_are_found_by_words_in_name_domain_teacher_or_student(client, viewer):
    RunFactory(name="Fractions, first", teacher="procedural")
    RunFactory(name="Fractions, second", teacher="openai:big")
    RunFactory(name="Spelling", teacher="openai:big")

    assert names(client.get(LIST, {"q": " fractions BIG "})) == ["Fractions, second"]
    assert len(names(client.get(LIST, {"q": ""}))) == 3

    nothing = client.get(LIST, {"q": "<b>odd</b>"})

    assert "No run has these words" in nothing.text
    assert "<b>odd" not in nothing.text
    assert "archived=1&amp;q=%3Cb%3Eodd" in nothing.text


def test_a_long_list_has_pages_that_keep_the_words(client, viewer, monkeypatch):
    monkeypatch.setattr(run_lists, "SHOWN", 2)
    for n in range(5):
        RunFactory(name=f"Sums {n}")
    RunFactory(name="Other")

    first = client.get(LIST, {"q": "sums"})
    last = client.get(LIST, {"q": "sums", "page": "3"})

    assert names(first) == ["Sums 4", "Sums 3"]
    assert "?q=sums&amp;page=2" in first.text
    assert names(last) == ["Sums 0"]
    assert names(client.get(LIST, {"page": "99"})) == ["Sums 1", "Sums 0"]


def test_what_waits_for_one_can_be_searched_too(client, approver):
    RunFactory(name="Mine", reviewing_diagnosis=True)
    RunFactory(name="Mine too", reviewing_diagnosis=True)
    RunFactory(name="Mine, over", finished=True)

    assert names(client.get(LIST, {"waiting": "1", "q": "too"})) == ["Mine too"]
    assert len(names(client.get(LIST, {"waiting": "1"}))) == 2


@pytest.mark.parametrize("name", ["run-list", "bar", "job-list"])
def test_runs_in_review_cost_no_query_each(client, approver, django_assert_max_num_queries, name):
    def queries():
        with django_assert_max_num_queries(60) as found:
            client.get(reverse(f"curriculum:{name}"))
        return len(found)

    def in_review(verdict):
        stage = StageFactory(reviewing=True)
        ItemFactory(stage=stage, verdict=verdict)

    in_review("")
    in_review("approved")
    few = queries()
    for verdict in ("", "approved") * 4:
        in_review(verdict)

    assert queries() == few


def test_a_stage_in_a_list_is_done_when_every_item_of_its_round_is(client, approver):
    done, open_one, empty = (StageFactory(reviewing=True) for _ in range(3))
    ItemFactory(stage=done, verdict="approved")
    ItemFactory(stage=open_one, verdict="approved")
    ItemFactory(stage=open_one, verdict="")

    rows = {row.run.pk: row.action.label for row in client.get(LIST).context["rows"]}

    assert rows[done.run_id] == "Train stage 1"
    assert rows[open_one.run_id] == rows[empty.run_id] == "Review the items of stage 1"
