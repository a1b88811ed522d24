from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curriculum.models import Opinion, Review, TeacherCall
from curriculum.states import ActorKind, Verdict
from curriculum.views.cost_reads import costs
from tests.factories import (
    CallFactory,
    ItemFactory,
    ReviewerFactory,
    RunFactory,
    StageFactory,
    TallyFactory,
)

pytestmark = pytest.mark.django_db


def rejected(stage, by=ActorKind.PERSON, **traits):
    item = ItemFactory(stage=stage, rejected=True, **traits)
    Review.objects.create(item=item, version=1, verdict=Verdict.REJECTED, reviewed_as=by)
    return item


@pytest.fixture
def stage():
    """Twenty items asked for: two unreadable, four replaced, one spare, thirteen shown."""
    run = RunFactory(teacher="openai:big@http://localhost/v1", teaching=True)
    stage = StageFactory(run=run, reviewing=True, skills=["A1", "A2"])
    one, _ = [place.skill for place in stage.stage_skills.all()]
    lost = {"answer": 4, "duplicate": 1}
    TallyFactory(stage=stage, skill=one, asked=12, read=10, kept=5, lost=lost)
    TallyFactory(stage=stage, skill=one, level=1, asked=8, read=8, kept=7, spare=1)
    ItemFactory.create_batch(
        8, stage=stage, skill=one, approved=True, operations=["decompose", "limit_load"]
    )
    ItemFactory.create_batch(2, stage=stage, skill=one, operations=["decompose"])
    rejected(stage, skill=one)
    rejected(stage, by=ActorKind.POLICY, skill=one, flagged=True)
    ItemFactory(stage=stage, skill=one, flagged=True)
    for purpose in ("write", "write", "verify"):
        CallFactory(run=run, stage=stage, skill=one, purpose=purpose, seconds=2.0)
    return stage


def test_everything_that_was_asked_for_is_accounted_for(stage):
    found = costs(stage.run)

    (row,) = found["rows"]
    assert row.asked == 20
    assert row.unread + row.thrown_away + row.spare + row.shown == row.asked
    assert (row.unread, row.thrown_away, row.spare, row.shown) == (2, 4, 1, 13)
    assert (row.approved, row.rejected, row.by_people, row.flagged) == (8, 2, 1, 2)
    assert row.tokens == 36
    assert row.tokens_each == pytest.approx(4.5)


def test_what_reviewers_rejected_by_agreement_was_rejected_by_people(stage):
    item = rejected(stage, by=ActorKind.POLICY, skill=stage.stage_skills.first().skill)
    for reviewer in ReviewerFactory.create_batch(2):
        Opinion.objects.create(
            item=item, version=1, reviewer=reviewer, verdict=Verdict.REJECTED, reason="no"
        )

    assert costs(stage.run)["total"].by_people == 2


def test_it_says_which_check_cost_how_many_items_replaced_ones_included(stage):
    checks = costs(stage.run)["checks"]

    assert [(check.id, check.n) for check in checks] == [("answer", 4), ("duplicate", 1)]
    assert checks[0].share == pytest.approx(4 / 18)


def test_what_people_wrote_or_brought_in_is_none_of_the_teachers(client, viewer, stage):
    before = costs(stage.run)
    for origin in ("person", "import"):
        ItemFactory.create_batch(4, stage=stage, origin=origin, approved=True)
    ItemFactory(stage=stage, origin="import", flagged=True)

    found = costs(stage.run)
    text = client.get(f"/runs/{stage.run_id}/costs/").text

    assert found["total"] == before["total"]
    assert (found["total"].thrown_away, found["total"].tokens_each) == (4, 4.5)
    assert "<strong>8</strong> items approved of 20 asked for" in text
    assert "9 items that people wrote or brought in are not counted here." in text


def test_an_operation_counts_what_was_asked_for_with_it(stage):
    operations = {row.key: row for row in costs(stage.run)["operations"]}

    assert operations["decompose"].asked == 20
    assert operations["limit_load"].asked == 8  # the small ones alone
    assert operations["decompose"].shown == 10
    assert operations["limit_load"].approved == 8


def test_what_the_teacher_was_asked_for_is_told_apart(stage):
    purposes = {row["purpose"]: row["n"] for row in costs(stage.run)["purposes"]}

    assert purposes == {"write": 2, "verify": 1}


def test_a_program_is_asked_for_nothing_and_its_failed_checks_are_those_of_what_was_shown():
    stage = StageFactory(reviewing=True, skills=["A1"])
    ItemFactory(stage=stage, flagged=True)
    ItemFactory(stage=stage, approved=True)

    found = costs(stage.run)

    assert found["rows"][0].asked is None
    assert [(check.id, check.n, check.share) for check in found["checks"]] == [("answer", 1, 0.5)]
    assert not TeacherCall.objects.exists()


def test_the_page_has_the_numbers_beside_the_picture(client, viewer, stage):
    text = client.get(f"/runs/{stage.run_id}/costs/").text

    assert "<strong>8</strong> items approved of 20 asked for" in text
    assert "cost-bars-figure" in text
    assert "nobody has said what this teacher" in text


def test_a_run_without_items_says_when_there_will_be_some(client, viewer):
    assert "once the first stage is written" in client.get(f"/runs/{RunFactory().pk}/costs/").text


def test_more_items_take_no_more_queries(client, viewer, stage, django_assert_num_queries):
    with CaptureQueriesContext(connection) as counted:
        client.get(f"/runs/{stage.run_id}/costs/")
    ItemFactory.create_batch(9, stage=stage)
    TallyFactory(stage=stage, round=1, asked=3)
    with django_assert_num_queries(len(counted)):
        client.get(f"/runs/{stage.run_id}/costs/")


def test_the_budget_stands_on_the_runs_page_and_only_upwards(client, approver):
    run = RunFactory(teacher="openai:big@http://localhost/v1")
    run.settings["writing"]["teacher_tokens"] = 1000
    run.save()

    assert 'name="teacher_tokens" min="1000"' in client.get(run.get_absolute_url()).text
    refused = client.post(f"/runs/{run.pk}/budget/", {"teacher_tokens": 10})
    raised = client.post(f"/runs/{run.pk}/budget/", {"teacher_tokens": 5000}, follow=True)

    assert refused.status_code == 422
    assert "A budget can only be raised: teacher tokens stand at 1,000." in refused.text
    assert "The budget is raised." in raised.text
    assert "of 5,000" in raised.text
