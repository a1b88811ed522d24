"""A page that somebody else has overtaken: told so, and what was typed is still there."""

from __future__ import annotations

import pytest

from curriculum.models import AuditEntry, Item, Run, Skill, Stage
from curriculum.services import gates, guidelines, items, plan, planned, skills, stages
from curriculum.services.audit import Actor
from curriculum.states import RunStatus
from tests.factories import (
    ApproverFactory,
    GateFactory,
    ItemFactory,
    RunFactory,
    StageFactory,
    diagnosed_run,
)
from tests.web.api_calls import bearer
from tests.web.writes import HTMX, planned_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(db):
    return Actor.person(ApproverFactory(first_name="Carol", last_name="Second"))


def test_a_diagnosis_that_was_changed_since_is_not_signed(client, approver, other):
    run = diagnosed_run()
    seen = run.audit_sequence
    url = f"/runs/{run.pk}/diagnosis/sign/"
    page = client.get(f"/runs/{run.pk}/diagnosis/").text
    assert f'name="seen" value="{seen}"' in page
    skills.retire(run.skills.first(), actor=other)

    response = client.post(url, {"seen": seen}, headers=HTMX)

    assert response.status_code == 409
    assert "This diagnosis has just been changed" in response.text
    run.refresh_from_db()
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    client.post(url, {"seen": run.audit_sequence})
    run.refresh_from_db()
    assert run.status == RunStatus.REVIEWING_CURRICULUM


@pytest.mark.parametrize(
    ("made", "what"), [(diagnosed_run, "sign-diagnosis"), (planned_run, "sign-curriculum")]
)
def test_a_program_does_not_sign_what_has_gone_on_since_it_looked(client, other, made, what):
    run, auth = made(), bearer(ApproverFactory())

    def sign(**said):
        url = f"/api/v1/runs/{run.pk}/{what}"
        return client.post(url, said, content_type="application/json", headers=auth)

    was = client.get(f"/api/v1/runs/{run.pk}", headers=auth).json()
    skills.edit(run.skills.get(key="A2"), actor=other, title="Sums", statement="Of two digits.")

    late = sign(seen=was["audit_sequence"])

    assert (late.status_code, late.json()["code"]) == (409, "overtaken")
    now = client.get(f"/api/v1/runs/{run.pk}", headers=auth).json()
    assert now["status"] == was["status"]
    assert sign(seen=now["audit_sequence"]).json()["status"] != was["status"]


def test_words_of_a_skill_that_somebody_changed_are_not_written_over(client, approver, other):
    skill = diagnosed_run().skills.first()
    seen = skill.digest
    skills.edit(skill, actor=other, title=skill.title, statement="Adds up to a hundred.")
    said = {"title": "Mine", "statement": "My own words.", "seen": seen}

    response = client.post(f"/skills/{skill.pk}/edit/", said, headers=HTMX)

    assert response.status_code == 409
    assert Skill.objects.get(pk=skill.pk).statement == "Adds up to a hundred."
    assert 'value="Mine"' in response.text
    assert ">My own words.</textarea>" in response.text
    assert f'name="seen" value="{Skill.objects.get(pk=skill.pk).digest}"' in response.text


def test_a_title_that_is_refused_leaves_the_statement_as_it_was_typed(client, approver):
    skill = diagnosed_run().skills.first()
    said = {"title": " ", "statement": "My own words.", "seen": skill.digest}

    response = client.post(f"/skills/{skill.pk}/edit/", said, headers=HTMX)

    assert response.status_code == 422
    assert ">My own words.</textarea>" in response.text


@pytest.mark.parametrize(("what", "said"), [("merge", {}), ("reorder", {"to": "earlier"})])
def test_a_stage_is_moved_beside_the_one_that_the_page_showed(client, approver, other, what, said):
    run = RunFactory(reviewing_curriculum=True)
    one, two, three = (StageFactory(run=run, skills=[key]) for key in "abc")
    seen = planned.digest(run)
    plan.reorder(run, order=[two.pk, one.pk, three.pk], actor=other)
    before = planned.stages_of(run)
    url = f"/stages/{three.pk}/{what}/"

    response = client.post(url, {**said, "seen": seen}, headers=HTMX)

    assert response.status_code == 409
    assert planned.stages_of(run) == before
    assert client.post(url, {**said, "seen": planned.digest(run)}, headers=HTMX).status_code == 200


def test_a_reason_that_came_too_late_is_still_in_its_field(client, approver):
    item = ItemFactory(stage=StageFactory(reviewing=True), version=2)
    said = {"version": 1, "reason": "the second step is wrong"}

    response = client.post(f"/items/{item.pk}/reject/", said, headers=HTMX)

    assert response.status_code == 409
    assert 'value="the second step is wrong"' in response.text
    assert 'id="reject-panel" open' in response.text


def test_an_edit_does_not_take_away_an_approval_that_was_not_seen(client, approver, other):
    item = ItemFactory(stage=StageFactory(reviewing=True), question="What is 4 - 1?")
    page = f"/stages/{item.stage_id}/review/?item={item.pk}&edit=1"
    shown = client.get(page).text
    assert 'name="seen" value="waiting"' in shown
    assert "does not stand any more" not in shown
    items.approve(item, actor=other, version=1)
    words = {"question": "What is 9 + 1?", "solution": "Answer: 10", "answer": "10"}
    url = f"/items/{item.pk}/edit/"

    late = client.post(url, {"version": 1, "seen": "waiting", **words}, headers=HTMX)

    assert late.status_code == 409
    assert "This item has just been changed: Carol Second approved it." in late.text
    assert ">What is 9 + 1?</textarea>" in late.text
    assert 'name="seen" value="approved"' in late.text
    falls = "Carol Second&#x27;s approval does not stand any more"
    assert f"Once new words are saved, {falls}" in late.text
    assert f"Once new words are saved, {falls}" in client.get(page).text
    assert Item.objects.get().verdict == "approved"

    meant = client.post(url, {"version": 1, "seen": "approved", **words}, headers=HTMX)
    assert f"Saved as a new version: {falls}." in meant.text
    assert Item.objects.get().verdict == ""


@pytest.mark.parametrize(("seen", "status"), [({}, 200), ({"seen": "x"}, 422)])
def test_an_edit_that_says_no_verdict_is_judged_by_its_version(client, approver, seen, status):
    item = ItemFactory(stage=StageFactory(reviewing=True))
    items.approve(item, actor=Actor.person(approver), version=1)
    said = {"version": 1, "question": "What is 9 + 1?", "solution": "Answer: 10", "answer": "10"}

    response = client.post(f"/items/{item.pk}/edit/", {**said, **seen}, headers=HTMX)

    assert response.status_code == status
    told = "your approval does not stand any more" if status == 200 else "could not be read"
    assert told in response.text


def test_a_comment_on_a_gate_that_somebody_else_decided_can_still_be_read(client, approver, other):
    gate = GateFactory(stage=StageFactory(deciding=True, skills=["A1"]))
    gates.waive(gate, actor=other, round=0, reason="Good enough.")
    said = {"round": 0, "reason": "my long <reasoned> words"}

    response = client.post(f"/gates/{gate.pk}/roll-back/", said, headers=HTMX)

    assert response.status_code == 409
    assert ">my long &lt;reasoned&gt; words</textarea>" in response.text
    assert "Not on record" in response.text
    assert "Not on record" not in client.get(f"/stages/{gate.stage_id}/gate/").text


def test_guidelines_that_came_too_late_can_be_saved_beside_the_others(client, approver, other):
    stage = ItemFactory(stage=StageFactory(reviewing=True)).stage
    guidelines.write(stage.run, actor=other, version=0, text="Short words.")
    url = f"/stages/{stage.pk}/guideline/"

    response = client.post(url, {"version": 0, "text": "One step a line."}, headers=HTMX)

    assert response.status_code == 409
    assert 'id="write-guideline" open' in response.text
    assert "One step a line.</textarea>" in response.text
    assert "Short words." in response.text
    again = client.post(url, {"version": 1, "text": "One step a line."}, headers=HTMX)
    assert again.status_code == 200
    assert 'name="version" value="1"' in response.text


@pytest.mark.parametrize("tolerance", ["-1", "9" * 30])
def test_a_share_that_no_sample_shows_is_told_in_words(client, approver, tolerance):
    stage = StageFactory(reviewing=True)

    response = client.post(
        f"/stages/{stage.pk}/sample/", {"round": 0, "tolerance": tolerance, "n": 1}, headers=HTMX
    )

    assert response.status_code == 422
    assert "0.1%" in response.text or "below 100%" in response.text


def test_a_number_that_no_person_has_is_nobody(client, approver):
    stage = StageFactory(reviewing=True)
    said = {"round": 0, "percent": 0, "overlap": 2, "reviewers": "9" * 30}

    assert client.post(f"/stages/{stage.pk}/share-out/", said, headers=HTMX).status_code == 422


def test_a_domain_that_is_no_path_is_none(client, approver):
    assert client.get("/runs/new/?domain=%00").status_code == 200
    assert not Run.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not Item.objects.exists()
    assert not Stage.objects.exists()


def test_who_trains_second_is_told_and_sees_the_stage_at_its_own_address(client, approver, other):
    stage = StageFactory(reviewing=True)
    ItemFactory(stage=stage, approved=True)
    url, boosted = f"/stages/{stage.pk}/train/", {**HTMX, "HX-Boosted": "true"}
    stages.train(stage, actor=other, round=0)

    response = client.post(url, {"round": 0}, headers=boosted)

    assert response.status_code == 409
    assert "This stage has just been changed" in response.text
    assert response["HX-Replace-Url"] == f"/stages/{stage.pk}/"
    assert '<div id="stage-now">' in response.text
