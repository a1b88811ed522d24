"""What waits for whom: the bar, which counts on by itself, and the list."""

from __future__ import annotations

import pytest

from curriculum.models import Notice
from curriculum.services import stages
from curriculum.services.audit import Actor
from tests.factories import AdminFactory, ItemFactory, RunFactory, StageFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


def submitted():
    stage = StageFactory(writing=True)
    ItemFactory(stage=stage)
    return stages.submit(stage, actor=Actor.worker())


def test_the_bar_of_every_page_looks_again_and_gets_itself_alone(client, reviewer):
    assert 'hx-get="/bar/" hx-trigger="every 30s"' in client.get("/jobs/").text

    submitted()
    response = client.get("/bar/", headers=HTMX)

    assert response.text.count("<nav") == 1
    assert 'for you</span>: <span class="count">1</span>' in response.text
    assert 'hx-get="/bar/"' in response.text
    assert "<html" not in response.text


def test_a_bar_whose_session_ran_out_moves_no_page_to_the_login(client, db):
    response = client.get("/bar/", headers=HTMX)

    assert (response.status_code, response.content) == (204, b"")
    assert "HX-Redirect" not in response


def test_the_list_says_which_run_what_is_wanted_and_since_when(client, reviewer):
    stage = submitted()
    RunFactory(name="For approvers", reviewing_diagnosis=True)

    page = client.get("/?waiting=1").text

    assert "You: Review the items of stage 1" in page
    assert f'href="/stages/{stage.pk}/review/"' in page
    began = stage.run.audit.get(action="stage.reviewing").at
    assert f'<time datetime="{began.isoformat()}"' in page
    assert "For approvers" not in page


def test_only_the_list_of_what_waits_says_since_when(client, reviewer):
    submitted()

    assert ">Since</th>" in client.get("/?waiting=1").text
    assert ">Since</th>" not in client.get("/").text


def test_an_administrator_sees_that_a_message_was_not_delivered(client, viewer):
    run = RunFactory()
    row = {"run": run, "what": "retry: train", "channel": "webhook"}
    Notice.objects.create(**row, sequence=1, error="The server answered 500.")
    Notice.objects.create(**row, sequence=2, status="sent")

    assert "could not be delivered" not in client.get("/jobs/").text

    client.force_login(AdminFactory(is_superuser=True))
    assert "1 message could not be delivered." in client.get("/jobs/").text
    assert "The server answered 500." in client.get("/admin/curriculum/notice/").text
