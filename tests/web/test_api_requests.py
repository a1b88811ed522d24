"""How the API takes requests: once under a key, so often a minute, and whatever is sent."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curriculum.models import ApiReply, ApiToken, AuditEntry, Item, Run
from curriculum.services import audit, chain
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    ItemFactory,
    ReviewerFactory,
    RunFactory,
    StageFactory,
    ViewerFactory,
)
from tests.web.api_calls import RUN, bearer

pytestmark = pytest.mark.django_db
JSON = "application/json"
KEY = {"Idempotency-Key": "a-key"}
KEY_IS = "1 to 255 printable ASCII characters, and no spaces"


@pytest.fixture
def auth(db):
    return bearer(ApproverFactory())


def post(client, path, said, headers):
    return client.post(f"/api/v1{path}", said, content_type=JSON, headers=headers)


# --- Twice is once -----------------------------------------------------------------------------


def test_the_same_request_under_the_same_key_is_done_once_and_answered_the_same(client, auth):
    first = post(client, "/runs", RUN, auth | KEY)
    again = post(client, "/runs", RUN, auth | KEY)

    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (None, "true")
    assert Run.objects.count() == 1
    assert again["X-Request-ID"] != first["X-Request-ID"]


def test_without_a_key_it_is_done_twice(client, auth):
    post(client, "/runs", RUN, auth)
    post(client, "/runs", RUN, auth)

    assert Run.objects.count() == 2
    assert not ApiReply.objects.exists()


@pytest.mark.parametrize("change", ["body", "address"])
def test_another_request_under_a_used_key_is_refused(client, auth, change):
    first, second = ItemFactory.create_batch(2)
    post(client, f"/items/{first.pk}/tag", {"word": "a"}, auth | KEY)
    pk, word = (first.pk, "b") if change == "body" else (second.pk, "a")

    response = post(client, f"/items/{pk}/tag", {"word": word}, auth | KEY)

    assert (response.status_code, response.json()["code"]) == (422, "key_reused")


def test_a_key_is_of_one_token_and_lasts_a_day(client, auth):
    post(client, "/runs", RUN, auth | KEY)
    post(client, "/runs", RUN, bearer(ApproverFactory()) | KEY)
    assert Run.objects.count() == 2

    ApiReply.objects.update(created_at=timezone.now() - timezone.timedelta(hours=24, seconds=1))
    post(client, "/runs", RUN, auth | KEY)

    assert Run.objects.count() == 3
    assert ApiReply.objects.count() == 2


def test_a_refusal_is_not_kept_and_leaves_no_trace(client, auth):
    item = ItemFactory()
    path, said = f"/items/{item.pk}/approve", {"version": 2}
    assert post(client, path, said, auth | KEY).status_code == 409
    assert not ApiReply.objects.exists()
    Item.objects.update(version=2)

    assert post(client, path, said, auth | KEY).status_code == 200
    assert post(client, path, said, auth | KEY).status_code == 200
    assert AuditEntry.objects.filter(action="item.approved").count() == 1


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "\x7f"])
def test_a_key_that_is_none_is_refused(client, auth, key):
    response = post(client, "/runs", RUN, auth | {"Idempotency-Key": key})

    assert response.status_code == 422
    assert not Run.objects.exists()
    assert KEY_IS in response.json()["detail"]


def test_the_page_of_the_api_says_what_a_key_may_be():
    page = (settings.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")

    for words in KEY_IS.split(", "):  # of your choice, it says in between
        assert words in page


def test_a_file_is_imported_once_under_its_key_and_another_file_is_told(client, auth):
    stage = StageFactory(reviewing=True, skills=["A1"])

    def send(question):
        line = json.dumps({"question": question, "answer": "7"}).encode()
        file = SimpleUploadedFile("items.jsonl", line)
        said = {"file": file, "round": 0, "skill": "A1"}
        return client.post(f"/api/v1/stages/{stage.pk}/import", said, headers=auth | KEY)

    first, again, other = send("What is 6 + 1?"), send("What is 6 + 1?"), send("What is 5 + 2?")

    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 422)
    assert first.json() == again.json() == {"n": 1, "flagged": 0, "leaks": 0}
    assert Item.objects.count() == 1


# --- How often, and when -----------------------------------------------------------------------


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(client, settings):
    settings.IOA_API_REQUESTS = 3
    ada, bob = bearer(ViewerFactory()), bearer(ViewerFactory())

    statuses = [client.get("/api/v1/me", headers=ada).status_code for _ in range(8)]
    last = client.get("/api/v1/me", headers=ada)

    # A minute may end in the midst of it: then three more.
    assert statuses[:3] == [200] * 3
    assert 429 in statuses
    if last.status_code == 429:
        assert 1 <= int(last["Retry-After"]) <= 61
    assert client.get("/api/v1/me", headers=bob).status_code == 200


def test_the_last_use_is_kept_to_the_minute(client):
    headers = bearer(ViewerFactory())
    assert ApiToken.objects.get().used_at is None
    client.get("/api/v1/me", headers=headers)
    first = ApiToken.objects.get().used_at
    client.get("/api/v1/me", headers=headers)

    assert first is not None
    assert ApiToken.objects.get().used_at == first
    ApiToken.objects.update(used_at=first - timezone.timedelta(seconds=61))
    client.get("/api/v1/me", headers=headers)
    assert ApiToken.objects.get().used_at >= first


def test_reading_writes_nothing_but_that(client, auth):
    item = ItemFactory()
    client.get("/api/v1/me", headers=auth)
    paths = ("/runs", f"/items/{item.pk}", f"/stages/{item.stage_id}/items", "/jobs")

    with CaptureQueriesContext(connection) as seen:
        for path in paths:
            assert client.get(f"/api/v1{path}", headers=auth).status_code == 200

    assert [q["sql"] for q in seen if not q["sql"].startswith("SELECT")] == []


# --- Whatever is sent --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("{", JSON, 400),
        ("\xff", JSON, 400),
        ('{"a": ' * 100_000, JSON, 400),
        ("[]", JSON, 422),
        ("null", JSON, 422),
        ('{"name": NaN}', JSON, 422),
        ('{"seed": 1e400}', JSON, 422),
        ("", JSON, 422),
        ("a=b", "application/x-www-form-urlencoded", 400),
    ],
)
def test_a_body_that_is_none_gets_a_sentence(client, auth, body, kind, status):
    response = client.generic(
        "POST", "/api/v1/runs", body.encode("latin-1"), content_type=kind, headers=auth
    )

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert not Run.objects.exists()


def test_a_broken_upload_gets_a_sentence(client, auth):
    stage = StageFactory(reviewing=True)

    response = client.generic(
        "POST",
        f"/api/v1/stages/{stage.pk}/import",
        b"--x\r\nnonsense",
        content_type="multipart/form-data; boundary=",
        headers=auth,
    )

    assert response.status_code in (400, 422)
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"domain": "../../etc/passwd"}, "not a domain of this installation"),
        ({"domain": "domains/../secret_key"}, "not a domain of this installation"),
        ({"teacher": "openai:x@http://169.254.169.254/#SECRET_KEY"}, "no teacher of this"),
        ({"student": "../../../etc"}, "not a model of this installation"),
        ({"skills": ["Z99"]}, "has no skill Z99"),
        ({"settings": {"budget": {"items": -1}}}, "cannot be used"),
        ({"settings": {"budget": {"items": 10**400}}}, "cannot be used"),
        ({"settings": {"nonsense": {"x": 1}}}, "cannot be used"),
        ({"settings": {"budget": {"items": float("inf")}}}, "cannot be used"),
        ({"autonomy": "none", "two_people": True}, "two-person rule"),
        ({"name": "  "}, "may not be empty"),
        ({"seed": 2**31}, "seed"),
        ({"seed": True}, "seed"),
        ({"is_over": True}, "is_over"),
    ],
)
def test_a_run_that_cannot_be_made_like_this_is_refused(client, auth, change, says):
    response = post(client, "/runs", RUN | change, auth)

    assert response.status_code == 422
    assert says in response.json()["detail"]
    assert not Run.objects.exists()


def test_what_is_not_said_of_the_settings_is_as_usual(client, auth):
    said = {**RUN, "settings": {"budget": {"items_per_round": 16}}}

    made = post(client, "/runs", said, auth).json()["settings"]

    assert made["budget"]["items_per_round"] == 16
    assert made["budget"]["items"] > 16
    assert made["probing"]


@pytest.mark.parametrize("number", ["0", "-1", "x", "9223372036854775808", "1e3", "1%00", "١"])
def test_a_number_that_is_none_is_422_or_404(client, auth, number):
    response = client.get(f"/api/v1/runs/{number}", headers=auth)

    assert response.status_code in (404, 422)
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("../../x.jsonl", b"{}"),
        ("items.exe", b"MZ"),
        ("items", b"{}"),
        ("items.jsonl", b""),
        ("items.jsonl", b"\xff\xfe\x00"),
        ("items.jsonl", b'{"question": "a\\u0000b", "answer": "1"}'),
        ("items.parquet", b"PAR1"),
        ("items.csv", b"question,answer\n" + b'"' * 100),
    ],
)
def test_a_file_that_is_no_items_is_refused_whole(client, auth, name, content):
    stage = StageFactory(reviewing=True, skills=["A1"])
    said = {"file": SimpleUploadedFile(name, content), "round": 0, "skill": "A1"}

    response = client.post(f"/api/v1/stages/{stage.pk}/import", said, headers=auth)

    assert response.status_code == 422 or response.json()["n"] == 1
    assert Item.objects.count() == (response.status_code == 200)


def test_what_is_too_large_is_refused_before_it_is_read(client, auth, settings):
    settings.IOA_UPLOAD_BYTES = 100
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    large = post(client, "/runs", RUN | {"name": "x" * 120}, auth)
    settings.IOA_UPLOAD_BYTES = 10**6
    in_memory = post(client, "/runs", RUN, auth)

    for response in (large, in_memory):
        assert response.status_code == 413
        assert response["Content-Type"] == "application/problem+json"


def test_an_address_or_a_method_there_is_not_is_a_problem_as_well(client, auth):
    for response, status in (
        (client.get("/api/v1/nothing", headers=auth), 404),
        (client.get("/api/v1/", headers=auth), 404),
        (client.post("/api/v1/nothing"), 404),
        (client.delete("/api/v1/runs", headers=auth), 405),
    ):
        assert response.status_code == status
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["detail"]


def test_what_the_program_is_at_fault_for_is_a_problem_that_tells_nothing(
    client, monkeypatch, auth
):
    client.raise_request_exception = False
    monkeypatch.setattr("curriculum.api.house.may", lambda *_: 1 / 0)

    response = client.get("/api/v1/me", headers=auth)

    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert "division" not in response.text


# --- Records -----------------------------------------------------------------------------------


def test_a_log_that_was_changed_is_told(client, auth):
    item = ItemFactory()
    post(client, f"/items/{item.pk}/approve", {"version": 1}, auth)
    url = f"/api/v1/runs/{item.stage.run_id}/audit/head"
    whole = client.get(url, headers=auth).json()
    Run.objects.update(audit_head="0" * 64)

    broken = client.get(url, headers=auth).json()

    assert (whole["is_whole"], whole["entries"], whole["says"]) == (True, 1, "")
    assert broken["is_whole"] is False
    assert "made anew" in broken["says"]


def test_the_log_of_the_house_is_for_administrators_and_shows_tokens(client):
    headers = bearer(AdminFactory(), "read")

    found = client.get("/api/v1/audit", headers=headers).json()["items"]

    assert [entry["action"] for entry in found] == ["token.made"]
    audit.verify(chain.house())


def test_exports_are_streams_of_lines_and_hold_no_leak(client, auth):
    stage = StageFactory(reviewing=True)
    ItemFactory(stage=stage, approved=True)
    ItemFactory(stage=stage, leak=True)

    def lines(**query):
        url = f"/api/v1/runs/{stage.run_id}/items.jsonl"
        response = client.get(url, query, headers=auth)
        assert response.streaming
        assert response["Content-Type"] == "application/jsonl"
        return [json.loads(line) for line in response.getvalue().splitlines()]

    assert len(lines()) == len(lines(verdict="all")) == 1
    assert "messages" in lines()[0]
    assert "conversations" in lines(format="sharegpt")[0]
    assert lines(stage=2) == lines(skill="Z") == lines(format="dpo") == []


def test_the_record_of_a_run_made_elsewhere_is_read_and_not_changed(client, auth):
    run = RunFactory(origin=7, teaching=True)

    assert client.get(f"/api/v1/runs/{run.pk}", headers=auth).json()["is_over"] is True
    response = post(client, f"/runs/{run.pk}/stop", {"reason": "no"}, auth)
    assert (response.status_code, response.json()["code"]) == (409, "run_over")


def test_a_reviewer_sees_who_they_are(client):
    said = client.get("/api/v1/me", headers=bearer(ReviewerFactory(), "read")).json()

    assert said["role"] == "reviewer"
    assert said["token"]["scopes"] == ["read"]
    assert "secret_hash" not in str(said)
