"""A run that is over, stopped or made elsewhere: its pages tell what was, and offer nothing."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from curriculum.models import Item, Run, Stage
from curriculum.services import items, runs
from curriculum.services.audit import Actor
from curriculum.states import JobKind, RunStatus, StageStatus
from tests.factories import (
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
    diagnosed_run,
    measured_run,
)
from tests.web.api_calls import bearer
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db

SENTENCES = {
    "stopped": "This run is stopped: nothing in it can be changed any more.",
    "imported": "This is the record of a run made elsewhere: nothing in it can be changed.",
}


@pytest.fixture(params=SENTENCES)
def how(request):
    return request.param


def end(run, how):
    if how == "imported":
        Run.objects.filter(pk=run.pk).update(origin=7)
    else:
        runs.stop(run, actor=Actor.person(ApproverFactory()), reason="The wrong student.")


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1"])


@pytest.fixture
def decided(stage, approver):
    """One item that waits, and one that the person who looks has approved."""
    ItemFactory(stage=stage, question="What waits?", answer="1")
    done = ItemFactory(stage=stage)
    items.approve(done, actor=Actor.person(approver), version=1)
    return stage


def offered(page):
    """Where the page's forms and buttons post to: all but the way out, and what belongs to a
    person and not to the run.
    """
    found = re.findall(r'<form method="post"[^>]*? action="([^"]+)"', page)
    found += re.findall(r'(?:formaction|hx-post)="([^"]+)"', page)
    return {to for to in found if not to.endswith(("/logout/", "/filters/"))}


def look(client, stage, address):
    return client.get(f"/stages/{stage.pk}/{address}").text


QUEUES = ["review/", "review/?view=list", "review/?verdict=all&q=%2B+1", "review/?q=waits&edit=1"]


@pytest.mark.parametrize("address", [*QUEUES, "items/new/", "replace/preview/?find=What&put=How"])
def test_no_item_of_it_is_decided_changed_or_trained_on(client, decided, how, address):
    address = address.replace("put=How", "put=How&question=on")
    assert offered(look(client, decided, address))

    end(decided.run, how)

    page = look(client, decided, address)
    assert offered(page) == set()
    assert "<button disabled>Train" not in page
    if address in QUEUES:
        assert SENTENCES[how] in page
        assert 'id="edit-form"' not in page
        assert "Write an item" not in page


def test_whoever_reads_it_holds_no_item(client, decided, how):
    assert 'id="presence"' in look(client, decided, "review/")

    end(decided.run, how)

    assert 'id="presence"' not in look(client, decided, "review/")


def test_where_every_item_has_its_verdict_nobody_is_told_to_train(client, decided, how):
    Item.objects.update(verdict="approved")
    assert "Train on 2 approved items" in look(client, decided, "review/")

    end(decided.run, how)

    page = look(client, decided, "review/")
    assert "Nothing was trained on them." in page
    assert "can start the training" not in page


@pytest.mark.parametrize("mastered", [True, False])
def test_its_gate_is_not_decided_any_more(client, approver, how, mastered):
    stage = GateFactory(mastered=mastered).stage
    assert offered(look(client, stage, "gate/"))

    end(stage.run, how)

    page = look(client, stage, "gate/")
    assert offered(page) == set()
    assert "<button" not in page.partition('id="gate"')[2]
    assert SENTENCES[how] in page
    assert "None was taken." in page


def test_the_api_calls_its_gate_open_no_more(client, how):
    gate = GateFactory()
    auth = bearer(ApproverFactory())

    def is_open():
        one = client.get(f"/api/v1/gates/{gate.pk}", headers=auth).json()
        [each] = client.get(f"/api/v1/stages/{gate.stage_id}/gates", headers=auth).json()
        return one["is_open"], each["is_open"]

    assert is_open() == (True, True)

    end(gate.stage.run, how)

    assert is_open() == (False, False)


@pytest.mark.parametrize("status", [StageStatus.REVIEWING, StageStatus.WRITING])
def test_a_stage_of_it_is_not_rolled_back(client, approver, stage, how, status):
    JobFactory(run=stage.run, stage=stage, kind=JobKind.WRITE, failed=True)
    Stage.objects.update(status=status)
    assert f"/stages/{stage.pk}/roll-back/" in offered(look(client, stage, ""))

    end(stage.run, how)

    page = look(client, stage, "")
    assert offered(page) == set()
    assert page.count("nothing in it can be changed") == 1


def test_its_team_has_nothing_to_share_out(client, decided, how):
    assert offered(look(client, decided, "team/"))

    end(decided.run, how)

    page = look(client, decided, "team/")
    assert offered(page) == set()
    assert SENTENCES[how] in page


def test_others_that_were_being_written_are_not_gone_on_with(client, decided, how):
    asked = {"stage": decided.pk, "round": 0, "batch": 1, "reason": "odd"}
    job = JobFactory(run=decided.run, kind=JobKind.REWRITE, failed=True, asked=asked)
    assert f"/jobs/{job.pk}/retry/" in offered(look(client, decided, "review/"))

    end(decided.run, how)

    assert offered(look(client, decided, "review/")) == set()


def test_its_training_page_leads_to_no_decision_and_waits_for_nothing(client, approver, stage, how):
    end(stage.run, how)
    said = {}
    for status in (StageStatus.REVIEWING, StageStatus.ASSESSING, StageStatus.DECIDING):
        Stage.objects.update(status=status)
        said[status] = look(client, stage, "training/").partition('id="next-action"')[2]

    assert "Review the items" not in said[StageStatus.REVIEWING]
    assert "None was started before the run was over." in said[StageStatus.REVIEWING]
    assert "every 2s" not in said[StageStatus.ASSESSING]
    assert "Decide at the gate" not in said[StageStatus.DECIDING]


def test_what_was_pressed_on_an_older_page_is_refused_by_what_the_run_is(client, approver, how):
    gate = GateFactory(mastered=True)
    end(gate.stage.run, how)

    response = client.post(f"/gates/{gate.pk}/advance/", {"round": 0}, headers=HTMX)

    is_what = {"stopped": "stopped", "imported": "the record of a run made elsewhere"}[how]
    assert response.status_code == 409
    assert f"This run is {is_what}: nothing in it can be changed any more." in response.text


# --- Made elsewhere, before it taught: a run that was stopped says so by its status ---------------


@pytest.mark.parametrize("status", [RunStatus.DRAFT, RunStatus.REVIEWING_DIAGNOSIS])
@pytest.mark.parametrize("page", ["run-diagnosis", "run-graph"])
def test_neither_its_diagnosis_nor_its_graph_is_changed(client, approver, status, page):
    run = diagnosed_run(status=status)
    edge = PrerequisiteFactory(run=run, source=run.skills.first(), target=run.skills.last())
    words = f"/skills/{edge.source_id}/words/"
    address = reverse(f"curriculum:{page}", args=[run.pk])
    assert offered(client.get(address).text)

    end(run, "imported")

    assert offered(client.get(address).text) == offered(client.get(words).text) == set()


def test_its_plan_is_neither_changed_nor_planned_again(client, approver):
    going, planned = measured_run(), StageFactory(run__status="reviewing_curriculum").run
    StageFactory(run=planned)
    addresses = [reverse("curriculum:run-curriculum", args=[run.pk]) for run in (going, planned)]
    assert all(offered(client.get(address).text) for address in addresses)

    for run in (going, planned):
        end(run, "imported")

    assert [offered(client.get(address).text) for address in addresses] == [set(), set()]


@pytest.mark.parametrize("kind", [JobKind.TRY, JobKind.EXAMPLES])
def test_what_was_tried_in_it_is_not_tried_again(client, approver, how, kind):
    run = RunFactory(teaching=True, teacher="openai:big@http://localhost/v1")
    CheckpointFactory(run=run)
    skill = SkillFactory(run=run, key="A2", title="add without carrying")
    asked = {"name": "decompose", "source": "Words.\n", "skill": "A2", "examples": []}
    job = JobFactory(run=run, kind=kind, failed=True, asked=asked)
    page = {JobKind.TRY: "run-prompts", JobKind.EXAMPLES: "run-examples"}[kind]
    address = f"{reverse(f'curriculum:{page}', args=[run.pk])}?skill={skill.key}&name=decompose"
    assert f"/jobs/{job.pk}/retry/" in offered(client.get(address).text)

    end(run, how)

    assert offered(client.get(address).text) == set()
