"""Words that were refused with what they were said to: they come back where they were typed."""

from __future__ import annotations

import pytest

from curriculum.models import Stage
from tests.factories import PrerequisiteFactory, RunFactory, SkillFactory, StageFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db
BOOSTED = {**HTMX, "HX-Boosted": "true"}  # as the forms of a run are sent


@pytest.mark.parametrize("verb", ["stop", "conclude"])
def test_why_a_run_ends_is_still_in_its_field_where_it_is_too_long(client, approver, verb):
    run, reason = RunFactory(teaching=True), "so many words " * 200

    page = client.post(f"/runs/{run.pk}/{verb}/", {"reason": reason}, headers=BOOSTED)

    assert page.status_code == 422
    assert '<details class="card" id="change-run" open>' in page.text
    form = page.text.split(f'action="/runs/{run.pk}/{verb}/"')[1].split("</form>")[0]
    assert f'value="{reason}" aria-invalid="true"' in form
    assert page.text.count(reason) == 1


@pytest.mark.parametrize(
    ("verb", "make"),
    [
        ("stop", lambda: RunFactory(stopped=True)),
        ("conclude", lambda: StageFactory(writing=True).run),
        ("conclude", lambda: RunFactory(finished=True)),
    ],
)
def test_why_a_run_ends_can_still_be_read_where_it_cannot_now(client, approver, verb, make):
    run = make()

    page = client.post(f"/runs/{run.pk}/{verb}/", {"reason": "it <is> enough"}, headers=BOOSTED)

    assert page.status_code == 409
    assert '<details class="card" id="change-run" open>' in page.text
    assert ">it &lt;is&gt; enough</textarea>" in page.text
    assert "Not on record" in page.text
    assert "Not on record" not in client.get(f"/runs/{run.pk}/").text


def test_a_budget_that_is_refused_is_still_in_its_field(client, approver):
    run = RunFactory(teaching=True)
    run.settings["budget"] = {"items": 900}
    run.save()

    page = client.post(f"/runs/{run.pk}/budget/", {"items": 700}, headers=BOOSTED)

    assert page.status_code == 422
    assert 'id="change-run" open>' in page.text
    assert 'min="900" value="700"' in page.text
    assert 'min="900" value="900"' in client.get(f"/runs/{run.pk}/").text


def test_a_run_is_concluded_where_no_stage_is_under_way(client, approver):
    stage = StageFactory(mastered=True)
    page = f"/runs/{stage.run_id}/"
    form = f'action="{page}conclude/"'
    assert form in client.get(page).text

    other = StageFactory(run=stage.run, writing=True)
    begun = client.get(page).text
    assert form not in begun
    assert "while no stage is under way" in begun

    Stage.objects.filter(pk=other.pk).update(status="planned")
    client.post(f"{page}conclude/", {"reason": "enough"})
    assert form not in client.get(page).text


@pytest.mark.parametrize(("verb", "headers"), [("refuse", HTMX), ("confirm", HTMX), ("refuse", {})])
def test_a_word_about_a_prerequisite_that_is_refused_is_still_in_its_row(
    client, approver, verb, headers
):
    run = RunFactory(reviewing_diagnosis=True)
    there = PrerequisiteFactory(run=run)
    turned = {"source": there.target, "target": there.source}
    edge = PrerequisiteFactory(run=run, is_active=False, **turned)  # confirmed, it closes a circle
    said = {"reason": 'they are "one" skill'}

    response = client.post(f"/edges/{edge.pk}/{verb}/", said, headers=headers)

    assert response.status_code in (409, 422)
    field = 'required value="they are &quot;one&quot; skill">'
    assert response.text.count(field) == 1
    row = response.text.split(f'<tr id="edge-{edge.pk}"')[1].split("</tr>")[0]
    assert field in row
    assert '<form method="post" data-guard data-unsaved action' in row


def test_a_word_about_a_prerequisite_of_a_signed_diagnosis_can_still_be_read(client, approver):
    edge = PrerequisiteFactory(run=RunFactory(reviewing_curriculum=True))
    said = {"reason": "my <reasoned> words"}

    response = client.post(f"/edges/{edge.pk}/refuse/", said, headers=HTMX)

    assert response.status_code == 409
    assert ">my &lt;reasoned&gt; words</textarea>" in response.text
    assert "Not on record" in response.text
    assert "Not on record" not in client.get(f"/runs/{edge.run_id}/graph/").text


def test_a_reason_for_a_new_prerequisite_that_came_too_late_can_still_be_read(client, approver):
    run = RunFactory(reviewing_curriculum=True)
    one, other = SkillFactory(run=run), SkillFactory(run=run)
    said = {"source": one.key, "target": other.key, "reason": "my <reasoned> words"}

    response = client.post(f"/runs/{run.pk}/edges/add/", said, headers=HTMX)

    assert response.status_code == 409
    assert ">my &lt;reasoned&gt; words</textarea>" in response.text
    assert not run.prerequisites.exists()
