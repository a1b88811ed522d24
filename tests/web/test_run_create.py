from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from curriculum.forms import NUMBERS, PRESETS, TRIED
from curriculum.models import Run
from curriculum.states import RunStatus
from distill.settings_page import ON_THE_FORM, page
from tests.web.writes import HTMX, new_run

pytestmark = pytest.mark.django_db
URL = "/runs/new/"
TIDES = """
domain: tides
title: Tides
skills:
  - id: T1
    title: High and low water
    statement: Tells high water from low water.
    probes:
      - {question: "How high is the water at noon?", reference: high, split: diagnose}
      - {question: "How high is the water at six?", reference: low, split: gate}
      - {question: "How high is the water at midnight?", reference: high, split: final}
    items:
      - {question: "How high is the water at one?", answer: high, solution: "Answer: high"}
"""


def test_it_makes_a_draft_with_what_was_chosen(client, reviewer):
    response = client.post(URL, new_run(items="500", autonomy="none"))

    run = Run.objects.get()
    assert response.url == run.get_absolute_url()
    assert (run.name, run.status, run.seed) == ("Sums", RunStatus.DRAFT, 3)
    assert (run.created_by, run.autonomy) == (reviewer, "none")
    assert run.settings["budget"]["items"] == 500
    assert sorted(run.skills.values_list("key", flat=True)) == ["A1", "A2"]


def test_no_skill_ticked_means_all_of_them(client, reviewer):
    client.post(URL, new_run(skills=[]))

    assert Run.objects.get().skills.filter(is_transfer=False).count() == 16


def test_the_form_offers_the_skills_of_the_domain_and_the_numbers_of_the_preset(client, reviewer):
    response = client.get(URL)

    assert "A1  Add, subtract: 1 digit" in response.text
    assert 'name="items" value="3000"' in response.text


def test_a_preset_changes_the_numbers_keeps_what_was_typed_and_makes_nothing(client, reviewer):
    said = {"choose": "quick", "name": "Mine", "skills": ["A2"], "items": "77"}

    response = client.post(URL, said)

    assert response.status_code == 200
    assert 'value="Mine"' in response.text
    assert 'name="items" value="900"' in response.text
    assert 'value="A2" id="id_skills_1" checked' in response.text
    assert 'id="preset-quick" aria-pressed="true"' in response.text
    assert not Run.objects.exists()


def test_solutions_that_are_longer_than_an_answer_are_told_before_and_after(client, reviewer):
    assert 'id="too-long"' not in client.get(URL).text

    short = {"skills": ["A1", "A2"], "max_answer_tokens": "20"}
    shown = client.post(URL, {**new_run(**short), "reread": "1"}, headers=HTMX).text

    said = shown.split('id="too-long">')[1].split("</p>")[0]
    n = int(
        re.search(
            r"solutions of A2 have up to about (\d+) tokens, where an answer may have 20:", said
        )[1]
    )
    assert 20 < n <= 96
    assert '<a href="#id_max_answer_tokens">' in said
    made = client.post(URL, new_run(**short), follow=True)
    assert Run.objects.count() == 1
    assert f"have up to about {n} tokens" in made.text


@pytest.mark.parametrize("most", ["", "-1", "many", "9" * 400])
def test_no_number_of_tokens_is_no_trouble(client, reviewer, most):
    shown = client.post(URL, new_run(max_answer_tokens=most))

    assert shown.status_code == 422
    assert 'id="too-long"' not in shown.text
    assert not Run.objects.exists()


def test_what_the_chosen_skills_build_on_is_told_and_can_be_ticked(client, reviewer):
    assert "neither measured nor taught" not in client.get(URL).text

    chosen = new_run(skills=["A1", "X1", "W2"])
    shown = client.post(URL, {**chosen, "reread": "1"}, headers=HTMX).text

    said = shown.split('id="lacking"')[1].split("</div>")[0]
    assert "X1 builds on A3 and M1, W2 on W1 and M1: what is not chosen is neither" in said
    completed = client.post(URL, {**chosen, "complete": "1"}, headers=HTMX).text
    said = completed.split('id="lacking"')[1].split("</div>")[0]
    assert "Ticked as well: A2, A3, B2, B3, M1, W1." in said
    assert "neither measured" not in said
    ticked = re.findall(r'name="skills" value="(\w+)" id="\w+" checked', completed)
    assert ticked == ["A1", "A2", "A3", "B2", "B3", "M1", "X1", "W1", "W2"]
    assert 'value="Sums"' in completed
    assert not Run.objects.exists()
    made = client.post(URL, chosen, follow=True)
    assert "X1 builds on A3 and M1, W2 on W1 and M1" in made.text


def test_with_no_skill_ticked_there_is_nothing_to_tick_besides(client, reviewer):
    shown = client.post(URL, new_run(skills=[], complete="1"))

    assert "Ticked as well" not in shown.text
    assert not re.search(r'name="skills" value="\w+" id="\w+" checked', shown.text)


def test_a_run_without_a_skill_between_keeps_the_order_of_the_others(client, reviewer):
    client.post(URL, new_run(skills=["A2", "X1"]))  # X1 builds on A3, which builds on A2

    (edge,) = Run.objects.get().prerequisites.all()
    assert (edge.source.key, edge.target.key) == ("A2", "X1")


def test_another_domain_shows_its_skills_and_keeps_what_was_typed(client, reviewer):
    folder = Path(settings.IOA_HOME) / "domains"
    folder.mkdir(exist_ok=True)
    (folder / "tides.yaml").write_text(TIDES)

    response = client.post(URL, new_run(domain="domains/tides.yaml", reread="1"), headers=HTMX)

    assert response.status_code == 200
    assert "T1  High and low water" in response.text
    assert 'value="Sums"' in response.text
    assert "<html" not in response.text
    assert not Run.objects.exists()


def test_a_domain_that_cannot_be_read_is_said_beside_its_field(client, reviewer):
    folder = Path(settings.IOA_HOME) / "domains"
    folder.mkdir(exist_ok=True)
    (folder / "torn.yaml").write_text("skills: [")

    response = client.post(URL, new_run(domain="domains/torn.yaml", skills=[]))

    assert response.status_code == 422
    assert 'id="id_domain_error"' in response.text
    assert not Run.objects.exists()


def test_htmx_gets_the_form_alone(client, reviewer):
    response = client.post(URL, {"choose": "paper"}, headers=HTMX)

    assert 'id="run-form"' in response.text
    assert "<html" not in response.text


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"items": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"mastery": "1.5"}, "Ensure this value is less than or equal to 1."),
        ({"rounds_cap": "many"}, "Enter a whole number."),
        ({"domain": "/etc/passwd"}, "Select a valid choice."),
        ({"student": "../secret"}, "Select a valid choice."),
        ({"skills": ["Q9"]}, "Select a valid choice."),
        ({"learning_rate": "0"}, "These settings cannot be used: lora.learning_rate"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_made(
    client, reviewer, changes, sentence
):
    response = client.post(URL, new_run(**changes))

    assert response.status_code == 422
    assert sentence in response.text
    assert 'value="Sums"' in response.text or "name" in changes
    assert not Run.objects.exists()


def test_a_viewer_may_not(client, viewer):
    assert client.get(URL).status_code == 403
    assert client.post(URL, new_run()).status_code == 403


def test_logged_out_it_goes_to_the_login_page(client, db):
    assert client.post(URL, new_run()).url == "/login/?next=/runs/new/"


def test_where_a_language_model_can_teach_it_may_work_out_the_domains_questions(
    client, reviewer, settings
):
    assert "questions_of_domain" not in client.get(URL).text

    settings.IOA_TEACHERS = ["openai:Big@http://127.0.0.1:9/v1"]
    client.post(URL, new_run(teacher=settings.IOA_TEACHERS[0], questions_of_domain="on"))

    assert "questions_of_domain" in client.get(URL).text
    assert Run.objects.get().settings["writing"]["questions_of_domain"] is True


def test_a_model_writes_its_own_questions_unless_somebody_ticks_otherwise(client, reviewer):
    client.post(URL, new_run())

    assert Run.objects.get().settings["writing"]["questions_of_domain"] is False


@pytest.mark.parametrize(("ticked", "drawn"), [({"tries_first": "on"}, 3), ({}, 0)])
def test_the_student_tries_questions_first_where_somebody_ticks_it(client, reviewer, ticked, drawn):
    client.post(URL, new_run(**ticked))

    run = Run.objects.get()
    assert run.settings["writing"]["tried"] == drawn
    assert run.student_tries is bool(drawn)


def test_the_page_of_settings_says_what_the_form_has_and_what_presets_put_in():
    told = {f"{group}.{name}" for group, names in ON_THE_FORM.items() for name in names}
    asked = {f"{group}.{name}" for group, name in NUMBERS.values()}
    ticks = {"writing.questions_of_domain", "writing.tried"}
    words = page()

    assert told == asked | ticks
    assert f"tries {TRIED}\nquestions for each item" in words
    assert len(re.findall(r"` \* \|", words)) == len(told)
    for preset, (_, numbers) in PRESETS.items():
        cells = [f"`{preset}`", ", ".join(f"`{name}` {value:g}" for name, value in numbers.items())]
        assert f"| {' | '.join(cells)} |".replace("|  |", "| |") in words
