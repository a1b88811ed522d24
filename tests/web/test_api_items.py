"""Items by the API: pages that hold still, edits of what was seen, acts that are undone."""

from __future__ import annotations

import pytest

from curriculum.models import AuditEntry, Item, Revision
from curriculum.services import items
from curriculum.services.audit import Actor
from tests.factories import (
    ApproverFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    ReviewerFactory,
    StageFactory,
    ViewerFactory,
)
from tests.web.api_calls import bearer

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def bob(db):
    return ReviewerFactory(first_name="Bob", last_name="")


@pytest.fixture
def ask(client, bob):
    """Send JSON as Bob: ask("post", "/items/1/approve", {...}, **headers)."""
    auth = bearer(bob)

    def send(method, path, said=None, **headers):
        return getattr(client, method)(
            f"/api/v1{path}", said, content_type=JSON, headers={**auth, **headers}
        )

    send.get = lambda path, **query: client.get(f"/api/v1{path}", query, headers=auth)
    return send


def walk(ask, path, between=lambda: None, **query):
    """All rows of a list, with something done between its pages."""
    found, cursor = [], ""
    while cursor is not None:
        page = ask.get(path, cursor=cursor, **query).json()
        found += page["items"]
        cursor = page["next"]
        between()
    return found


# --- Words --------------------------------------------------------------------------------------


def test_a_tag_that_is_too_long_as_it_is_kept_is_refused_and_not_cut_off(ask):
    item = ItemFactory()

    refused = ask("post", f"/items/{item.pk}/tag", {"word": "ß" * 40})

    assert refused.status_code == 422
    assert "40 characters at most" in refused.json()["detail"]
    assert ask("post", f"/items/{item.pk}/tag", {"word": "Units"}).json()["tags"] == ["units"]


# --- Pages -------------------------------------------------------------------------------------


def test_pages_neither_repeat_nor_skip_while_items_come_in_and_are_decided(ask, bob):
    stage = StageFactory(reviewing=True)
    before = [item.pk for item in ItemFactory.create_batch(7, stage=stage)]
    first = Item.objects.get(pk=before[0])

    def meanwhile():
        ItemFactory(stage=stage)
        if first.verdict == "":
            items.approve(first, actor=Actor.person(bob), version=1)
            first.refresh_from_db()

    found = walk(ask, f"/stages/{stage.pk}/items", meanwhile, limit=2)

    numbers = [item["id"] for item in found]
    assert numbers[:7] == before
    assert numbers == sorted(set(numbers))


def test_lists_of_the_newest_first_hold_still_as_well(ask):
    jobs = [job.pk for job in JobFactory.create_batch(5, running=True)]

    found = walk(ask, "/jobs", lambda: JobFactory(running=True), limit=2)

    assert [job["id"] for job in found] == jobs[::-1]


def test_the_last_page_that_is_just_full_says_so(ask):
    ItemFactory.create_batch(2, stage=(stage := StageFactory(reviewing=True)))

    assert ask.get(f"/stages/{stage.pk}/items", limit=2).json()["next"] is None


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "YWZ0ZXI6", "YWZ0ZXI6LTE", "YmVmb3JlOjE", "é", "a" * 80, "AAAA"]
)
def test_a_cursor_that_is_none_is_refused(ask, cursor):
    stage = StageFactory()

    response = ask.get(f"/stages/{stage.pk}/items", cursor=cursor)

    assert (response.status_code, response.json()["code"]) == (422, "bad_cursor")


def test_a_page_costs_the_same_however_many_items_it_has(ask, django_assert_max_num_queries):
    stage = StageFactory(reviewing=True)
    ItemFactory.create_batch(60, stage=stage)
    ask.get("/me")

    with django_assert_max_num_queries(12):
        assert len(ask.get(f"/stages/{stage.pk}/items", limit=60).json()["items"]) == 60


def test_a_check_of_an_archive_that_gives_no_reason_is_shown_with_none(ask):
    item = ItemFactory(checks=[{"id": "steps", "version": 1, "passed": True}])

    said = ask.get(f"/items/{item.pk}").json()

    assert said["checks"] == [{"id": "steps", "version": 1, "passed": True, "detail": ""}]


def test_filters_are_those_of_the_queue(ask):
    stage = StageFactory(reviewing=True, skills=["A1", "A2"])
    odd = ItemFactory(stage=stage, flagged=True, question="What is odd?", answer="1", solution="1")
    ItemFactory(stage=stage, approved=True)
    ItemFactory(stage=stage, skill=stage.stage_skills.last().skill)

    def numbers(**query):
        return [
            item["id"] for item in ask.get(f"/stages/{stage.pk}/items", **query).json()["items"]
        ]

    assert numbers(q="odd") == numbers(checks="flagged") == numbers(failed="answer") == [odd.pk]
    assert len(numbers()) == 3
    assert len(numbers(verdict="waiting")) == 2
    assert len(numbers(skill="A2")) == 1
    assert numbers(round=1) == []


# --- Edits -------------------------------------------------------------------------------------


@pytest.fixture
def item(db):
    return ItemFactory(skill__key="A1", stage__skills=["A1"])


def test_an_edit_names_what_was_seen_and_gets_the_next_etag(ask, item):
    seen = ask.get(f"/items/{item.pk}")["ETag"]

    response = ask(
        "patch", f"/items/{item.pk}", {"solution": "So. Answer: 3"}, **{"If-Match": seen}
    )

    assert response.status_code == 200
    assert (response.json()["version"], response.json()["question"]) == (2, item.question)
    assert response["ETag"] == ask.get(f"/items/{item.pk}")["ETag"] != seen
    assert Revision.objects.get().solution == item.solution


def test_of_two_who_saw_the_same_the_second_is_told(ask, item):
    seen = {"If-Match": ask.get(f"/items/{item.pk}")["ETag"]}
    ask("patch", f"/items/{item.pk}", {"solution": "Mine. Answer: 3"}, **seen)

    late = ask("patch", f"/items/{item.pk}", {"solution": "Late. Answer: 3"}, **seen)

    assert late.status_code == 412
    assert late.json()["now"] == {"version": 2, "verdict": "waiting"}
    assert Item.objects.get().solution == "Mine. Answer: 3"
    again = ask("patch", f"/items/{item.pk}", {"solution": "B."}, **{"If-Match": late["ETag"]})
    assert again.status_code == 200


def test_a_verdict_or_a_tag_since_counts_as_a_change(ask, item):
    seen = {"If-Match": ask.get(f"/items/{item.pk}")["ETag"]}
    ask("post", f"/items/{item.pk}/approve", {"version": 1})
    assert ask("patch", f"/items/{item.pk}", {"solution": "x"}, **seen).status_code == 412
    ask("post", f"/items/{item.pk}/undo", {"version": 1})
    ask("post", f"/items/{item.pk}/tag", {"word": "odd"})
    assert ask("patch", f"/items/{item.pk}", {"solution": "x"}, **seen).status_code == 412
    assert not Revision.objects.exists()


def test_without_if_match_it_is_428_and_a_star_or_a_weak_tag_is_none(ask, item):
    assert ask("patch", f"/items/{item.pk}", {"solution": "x"}).status_code == 428
    weak = "W/" + ask.get(f"/items/{item.pk}")["ETag"]
    for seen in ("*", '"x"', weak):
        response = ask("patch", f"/items/{item.pk}", {"solution": "x"}, **{"If-Match": seen})
        assert response.status_code == 412
    assert not Revision.objects.exists()


def test_who_has_it_already_is_told_so_without_a_body(ask, client, item, bob):
    seen = ask.get(f"/items/{item.pk}")["ETag"]

    response = client.get(
        f"/api/v1/items/{item.pk}", headers={**bearer(bob), "If-None-Match": f'"a", {seen}'}
    )

    assert (response.status_code, response["ETag"]) == (304, seen)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"solution": ""},
        {"solution": "x" * 100_001},
        {"solution": "a\x00b"},
        {"solution": "a\ud800b"},
        {"solution": 5},
        {"solution": None, "extra": 1},
        {"verdict": "approved"},
        [],
    ],
)
def test_words_that_are_none_are_refused_and_nothing_changes(ask, item, said):
    seen = {"If-Match": ask.get(f"/items/{item.pk}")["ETag"]}

    response = ask("patch", f"/items/{item.pk}", said, **seen)

    assert response.status_code == 422
    assert response.json()["detail"]
    assert not Revision.objects.exists()


def test_markup_goes_in_and_out_as_the_words_it_is(ask, item):
    words = "<script>alert(1)</script> {{ 7*7 }} Answer: 3"
    seen = {"If-Match": ask.get(f"/items/{item.pk}")["ETag"]}

    response = ask("patch", f"/items/{item.pk}", {"solution": words}, **seen)

    assert response.json()["solution"] == words
    assert response["Content-Type"].startswith(JSON)


# --- Verdicts ----------------------------------------------------------------------------------


def test_a_verdict_on_an_older_version_is_refused(ask, item):
    Item.objects.update(version=2)

    response = ask("post", f"/items/{item.pk}/approve", {"version": 1})

    assert (response.status_code, response.json()["code"]) == (409, "overtaken")


def test_a_leak_is_never_approved_alone_or_together(ask):
    leak = ItemFactory(leak=True)

    alone = ask("post", f"/items/{leak.pk}/approve", {"version": 1})
    together = ask("post", f"/stages/{leak.stage_id}/approve-all", {"round": 0, "failed": "leak"})

    assert (alone.status_code, alone.json()["code"]) == (409, "leak_never_approved")
    assert together.json() == {"n": 0, "act": None}


def test_what_was_done_together_is_undone_by_who_did_it_and_nobody_else(ask, client):
    stage = StageFactory(reviewing=True)
    ItemFactory.create_batch(3, stage=stage)
    act = ask("post", f"/stages/{stage.pk}/approve-all", {"round": 0, "expected": 3}).json()
    url = f"/api/v1/stages/{stage.pk}/undo"

    other = client.post(
        url, {"act": act["act"]}, content_type=JSON, headers=bearer(ReviewerFactory())
    )
    back = ask("post", f"/stages/{stage.pk}/undo", {"act": act["act"]})

    assert other.status_code == 409
    assert back.json() == {"n": 3, "stays": 0, "by": []}
    assert Item.objects.filter(verdict="").count() == 3
    assert ask("post", f"/stages/{stage.pk}/undo", {"act": act["act"]}).status_code == 409
    assert ask("post", f"/stages/{stage.pk}/undo", {"act": 10**9}).status_code == 404


def test_more_than_was_expected_is_left_alone(ask):
    stage = ItemFactory().stage
    ItemFactory(stage=stage)

    response = ask("post", f"/stages/{stage.pk}/approve-all", {"round": 0, "expected": 1})

    assert response.status_code == 409
    assert not Item.objects.filter(verdict="approved").exists()


def test_undoing_takes_scope_and_role(client):
    stage = ItemFactory().stage
    url = f"/api/v1/stages/{stage.pk}/undo"

    def status(**headers):
        return client.post(url, {"act": 1}, content_type=JSON, headers=headers).status_code

    assert status() == 401
    assert status(**bearer(ApproverFactory(), "read")) == 403
    assert status(**bearer(ViewerFactory())) == 403


# --- Gates -------------------------------------------------------------------------------------


def test_a_decision_on_other_evidence_is_refused_and_says_what_is_so(ask, client):
    gate = GateFactory(mastered=True)
    ada = ApproverFactory(first_name="Ada", last_name="")
    seen = ask.get(f"/gates/{gate.pk}").json()
    said = {"decision": "advance", "evidence_hash": seen["evidence_hash"]}
    url, auth = f"/api/v1/gates/{gate.pk}/decide", bearer(ada)
    gate.evidence["stage"][0]["ratio"] = 0.1
    gate.save()

    refused = client.post(url, said, content_type=JSON, headers=auth)

    assert (refused.status_code, refused.json()["code"]) == (409, "evidence_changed")
    now = refused.json()["now"]
    assert now["evidence_hash"] != seen["evidence_hash"]
    assert not AuditEntry.objects.exclude(action="token.made").exists()
    said["evidence_hash"] = now["evidence_hash"]
    assert client.post(url, said, content_type=JSON, headers=auth).status_code == 200
    late = client.post(url, said, content_type=JSON, headers=auth)
    assert late.status_code == 409
    gate.refresh_from_db()
    assert (gate.decision, gate.decided_by) == ("advance", ada)


def test_what_the_evidence_does_not_allow_is_refused_with_the_skills(client):
    gate = GateFactory()
    auth = bearer(ApproverFactory())
    seen = client.get(f"/api/v1/gates/{gate.pk}", headers=auth).json()
    said = {"evidence_hash": seen["evidence_hash"]}
    url = f"/api/v1/gates/{gate.pk}/decide"

    advance = client.post(url, {**said, "decision": "advance"}, content_type=JSON, headers=auth)
    waive = client.post(url, {**said, "decision": "waive"}, content_type=JSON, headers=auth)

    assert (advance.status_code, advance.json()["code"]) == (409, "gate_refused")
    assert "not mastered" in advance.json()["detail"]
    assert (waive.status_code, waive.json()["code"]) == (422, "reason_required")
