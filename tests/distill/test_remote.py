"""The client of the API: what it sends again, what it never does, and how it tells."""

from __future__ import annotations

import hashlib
import hmac

import httpx2
import pytest

from distill.remote import ApiError, Client, NotInTime, verify_signature

SECRET, NOW = "shh", 1_800_000_000


class Server:
    """Answers from a list, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked, self.slept = list(answers), [], []

    def __call__(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options):
        transport = httpx2.MockTransport(self)
        return Client(
            "http://ioa/", "ioa_x", transport=transport, sleep=self.slept.append, **options
        )


def ok(said=None, **headers):
    return httpx2.Response(200, json=said if said is not None else {}, headers=headers)


def refused(status, headers=None, **said):
    return httpx2.Response(status, json={"detail": "No.", "code": "no", **said}, headers=headers)


def test_it_shows_the_token_and_asks_below_the_address():
    server = Server(ok({"username": "ada"}))

    with server.client() as ioa:
        assert ioa.me() == {"username": "ada"}

    [request] = server.asked
    assert str(request.url) == "http://ioa/api/v1/me"
    assert request.headers["Authorization"] == "Bearer ioa_x"


@pytest.mark.parametrize("trouble", [httpx2.ReadError("gone"), refused(503), refused(502)])
def test_a_write_is_sent_again_under_the_same_key(trouble):
    server = Server(trouble, ok({"id": 3}))

    with server.client() as ioa:
        ioa.approve(3, version=1)

    first, second = (request.headers["Idempotency-Key"] for request in server.asked)
    assert first == second
    assert server.slept == [1.0]


def test_two_writes_have_two_keys_and_a_key_may_be_given():
    server = Server(ok(), ok(), ok())

    with server.client() as ioa:
        ioa.approve(3, version=1)
        ioa.approve(3, version=1)
        ioa.post("/runs", {}, key="mine")

    keys = [request.headers["Idempotency-Key"] for request in server.asked]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_it_waits_as_long_as_it_is_told_and_not_for_ever():
    server = Server(refused(429, {"Retry-After": "7"}), refused(429, {"Retry-After": "9999"}), ok())

    with server.client() as ioa:
        ioa.me()

    assert server.slept == [7.0, 60.0]


def test_after_the_last_try_it_says_what_was_said():
    server = Server(*(refused(503, request_id="abc") for _ in range(3)))

    with server.client(tries=3) as ioa, pytest.raises(ApiError, match="No") as raised:
        ioa.me()

    assert (raised.value.status, raised.value.code, raised.value.request_id) == (503, "no", "abc")
    assert server.slept == [1.0, 2.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 428, 500])
def test_what_is_refused_is_not_asked_again(status):
    server = Server(refused(status, now={"round": 1}))

    with server.client() as ioa, pytest.raises(ApiError) as raised:
        ioa.approve(3, version=1)

    assert raised.value.status == status
    assert raised.value.problem["now"] == {"round": 1}
    assert len(server.asked) == 1


def test_an_edit_whose_answer_is_lost_is_not_sent_again():
    lost, unreached = httpx2.ReadError("gone"), httpx2.ConnectError("no")
    server = Server(unreached, lost)

    with server.client() as ioa, pytest.raises(ApiError, match="could not be reached") as raised:
        ioa.edit(3, etag='"x"', solution="Answer: 1")

    assert raised.value.status == 0
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "answer", [httpx2.Response(500, text="<html>"), httpx2.Response(500, json=["x"])]
)
def test_an_answer_that_is_no_problem_is_told_by_its_status(answer):
    server = Server(answer)

    with server.client() as ioa, pytest.raises(ApiError, match="answered 500"):
        ioa.me()


def test_pages_are_asked_for_as_they_are_read():
    server = Server(
        ok({"items": [{"id": 1}], "next": "c"}), ok({"items": [{"id": 2}], "next": None})
    )

    with server.client() as ioa:
        rows = ioa.items(7, verdict="waiting")
        assert next(rows) == {"id": 1}
        assert len(server.asked) == 1
        assert list(rows) == [{"id": 2}]

    assert dict(server.asked[1].url.params) == {"cursor": "c", "verdict": "waiting"}


def test_it_waits_for_a_job_until_it_has_ended_or_time_is_up():
    job = {"id": 1, "kind": "train", "done": 2, "total": 9, "unit": "steps"}
    running, ended = ok(job | {"status": "running"}), ok(job | {"status": "failed"})
    server = Server(running, running, ended, running, running)

    with server.client() as ioa:
        assert ioa.wait(1, seconds=10)["status"] == "failed"
        with pytest.raises(NotInTime, match="running after 2 s: 2 of 9 steps") as raised:
            ioa.wait(1, seconds=2)

    assert raised.value.job["status"] == "running"
    assert server.slept == [2.0] * 3


def test_an_export_that_breaks_off_leaves_the_old_file(tmp_path):
    class Broken(httpx2.SyncByteStream):
        def __iter__(self):
            yield b'{"messages"'
            raise httpx2.ReadError("gone")

    path = tmp_path / "items.jsonl"
    path.write_text("old")
    server = Server(httpx2.Response(200, stream=Broken()))

    with server.client() as ioa, pytest.raises(ApiError, match="broke off"):
        ioa.export_items(3, path)

    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["items.jsonl"]


def test_a_stage_without_a_gate_is_told():
    with Server(ok([])).client() as ioa, pytest.raises(ApiError, match="no gate yet"):
        ioa.gate(3)


# --- Signatures of webhooks --------------------------------------------------------------------


def signed(body=b'{"event": "run.waiting"}', at=NOW, secret=SECRET):
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-IOA-Timestamp": str(at), "X-IOA-Signature": f"sha256={signature}"}


def test_what_was_signed_with_the_secret_is_true_in_any_case_of_the_headers():
    body = b'{"event": "run.waiting"}'

    assert verify_signature(body, signed(body), SECRET, now=NOW + 299)
    lower = {name.lower(): value for name, value in signed(body).items()}
    assert verify_signature(body, lower, SECRET, now=NOW - 299)


@pytest.mark.parametrize(
    ("body", "headers", "now"),
    [
        (b"{}", signed(), NOW),
        (b'{"event": "run.waiting"}', signed(secret="other"), NOW),
        (b'{"event": "run.waiting"}', signed(), NOW + 301),
        (b'{"event": "run.waiting"}', signed(), NOW - 301),
        (b'{"event": "run.waiting"}', signed() | {"X-IOA-Timestamp": str(NOW + 1)}, NOW),
        (b'{"event": "run.waiting"}', signed() | {"X-IOA-Timestamp": "x"}, NOW),
        (b'{"event": "run.waiting"}', signed() | {"X-IOA-Timestamp": "\u0661"}, NOW),
        (b'{"event": "run.waiting"}', signed() | {"X-IOA-Timestamp": "9" * 400}, NOW),
        (b'{"event": "run.waiting"}', signed() | {"X-IOA-Signature": "\u00e9"}, NOW),
        (b'{"event": "run.waiting"}', {}, NOW),
    ],
)
def test_anything_else_is_false(body, headers, now):
    assert not verify_signature(body, headers, SECRET, now=now)
