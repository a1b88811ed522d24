"""The diagnosis table: filtered, searched and sorted from its address."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.factories import CheckpointFactory, RunFactory, ScoreFactory, SkillFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    run = RunFactory(reviewing_diagnosis=True)
    base = CheckpointFactory(run=run, parent=None)
    known = {"is_deficient": False, "is_teachable": True}
    made = {
        "A": SkillFactory(run=run, key="A", title="Carrying", deficient=True, severity=0.2),
        "B": SkillFactory(run=run, key="B", title="Borrowing", gap=0.1, severity=0.1, **known),
        "C": SkillFactory(run=run, key="C", title="Clocks", deficient=True, severity=0.9, gap=0.5),
        "D": SkillFactory(run=run, key="D", title="Dates"),
        "E": SkillFactory(run=run, key="E", is_teachable=False, is_deficient=False),
        "F": SkillFactory(run=run, key="F", status="retired", deficient=True),
    }
    for key, mean in {"A": 0.3, "B": 0.9, "C": 0.1, "E": 0.2}.items():
        ScoreFactory(skill=made[key], checkpoint=None, mean=1.0)
        ScoreFactory(skill=made[key], checkpoint=base, mean=mean)
    return run


def shown(client, run, query="", name="run-diagnosis", **headers):
    url = reverse(f"curriculum:{name}", args=[run.pk]) + query
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    return re.findall(r'<th scope="row"[^>]*><strong>(\w)</strong>', response.text)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", ["C", "A", "B", "D", "E", "F"]),  # the worst first, the retired last
        ("?show=deficient", ["C", "A"]),
        ("?show=known", ["B"]),
        ("?show=unteachable", ["E"]),
        ("?show=unmeasured", ["D"]),
        ("?show=retired", ["F"]),
        ("?q=carry", ["A"]),
        ("?q=no+such+words", []),
        ("?sort=skill", ["A", "B", "C", "D", "E", "F"]),
        ("?sort=-skill", ["F", "E", "D", "C", "B", "A"]),
        ("?sort=student", ["C", "E", "A", "B", "D", "F"]),  # what has no value stands last
        ("?sort=-student", ["B", "A", "E", "C", "D", "F"]),
        ("?sort=-gap&show=deficient", ["A", "C"]),
        ("?sort=nonsense&show=nonsense", ["C", "A", "B", "D", "E", "F"]),
    ],
)
def test_what_the_address_says_is_shown(client, viewer, run, query, keys):
    assert shown(client, run, query) == keys


def test_each_heading_sorts_and_a_second_time_turns_the_order(client, viewer, run):
    url = reverse("curriculum:run-diagnosis", args=[run.pk])
    page = client.get(f"{url}?show=deficient&sort=-gap").text

    assert 'aria-sort="descending"><a class="sort" id="sort-gap"' in page
    assert f'href="{url}?show=deficient&amp;sort=gap"' in page
    assert f'href="{url}?show=deficient&amp;sort=-severity"' in page
    assert '<option value="deficient" selected>' in page


def test_a_change_leaves_the_rows_as_they_were_picked(client, approver, run):
    skill = run.skills.get(key="A")
    here = f"http://testserver/runs/{run.pk}/diagnosis/?show=deficient&sort=skill"

    response = client.post(
        reverse("curriculum:skill-retire", args=[skill.pk]),
        headers={**HTMX, "HX-Current-URL": here},
    )

    assert re.findall(r'<th scope="row"[^>]*><strong>(\w)</strong>', response.text) == ["C"]


def test_so_does_a_look_again_while_a_worker_is_at_it(client, viewer, run):
    here = f"http://testserver/runs/{run.pk}/diagnosis/?sort=skill"
    headers = {**HTMX, "HX-Current-URL": here}

    assert shown(client, run, "?seen=-1", "run-diagnosis-now", **headers) == list("ABCDEF")


def test_nothing_found_says_how_to_see_all(client, viewer, run):
    url = reverse("curriculum:run-diagnosis", args=[run.pk])

    assert "Show all 6" in client.get(f"{url}?q=zebra").text
