"""The two-person rule on the pages: said before anybody presses, refused when they do."""

from __future__ import annotations

import re

import pytest

from curriculum.models import Checkpoint, GateRecord, Run
from curriculum.services import items, stages
from curriculum.services.audit import Actor
from curriculum.states import StageStatus
from tests.factories import (
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    RunFactory,
    ScoreFactory,
    StageFactory,
)
from tests.web.writes import HTMX, new_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def carol(db):
    return ApproverFactory(first_name="Carol", last_name="Second")


def gate_after(user, **rule):
    """A gate to sign in a run with the rule; `user` approved the item and started the training."""
    stage = StageFactory(reviewing=True, skills=["A1"], **{"run__two_people": True, **rule})
    CheckpointFactory(run=stage.run)
    ItemFactory(stage=stage)
    items.approve_all(stage, actor=Actor.person(user), round=0)
    stage = stages.train(stage, actor=Actor.person(user), round=0)
    stage.jobs.all().delete()
    type(stage).objects.update(status=StageStatus.DECIDING)
    stage.refresh_from_db()
    return GateFactory(stage=stage, mastered=True)


def button(page, name):
    return re.search(rf"<button[^>]*>{name}</button>", page).group()


@pytest.mark.parametrize("decision", ["advance", "waive"])
def test_who_approved_is_refused_with_the_page_as_it_was(client, approver, carol, decision):
    gate = gate_after(approver)

    response = client.post(
        f"/gates/{gate.pk}/{decision}/", {"round": 0, "reason": "Mine."}, headers=HTMX
    )

    assert response.status_code == 409
    assert 'class="notice error">You approved 1 item and started the training' in response.text
    assert "Carol Second may." in response.text
    assert 'name="reason"' in response.text
    assert GateRecord.objects.get().decision == ""


def test_the_gate_says_so_before_anybody_presses(client, approver, carol):
    page = client.get(f"/stages/{gate_after(approver).stage_id}/gate/").text

    assert "disabled" in button(page, "Advance")
    assert "disabled" in button(page, "Waive")
    assert "disabled" not in button(page, "Roll back")
    assert "disabled" not in button(page, "Remedy")
    assert "somebody else has to sign. Carol Second may." in page


def test_to_the_second_person_the_gate_is_open_and_says_who_approved(client, approver, carol):
    gate = gate_after(approver)
    client.force_login(carol)

    page = client.get(f"/stages/{gate.stage_id}/gate/").text

    assert "disabled" not in button(page, "Advance")
    assert "somebody else has to sign" not in page
    assert "<strong>Ada Approver</strong> (approved 1 item and started the training)" in page
    assert client.post(f"/gates/{gate.pk}/advance/", {"round": 0}).status_code == 302


def test_without_the_rule_nothing_is_closed_and_who_approved_is_told_all_the_same(client, approver):
    gate = gate_after(approver, run__two_people=False)

    page = client.get(f"/stages/{gate.stage_id}/gate/").text

    assert "disabled" not in button(page, "Advance")
    assert "<strong>Ada Approver</strong> (approved 1 item" in page
    assert "Two-person rule" not in page


def test_the_gate_does_not_wait_for_who_may_not_sign_it(client, approver, carol):
    gate_after(approver)

    assert "for you</span>: <span>0</span>" in client.get("/").text
    assert "Nothing waits for you" in client.get("/?waiting=1").text
    client.force_login(carol)
    assert 'for you</span>: <span class="count">1</span>' in client.get("/").text
    assert "You: Decide at the gate" in client.get("/").text


def test_what_the_bar_asks_does_not_grow_with_the_gates(
    client, approver, carol, django_assert_max_num_queries
):
    def count():
        with django_assert_max_num_queries(30) as queries:
            client.get("/jobs/")
        return len(queries)

    gate_after(approver, run__two_people=False)
    without = count()
    gate_after(approver)
    one = count()
    gate_after(approver)
    gate_after(carol)

    assert count() == one
    assert one - without == 2


def test_a_run_is_made_with_the_rule(client, approver, carol):
    client.post("/runs/new/", new_run(two_people="on"))

    assert Run.objects.get().two_people


def test_without_a_second_approver_a_new_run_says_so(client, approver):
    page = client.post("/runs/new/", new_run(two_people="on"), follow=True).text

    assert "There is only one approver here" in page


@pytest.mark.parametrize(("approvers", "warns"), [(1, True), (2, False)])
def test_the_form_says_so_beside_the_rule(client, approver, approvers, warns):
    ApproverFactory.create_batch(approvers - 1)

    assert ("There is only one approver here" in client.get("/runs/new/").text) is warns


def test_the_rule_and_autopilot_are_refused_beside_the_field(client, approver):
    response = client.post("/runs/new/", new_run(two_people="on", autonomy="none"))

    assert response.status_code == 422
    assert "On autopilot nobody signs: choose one of the two." in response.text
    assert not Run.objects.exists()


@pytest.mark.parametrize(("approvers", "warns"), [(1, True), (2, False)])
def test_switching_it_on_warns_where_there_is_no_second_approver(
    client, approver, approvers, warns
):
    ApproverFactory.create_batch(approvers - 1)
    run = RunFactory()

    page = client.post(f"/runs/{run.pk}/two-people/", {"on": "1"}, follow=True).text

    assert "The two-person rule is on from now on." in page
    assert ("There is only one approver here" in page) == warns
    assert "two people a gate" in page
    assert "Switch the two-person rule off" in page


def test_a_word_that_is_neither_on_nor_off_changes_nothing(client, approver):
    run = RunFactory()

    assert client.post(f"/runs/{run.pk}/two-people/", {"on": "maybe"}).status_code == 422
    assert not Run.objects.get().two_people


def test_the_report_says_who_approved_and_who_signed(client, approver, carol):
    gate = gate_after(approver)
    client.force_login(carol)
    client.post(f"/gates/{gate.pk}/advance/", {"round": 0})
    skill, base = gate.stage.stage_skills.get().skill, gate.checkpoint
    Checkpoint.objects.update(is_current=False)
    for checkpoint in (base, CheckpointFactory(run=skill.run, parent=base)):
        ScoreFactory(skill=skill, split="final", checkpoint=checkpoint)
    ScoreFactory(skill=skill, split="final", mean=1.0)

    page = client.get(f"/runs/{gate.stage.run_id}/report/").text

    assert "under the two-person rule" in page
    assert "Ada Approver approved 1 item and started the training" in page
    assert "advanced by Carol Second" in page
