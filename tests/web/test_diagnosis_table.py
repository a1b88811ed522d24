"""The diagnosis table: filtered, searched and sorted from its address."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from tests.factories import (
    AnswerFactory,
    CheckpointFactory,
    ProbeFactory,
    RunFactory,
    ScoreFactory,
    SkillFactory,
)
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


# --- Many skills -------------------------------------------------------------------------------


def drawn(client, run, query=""):
    """Keys in the figure from above, what is said beside it, and the page."""
    page = client.get(reverse("curriculum:run-diagnosis", args=[run.pk]) + query).text
    found = re.search(r'<script id="gaps-figure"[^>]*>(.*?)</script>', page)
    said = re.search(r'<h2 id="gap-heading">Gaps(?: <small[^>]*>(.*?)</small>)?</h2>', page)
    return found and json.loads(found[1])["data"][1]["y"], said and said[1], page


@pytest.mark.parametrize(
    ("query", "keys", "said"),
    [
        ("", ["C", "A", "B", "E"], None),
        ("?show=deficient", ["C", "A"], "2 of 4"),
        ("?sort=skill", ["A", "B", "C", "E"], None),
        ("?show=retired", None, None),
    ],
)
def test_the_figure_has_the_rows_that_are_shown(client, viewer, run, query, keys, said):
    found, beside, page = drawn(client, run, query)

    assert (found, beside) == (keys, said)
    assert "2 of 4 skills are deficient" not in page or keys
    assert 'id="sort-gap"' in page


@pytest.fixture
def many():
    """50 skills, the first the least severe; all but the last have wrong answers."""
    run = RunFactory(reviewing_diagnosis=True)
    base = CheckpointFactory(run=run, parent=None)
    for n in range(50):
        skill = SkillFactory(run=run, key=f"K{n:02}", deficient=True, severity=n / 50)
        ScoreFactory(skill=skill, checkpoint=None, mean=1.0)
        ScoreFactory(skill=skill, checkpoint=base, mean=0.1 if n < 49 else 1.0)
        probe = ProbeFactory(skill=skill, split="diagnose", question=f"Question of {skill.key}?")
        AnswerFactory(probe=probe, checkpoint=base, text="wrong", grade=0)
    return run


def test_of_many_skills_the_severest_are_drawn_in_the_order_of_the_table(client, viewer, many):
    worst = [f"K{n:02}" for n in range(49, 9, -1)]

    assert drawn(client, many)[:2] == (worst, "the 40 severest of 50; the table has all")
    assert drawn(client, many, "?sort=skill")[0] == worst[::-1]
    assert drawn(client, many, "?q=K0")[:2] == ([f"K{n:02}" for n in range(9, -1, -1)], "10 of 50")


def test_a_long_table_fetches_what_is_behind_a_row_when_it_is_opened(client, reviewer, many):
    page = drawn(client, many)[2]
    skill = many.skills.get(key="K07")
    url = reverse("curriculum:skill-words", args=[skill.pk])

    assert "Question of" not in page
    assert f'hx-get="{url}" hx-trigger="toggle from:closest details once"' in page
    assert page.count("<summary>wrong answers, words, change") == 49
    part = client.get(url, headers=HTMX).text
    assert "Question of K07?" in part
    assert f'id="save-{skill.pk}"' in part
    assert "Question of K08?" not in part
    assert "<h1>K07 " in client.get(url).text  # without a script it is a page
    assert "Question of K07?" in drawn(client, many, "?q=K07")[2]


def test_words_that_were_refused_are_there_however_long_the_table(client, reviewer, many):
    skill = many.skills.get(key="K07")
    said = {"title": " ", "statement": "My own words.", "seen": skill.digest}

    page = client.post(f"/skills/{skill.pk}/edit/", said, headers=HTMX).text

    assert ">My own words.</textarea>" in page
    assert f'id="words-{skill.pk}" data-keep open' in page
    assert page.count("data-guard") == 1


def test_a_long_table_takes_no_more_queries(client, viewer, many, django_assert_max_num_queries):
    with django_assert_max_num_queries(40) as short:
        drawn(client, many, "?q=K0")
    with django_assert_max_num_queries(len(short)):
        drawn(client, many)
