"""The versions of a curriculum on its page: who changed what, when, and how it was before."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from curriculum.services import runs, stages
from curriculum.services.audit import Actor
from curriculum.views import plan_reads, reads
from tests.factories import ReviewerFactory, diagnosed_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob():
    return Actor.person(ReviewerFactory(first_name="Bob", last_name=""))


@pytest.fixture
def run(bob):
    """A1 in stage 1, A2 behind it, as they were planned."""
    run = runs.sign_diagnosis(diagnosed_run(), actor=bob)
    assert [len(stage.stage_skills.all()) for stage in run.stages.all()] == [1, 1]
    return run


def told(run):
    found = plan_reads.versions(run, reads.stages_with_skills(run))
    return [(version.what, version.says) for version in found]


def merge(run, actor):
    first, second = run.stages.all()
    return stages.merge(second, into=first, actor=actor)


def test_the_first_version_is_what_was_planned(run):
    assert told(run) == [("Version 1", ["planned: 2 stages"])]


def test_each_change_is_a_version_the_last_first_and_a_signature_is_none(run, bob):
    merged = merge(run, bob)
    stages.split(merged, skills=[run.skills.get(key="A2")], actor=bob)
    runs.sign_curriculum(run, actor=bob, note="Now it is right.")

    assert told(run) == [
        ("Signed as version 3", ["2 stages, as they stand"]),
        ("Version 3", ["stage 1 is split: A1 in stage 1 and A2 in stage 2"]),
        ("Version 2", ["stages 1 and 2 are merged: A1, A2 in stage 1"]),
        ("Version 1", ["planned: 2 stages"]),
    ]


def test_planning_again_says_what_people_lose_by_it(run, bob):
    merge(run, bob)
    runs.replan(run, actor=bob)
    runs.replan(run, actor=bob)

    assert told(run)[:2] == [
        ("Version 4", ["the same stages as before"]),
        ("Version 3", ["stage 1 is split: A1 in stage 1 and A2 in stage 2"]),
    ]


def test_what_was_given_up_with_the_diagnosis_is_still_told(run, bob):
    merge(run, bob)
    runs.back_to_diagnosis(run, actor=bob)
    runs.sign_diagnosis(run, actor=bob)
    runs.back_to_diagnosis(run, actor=bob)
    run.skills.filter(key="A1").update(status="retired")
    runs.sign_diagnosis(run, actor=bob)

    assert told(run) == [
        ("Version 4", ["A1 is taken out of stage 1"]),
        ("Version 3", ["stage 1 is split: A1 in stage 1 and A2 in stage 2"]),
        ("Version 2", ["stages 1 and 2 are merged: A1, A2 in stage 1"]),
        ("Version 1", ["planned: 2 stages"]),
    ]


def test_the_page_says_who_when_and_where_it_stands_in_the_log(client, viewer, run, bob):
    merge(run, bob)
    runs.sign_curriculum(run, actor=bob, note="Now it is <b>right</b>.")

    page = client.get(reverse("curriculum:run-curriculum", args=[run.pk])).text
    panel = re.search(r'id="changes-heading".*?</section>', page, re.DOTALL)[0]

    first, second, third = re.findall(r"<strong>(.*?)</strong> by (\w+), <time", panel)
    assert [first, second, third] == [
        ("Signed as version 2", "Bob"),
        ("Version 2", "Bob"),
        ("Version 1", "Bob"),
    ]
    assert "Now it is &lt;b&gt;right&lt;/b&gt;." in panel
    entry = run.audit.get(action="stage.merged")
    assert f"?action=stage.merged#entry-{entry.sequence}" in panel
    assert "stages 1 and 2 are merged: A1, A2 in stage 1" in panel


def test_a_run_without_a_plan_has_no_changes(client, viewer):
    page = client.get(reverse("curriculum:run-curriculum", args=[diagnosed_run().pk])).text

    assert "changes-heading" not in page


def test_a_curriculum_costs_the_same_for_one_version_and_for_six(
    client, viewer, run, bob, django_assert_max_num_queries
):
    url = reverse("curriculum:run-curriculum", args=[run.pk])

    def count():
        with django_assert_max_num_queries(40) as queries:
            client.get(url)
        return len(queries)

    one = count()
    for _ in range(5):
        runs.replan(run, actor=bob)

    assert count() == one
