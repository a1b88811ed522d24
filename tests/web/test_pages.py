from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from curriculum.models import SnapshotItem
from curriculum.states import JobKind
from tests.factories import (
    AnswerFactory,
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    ProbeFactory,
    RunFactory,
    SnapshotFactory,
    StageFactory,
    evidence,
)
from tests.web.writes import HTMX, diagnosed_run, planned_run

pytestmark = pytest.mark.django_db
OF_A_RUN = [
    *("run-detail", "run-now", "run-diagnosis", "run-graph", "run-curriculum"),
    *("run-report", "run-audit", "run-prompts", "run-examples", "run-prompts-now"),
    *("run-examples-now", "run-costs"),
]
OF_A_STAGE = ["stage-detail", "stage-now", "stage-training", "stage-review", "stage-gate"]


def address(name, pk):
    return reverse(f"curriculum:{name}", args=[pk])


@pytest.mark.parametrize("name", OF_A_RUN)
@pytest.mark.parametrize("status", ["draft", "reviewing_diagnosis", "teaching", "stopped"])
def test_a_viewer_sees_each_page_of_a_run_and_no_button_that_writes(client, viewer, name, status):
    run = RunFactory(status=status)

    response = client.get(address(name, run.pk))

    assert response.status_code == 200
    posts = re.findall(r'<form method="post"[^>]*action="([^"]*)"', response.text)
    assert set(posts) <= {"/logout/"}


@pytest.mark.parametrize("name", OF_A_STAGE)
@pytest.mark.parametrize("status", ["planned", "writing", "reviewing", "training", "mastered"])
def test_a_viewer_sees_each_page_of_a_stage_and_no_button_that_writes(client, viewer, name, status):
    stage = StageFactory(status=status)
    ItemFactory(stage=stage)

    response = client.get(address(name, stage.pk))

    assert response.status_code == 200
    posts = re.findall(r'<form method="post"[^>]*action="([^"]*)"', response.text)
    assert set(posts) <= {"/logout/"}


@pytest.mark.parametrize("said", ["9" * 3000, "²", "٣", "-1", "1e3"])
def test_a_number_that_is_none_is_left_out(client, viewer, said):
    stage = ItemFactory().stage
    asked = dict.fromkeys(
        ["round", "item", "after", "level", "reviewer", "run", "test", "only", "page"], said
    )

    for page in (*(address(name, stage.pk) for name in OF_A_STAGE), reverse("curriculum:job-list")):
        assert client.get(page, asked).status_code == 200, page


@pytest.mark.parametrize("name", OF_A_RUN)
def test_a_page_of_a_run_goes_to_the_login_when_logged_out(client, name, db):
    url = address(name, RunFactory().pk)

    assert client.get(url).url == f"/login/?next={url}"


@pytest.mark.parametrize("name", OF_A_STAGE)
def test_htmx_gets_a_part_of_a_page_and_a_boosted_link_gets_all_of_it(client, viewer, name):
    url = address(name, StageFactory().pk)

    part = client.get(url, headers=HTMX)
    whole = client.get(url, headers={**HTMX, "HX-Boosted": "true"})

    assert "<html" not in part.text
    assert "HX-Request" in part["Vary"]
    if not name.endswith("-now"):
        assert "<html" in whole.text


def test_what_is_not_there_is_404_in_words(client, viewer):
    response = client.get("/runs/999999999/")

    assert response.status_code == 404
    assert "Nothing here" in response.text


def test_the_empty_list_says_what_to_do_next(client, reviewer):
    response = client.get("/")

    assert "Make the first run" in response.text


def test_words_of_a_model_are_never_markup(client, approver):
    item = ItemFactory(
        question="<script>alert(1)</script>",
        solution="<img src=x onerror=alert(1)>",
        answer="<b>",
    )
    probe = ProbeFactory(skill=item.skill)
    base = CheckpointFactory(run=item.stage.run)
    AnswerFactory(probe=probe, checkpoint=base, grade=0, text="</div><b onclick=x>no</b>")

    pages = [
        client.get(address("stage-review", item.stage_id)).text,
        client.get(address("run-diagnosis", item.stage.run_id)).text,
    ]

    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b onclick" not in page


def test_no_template_trusts_words_or_runs_scripts_of_its_own():
    for path in Path(settings.BASE_DIR / "templates").rglob("*.html"):
        text = path.read_text()
        assert "|safe" not in text, path
        assert "autoescape off" not in text, path
        assert "hx-on" not in text, path
        assert not re.search(r"\son\w+=", text), path
        assert not re.search(r"\sstyle=", text), path
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), path
        assert not re.search(r'(src|href)="https?:', text), path


def test_each_fragment_says_its_context_and_has_one_root():
    for path in Path(settings.BASE_DIR / "templates" / "curriculum").rglob("_*.html"):
        assert path.read_text().startswith("{# Context:"), path


# --- Queries: the same for one row and for many -------------------------------------------------


def count(client, django_assert_max_num_queries, url):
    with django_assert_max_num_queries(60) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def make_run(i=0):
    run = planned_run()
    stage = run.stages.get(position=1)
    JobFactory(run=run, kind=JobKind.DIAGNOSE, succeeded=True)
    ItemFactory(stage=stage)
    GateFactory(stage=stage)
    a, b = run.skills.all()[:2]
    PrerequisiteFactory(run=run, source=a, target=b)
    return run


@pytest.mark.parametrize("url", ["/", "/?waiting=1", "/?archived=1", "/jobs/"])
def test_a_list_costs_the_same_for_one_run_and_for_five(
    client, approver, django_assert_max_num_queries, url
):
    make_run()
    one = count(client, django_assert_max_num_queries, url)
    for i in range(4):
        make_run(i)

    assert count(client, django_assert_max_num_queries, url) == one
    assert one <= 16


def test_a_diagnosis_costs_the_same_for_two_skills_and_for_ten(
    client, approver, django_assert_max_num_queries
):
    run = diagnosed_run()
    base = run.checkpoints.get()

    def ask(skills):
        for skill in skills:
            probe = ProbeFactory(skill=skill)
            AnswerFactory(probe=probe, checkpoint=base, grade=0)
            AnswerFactory(probe=probe)

    ask(run.skills.all())
    url = address("run-diagnosis", run.pk)
    few = count(client, django_assert_max_num_queries, url)
    stage = StageFactory(run=run, skills=[f"Z{i}" for i in range(8)])
    ask([place.skill for place in stage.stage_skills.all()])

    assert count(client, django_assert_max_num_queries, url) == few


@pytest.mark.parametrize("name", ["run-graph", "run-curriculum", "run-audit", "run-detail"])
def test_a_page_of_a_run_costs_the_same_for_few_rows_and_for_many(
    client, approver, django_assert_max_num_queries, name
):
    run = make_run()
    url = address(name, run.pk)
    few = count(client, django_assert_max_num_queries, url)
    for i in range(5):
        stage = StageFactory(run=run, skills=[f"Y{i}", f"Z{i}"])
        a, b = [place.skill for place in stage.stage_skills.all()]
        PrerequisiteFactory(run=run, source=a, target=b)

    assert count(client, django_assert_max_num_queries, url) == few


def test_the_queue_costs_the_same_for_one_item_and_for_twenty(
    client, approver, django_assert_max_num_queries
):
    item = ItemFactory()
    url = address("stage-review", item.stage_id)
    one = count(client, django_assert_max_num_queries, url)
    ItemFactory.create_batch(19, stage=item.stage)

    assert count(client, django_assert_max_num_queries, url) == one


def test_a_gate_costs_the_same_for_one_round_and_for_six(
    client, approver, django_assert_max_num_queries
):
    stage = StageFactory(deciding=True, skills=["A1", "A2"])

    def another_round(number):
        snapshot = SnapshotFactory(stage=stage, round=number, n_items=1)
        item = ItemFactory(stage=stage, round=number, approved=True)
        SnapshotItem.objects.create(snapshot=snapshot, item=item, version=1, position=0)
        GateFactory(
            stage=stage,
            round=number,
            evidence=evidence(
                stage, "not_yet", retention={"M1": "forgotten", f"N{number}": "kept"}
            ),
            decision="remedy" if number < 5 else "",
        )

    another_round(5)
    stage.round = 5
    stage.run.settings["budget"]["rounds_cap"] = 9
    stage.run.save()
    stage.save()
    url = address("stage-gate", stage.pk)
    one = count(client, django_assert_max_num_queries, url)
    for number in range(5):
        another_round(number)

    assert count(client, django_assert_max_num_queries, url) == one
    assert one <= 40


@pytest.mark.parametrize("name", ["run-detail", "run-now"])
def test_a_run_costs_the_same_for_one_checkpoint_and_for_six(
    client, approver, django_assert_max_num_queries, name
):
    stage = StageFactory(deciding=True, skills=["A1", "A2"])
    last = CheckpointFactory(run=stage.run, is_current=False)

    def another_round(number, parent):
        made = CheckpointFactory(
            run=stage.run,
            parent=parent,
            stage=stage,
            round=number,
            snapshot=SnapshotFactory(stage=stage, round=number),
            is_current=False,
        )
        decided = {"decision": "remedy", "decided_as": "person", "decided_by": ApproverFactory()}
        GateFactory(stage=stage, round=number, checkpoint=made, **decided)
        return made

    last = another_round(0, last)
    url = address(name, stage.run_id)
    one = count(client, django_assert_max_num_queries, url)
    for number in range(1, 6):
        last = another_round(number, last)

    assert count(client, django_assert_max_num_queries, url) == one


def test_a_run_tells_all_of_its_settings_and_which_are_not_as_usual(client, viewer):
    run = RunFactory()
    run.settings = {"thresholds": {"mastery": 0.8}}
    run.save()

    page = re.sub(r"<[^>]+>|\s+", " ", client.get(f"/runs/{run.pk}/").text)

    assert re.search(r"mastery +0\.8 +not the default +τ_mastery", page)
    assert re.search(r"final probes +64 +Probes per skill for the report", page)
