"""Runs side by side: their numbers, what was set otherwise, and no run that one does not see."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from curriculum.views.comparing import MOST, Choice, set_otherwise, skill_rows
from tests.factories import CheckpointFactory, RunFactory, ScoreFactory, SkillFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db
PAGE = reverse("curriculum:run-compare")


def finished(name, *, now=0.9, low=0.8, high=0.95, **more):
    """A run with one skill, A: from 0.1 to `now` of 64 questions."""
    report = {
        "retained": now,
        "retained_before": 0.1,
        "retained_interval": [low, high],
        "forgotten": [],
        "items": 1234,
        "train_tokens": 5678,
        "teacher_tokens": 0,
        "probes": 640,
        "stages": [{"rounds": 2, "status": "mastered"}, {"rounds": 3, "status": "waived"}],
    }
    run = RunFactory(**{"name": name, "finished": True, "report": report, **more})
    skill = SkillFactory(run=run, key="A", title="Adding")
    base = CheckpointFactory(run=run, is_current=False)
    last = CheckpointFactory(run=run, parent=base, round=1, is_current=True)
    ScoreFactory(skill=skill, split="final", mean=1.0)
    ScoreFactory(skill=skill, split="final", checkpoint=base, mean=0.1)
    ScoreFactory(skill=skill, split="final", checkpoint=last, mean=now, low=low, high=high)
    return run


def page_of(client, *runs, **more):
    return client.get(PAGE, {"run": [run.pk for run in runs]}, **more)


def words(html):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))


def test_two_runs_stand_beside_each_other_and_the_difference_has_an_interval(client, viewer):
    one = finished("One", now=0.6, low=0.48, high=0.71)
    two = finished("Two", now=0.9, low=0.8, high=0.95)

    page = page_of(client, one, two).text

    said = words(page)
    assert "Adding 60% [48 to 71] from 10% 90% [80 to 95] from 10% +30 [+15 to +43]" in said
    assert "Items trained on 1,234 1,234" in said
    assert "Stages 2 2 Stages waived 1 1 Rounds 5 5" in said
    assert "not told apart" not in said
    assert f'href="?run={two.pk}" aria-label="Take One away"' in page


def test_what_the_intervals_do_not_tell_apart_is_said(client, viewer):
    said = words(page_of(client, finished("One", now=0.85), finished("Two")).text)

    assert "not told apart" in said


def test_settings_are_told_where_they_differ_and_nowhere_else(client, viewer):
    one, two = finished("One"), finished("Two", seed=7)
    two.settings["budget"]["items"] = 450
    two.settings["budget"]["items_per_skill"] = 90
    two.settings["writing"]["questions_of_domain"] = True
    two.save()
    budget = one.settings["budget"]

    assert set_otherwise([one, two]) == [
        Choice("Seed", "", [0, 7]),
        Choice("Items in all", "budget.items", [budget["items"], 450]),
        Choice("budget.items_per_skill", "", [budget["items_per_skill"], 90]),
        Choice("Use the domain's questions", "writing.questions_of_domain", [False, True]),
    ]
    assert "Use the domain&#x27;s questions writing.questions_of_domain no yes" in words(
        page_of(client, one, two).text
    )
    assert "Nothing: what differs is" in page_of(client, one, finished("Three")).text


def test_a_run_without_a_report_has_dashes(client, viewer):
    under_way = RunFactory(name="Under way", teaching=True)

    said = words(page_of(client, under_way, finished("One")).text)

    assert "Items trained on – 1,234" in said
    assert "no report yet" in said


def test_a_skill_that_one_run_does_not_have_is_a_gap(db):
    one, two = finished("One"), finished("Two")
    skill = SkillFactory(run=two, key="B", is_transfer=True)
    ScoreFactory(skill=skill, split="final", checkpoint=two.checkpoints.get(is_current=True))

    a, b = skill_rows([one, two])

    assert [cell.now.mean for cell in a.cells] == [0.9, 0.9]
    assert [bool(cell.now) for cell in b.cells] == [False, True]
    assert b.apart is None


def test_a_student_that_was_never_taught_is_before_and_now(db):
    run = RunFactory(stopped=True)
    skill = SkillFactory(run=run)
    base = CheckpointFactory(run=run, is_current=True)
    ScoreFactory(skill=skill, split="final", checkpoint=base, mean=0.2)

    (row,) = skill_rows([run])

    assert row.cells[0].before.mean == row.cells[0].now.mean == 0.2


def test_other_runs_of_the_domain_with_a_report_are_offered(client, viewer):
    one, two = finished("One"), finished("Two")
    finished("Elsewhere", domain="other.yaml")
    RunFactory(name="Under way", teaching=True)

    first = client.get(PAGE)
    then = page_of(client, one)

    assert {run.name for run in first.context["offered"]} == {"One", "Two", "Elsewhere"}
    assert [run.name for run in then.context["offered"]] == [two.name]


def test_no_run_is_told_of_that_a_person_does_not_see(client, viewer):
    one, closed = finished("One"), finished("Closed", is_closed=True)

    page = page_of(client, one, closed)

    assert [column.run for column in page.context["columns"]] == [one]
    assert "Closed" not in page.text


@pytest.mark.parametrize("said", ["", "x", "-1", "9" * 30, "²", "7777777"])
def test_an_odd_number_is_left_out(client, viewer, said):
    page = client.get(PAGE, {"run": said})

    assert page.status_code == 200
    assert page.context["columns"] == []


def test_more_than_fit_are_left_out_and_none_is_shown_twice(client, viewer):
    runs = [finished(f"Run {n}") for n in range(MOST + 1)]

    page = page_of(client, runs[0], *runs)

    assert [column.run for column in page.context["columns"]] == runs[:MOST]
    assert "take one away to add another" in page.text


def test_runs_of_one_name_are_told_apart_and_names_are_no_markup(client, viewer):
    one, two = finished("<b>Same</b>"), finished("<b>Same</b>")

    page = page_of(client, one, two)

    assert page.context["names"] == [f"<b>Same</b> (run {run.pk})" for run in (one, two)]
    assert "<b>Same" not in page.text
    assert page.context["figure"]["data"][0]["name"].startswith("&lt;b&gt;Same")


def test_runs_of_different_domains_are_warned_of(client, viewer):
    page = page_of(client, finished("One"), finished("Two", domain="other.yaml"))

    assert "different domains" in page.text


def test_before_there_is_a_report_the_page_says_when(client, viewer):
    assert "There is none yet" in client.get(PAGE).text
    assert "<html" not in client.get(PAGE, headers=HTMX).text


def test_it_takes_as_many_queries_for_six_runs_as_for_two(
    client, viewer, django_assert_max_num_queries
):
    runs = [finished(f"Run {n}") for n in range(6)]

    with django_assert_max_num_queries(40) as two:
        page_of(client, *runs[:2])
    with django_assert_max_num_queries(40) as six:
        page_of(client, *runs)

    assert len(six) <= len(two)
