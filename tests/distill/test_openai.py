"""A model on a server: asked many at once, asked again when that helps, and never trusted."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
from queue import SimpleQueue

import pytest

from distill.backends.base import Prompt, stream
from distill.backends.openai import CAP_BYTES, OpenAIBackend, Patience
from distill.backends.scripted import ScriptedBackend
from distill.backends.servers import Server, parse
from distill.errors import BackendUnavailable, PromptRefused
from distill.identifier.probing import ask
from distill.records import Probe, Split
from distill.settings import Sampling
from tests.distill.serving import HANG_UP, Said, completion, serving

KEY = "sk-abc.123_secret"
SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}}
BUSY = Said({"error": {"message": "slow down"}}, 429)
HELLO = [Prompt("hello")]


@pytest.fixture
def server():
    with serving() as served:
        yield served


@pytest.fixture
def waits():
    """The seconds that a backend would have waited."""
    return []


@pytest.fixture
def made(server, waits):
    """Make a backend that asks `server` and does not wait; closed in the end."""
    backends = []

    def make(key="", *, model="m", key_name="", url="", **options):
        async def sleep(seconds):
            waits.append(seconds)

        named = Server(model, url or server.url, key_name)
        options = {"sleep": sleep, "jitter": lambda: 0.5, "now": lambda: 0.0, **options}
        backends.append(OpenAIBackend(named, key, **options))
        return backends[-1]

    yield make
    for backend in backends:
        backend.close()


def texts(replies):
    return [reply.text for reply in replies]


# --- what is asked ------------------------------------------------------------------------------


def test_a_prompt_becomes_a_request_and_its_completion_a_reply(server, made):
    usage = {"prompt_tokens": 7, "completion_tokens": 3}
    server.script = [completion(" hi there ", usage=usage)]

    (reply,) = made(KEY).generate([Prompt("hello", Sampling(max_tokens=9), system="Be brief.")])

    assert (reply.text, reply.prompt_tokens, reply.reply_tokens) == ("hi there", 7, 3)
    assert not reply.truncated
    (asked,) = server.asked
    assert asked.path == "/v1/chat/completions"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hello"},
        ],
        "max_tokens": 9,
        "temperature": 0.0,
    }


def test_without_a_key_none_is_sent_and_a_draw_has_its_seed(server, made):
    server.script = [completion("hi")]

    made().generate([Prompt("hello", Sampling(temperature=0.7, seed=5))])

    (asked,) = server.asked
    assert "Authorization" not in asked.headers
    assert (asked.body["temperature"], asked.body["seed"]) == (0.7, 5)


def test_many_are_asked_at_once_but_no_more_than_allowed_and_answered_in_order(server, made):
    together = threading.Barrier(4)  # opens when four are being asked, and never for three
    lock, now, most = threading.Lock(), 0, 0

    def answer(asked):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(timeout=10)
        with lock:
            now -= 1
        return completion(f"re {asked.words}")

    server.answer = answer

    replies = made(concurrency=4).generate([Prompt(f"q{n}") for n in range(12)])

    assert texts(replies) == [f"re q{n}" for n in range(12)]
    assert most == 4


def test_a_second_call_goes_on_with_the_same_connections_and_so_does_one_after_closing(
    server, made
):
    server.script = [completion("one"), completion("two"), completion("three")]
    backend = made()

    said = [texts(backend.generate(HELLO)), texts(backend.generate(HELLO))]
    backend.close()
    backend.close()
    said.append(texts(backend.generate(HELLO)))

    assert said == [["one"], ["two"], ["three"]]


def test_it_answers_inside_a_running_event_loop_as_in_a_notebook(server, made):
    server.script = [completion("hi")]
    backend = made()

    async def cell():
        said = backend.generate(HELLO)
        backend.close()
        return said

    assert texts(asyncio.run(cell())) == ["hi"]


def test_nothing_asked_is_nothing_answered(server, made):
    assert made().generate([]) == []
    assert server.asked == []


# --- what comes back ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "text", "tokens", "is_cut"),
    [
        (completion("12345"), "12345", 2, False),
        (completion("1", usage={"prompt_tokens": None, "completion_tokens": None}), "1", 1, False),
        (completion("1", usage={"completion_tokens": -4}), "1", 0, False),
        (completion("cut", choice={"finish_reason": "length"}), "cut", 1, True),
        (completion(None, choice={"finish_reason": "length"}), "", 0, True),
        (completion(None, choice={"message": {"refusal": "No."}}), "No.", 1, False),
    ],
)
def test_replies_of_all_kinds_are_read(server, made, body, text, tokens, is_cut):
    server.script = [body]

    (reply,) = made().generate(HELLO)

    assert (reply.text, reply.reply_tokens, reply.truncated) == (text, tokens, is_cut)


@pytest.mark.parametrize(
    "garbage",
    [
        "<html>Bad gateway</html>",
        b"\xff\xfe{",
        "[" * 100_000,
        {"choices": []},
        {"choices": [{"message": {"content": ["a", "b"]}}]},
        {"error": "none"},
        HANG_UP,
        Said(gzip.compress(b" " * (CAP_BYTES + 1)), headers={"Content-Encoding": "gzip"}),
        Said(b"not packed", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["html", "bytes", "deep", "empty", "list", "error", "hung up", "huge", "broken"],
)
def test_what_is_no_completion_is_asked_for_again(server, made, waits, garbage):
    server.script = [garbage, completion("hi")]

    assert texts(made().generate(HELLO)) == ["hi"]
    assert waits == [0.75]


# --- what passes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7.5),
        ({"Retry-After": "0"}, 0.5),
        ({"Retry-After": "-3"}, 0.5),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:42 GMT"}, 42.5),
        ({"Retry-After": "soon"}, 0.75),
        ({"Retry-After": "nan"}, 0.75),
        ({}, 0.75),
    ],
)
def test_a_busy_server_is_asked_again_when_it_says(server, made, waits, headers, waited):
    server.script = [Said("", 429, headers), completion("hi")]

    assert texts(made().generate(HELLO)) == ["hi"]
    assert waits == [waited]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_waits_grow_and_in_the_end_a_sentence_says_what_happened(server, made, waits, status):
    server.answer = lambda asked: Said({"error": {"message": "not\x07 now"}}, status)

    with pytest.raises(BackendUnavailable) as refused:
        made(patience=Patience(tries=5, longest_wait_seconds=3)).generate(HELLO)

    assert waits == [0.75, 1.5, 2.25, 2.25]
    assert len(server.asked) == 5
    told = str(refused.value)
    assert f"was asked 5 times, and the last time it answered with status {status}." in told
    assert "It says: “not now”. Try again later" in told


def test_a_server_that_asks_for_more_patience_than_there_is_is_given_up_at_once(
    server, made, waits
):
    server.script = [Said("", 503, {"Retry-After": "3600"})]

    with pytest.raises(BackendUnavailable, match=r"asked once, .* It asks to wait 3,60\d seconds"):
        made().generate(HELLO)

    assert waits == []


def test_a_slow_answer_is_given_up_and_asked_for_again(server, made):
    late = threading.Event()

    def answer(asked):
        if asked is not server.asked[0]:
            return completion("hi")
        late.wait(60)
        return completion("late")

    server.answer = answer

    # long enough for what is answered at once, on a machine that has much else to do
    replies = made(patience=Patience(timeout_seconds=1.0)).generate(HELLO)
    late.set()

    assert texts(replies) == ["hi"]


def test_a_server_that_is_not_there_is_a_sentence(made, waits):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"

        with pytest.raises(BackendUnavailable, match=r"was asked 2 times, .* could not be reached"):
            made(url=url, patience=Patience(tries=2)).generate(HELLO)

    assert len(waits) == 1


# --- what a server does not take ----------------------------------------------------------------


def test_a_schema_is_sent_along(server, made):
    server.script = [completion("{}")]

    made().generate([Prompt("hello", schema=SCHEMA)])

    asked = server.asked[0].body["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"] == {"name": "reply", "schema": SCHEMA, "strict": True}


def test_a_server_that_refuses_schemas_is_asked_without_which_is_remembered(server, made, waits):
    refusal = Said({"error": {"message": "response_format is unknown"}}, 400)
    server.answer = lambda a: refusal if "response_format" in a.body else completion("{}")
    backend = made()

    for _ in range(2):
        assert texts(backend.generate([Prompt("hello", schema=SCHEMA)])) == ["{}"]

    assert ["response_format" in a.body for a in server.asked] == [True, False, False]
    assert waits == []


def test_a_prompt_that_is_refused_without_its_schema_too_leaves_schemas_alone(server, made):
    too_long = Said({"error": {"message": "context length"}}, 400)
    server.script = [too_long, too_long, completion("{}")]
    backend = made()

    with pytest.raises(PromptRefused, match="refused to answer a prompt .*“context length”"):
        backend.generate([Prompt("long", schema=SCHEMA)])
    backend.generate([Prompt("short", schema=SCHEMA)])

    assert ["response_format" in a.body for a in server.asked] == [True, False, True]


@pytest.mark.parametrize(
    ("words", "gone", "there"),
    [
        ("Use 'max_completion_tokens' instead.", "max_tokens", "max_completion_tokens"),
        ("'temperature' does not support 0.7.", "temperature", "seed"),
        ("Extra inputs: seed", "seed", "temperature"),
    ],
)
def test_what_else_a_server_does_not_take_is_left_out(server, made, words, gone, there):
    refusal = Said({"detail": words}, 422)
    server.answer = lambda asked: refusal if gone in asked.body else completion("hi")
    backend = made()

    for _ in range(2):
        backend.generate([Prompt("hello", Sampling(max_tokens=9, temperature=0.7))])

    assert [gone in a.body for a in server.asked] == [True, False, False]
    assert all(there in a.body for a in server.asked[1:])


# --- what is final ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Said("", 401), "did not accept the key in MY_KEY (status 401). Check it."),
        (Said("", 403), "did not accept the key in MY_KEY (status 403)."),
        (Said({"error": "gone"}, 404), "has no model “m”, or nothing at http://127.0.0.1"),
        (Said("", 307, {"Location": "/elsewhere"}), "answered with status 307"),
        (Said("", 501), "answered with status 501, which nothing can be done with here."),
        (
            Said({"error": {"message": "pay", "code": "insufficient_quota"}}, 429),
            "has nothing left to spend. Top it up, then go on. It says: “pay”.",
        ),
    ],
)
def test_what_no_other_try_can_mend_is_told_at_once(server, made, waits, said, sentence):
    server.script = [said]

    with pytest.raises(BackendUnavailable) as refused:
        made(KEY, key_name="MY_KEY").generate(HELLO)

    assert sentence in str(refused.value)
    assert (len(server.asked), waits) == (1, [])


def test_a_server_that_wants_a_key_and_gets_none_says_how_one_is_named(server, made):
    server.script = [Said("", 401)]

    with pytest.raises(
        BackendUnavailable, match=r"asks for a key \(status 401\)\. Name .*#NAME_OF_KEY\."
    ):
        made().generate(HELLO)


@pytest.mark.parametrize("status", [400, 401, 404, 418, 503])
def test_a_server_that_repeats_the_key_is_not_quoted_with_it(server, made, status):
    long = "x" * 195
    server.answer = lambda asked: Said({"error": {"message": f"{long} {KEY} is wrong"}}, status)

    with pytest.raises((BackendUnavailable, PromptRefused)) as refused:
        made(KEY, patience=Patience(tries=1)).generate(HELLO)

    assert long in str(refused.value)
    assert KEY[:4] not in str(refused.value)


def test_what_was_answered_before_a_failure_is_kept_and_nothing_more_is_asked(server, made):
    server.script = [completion("one"), Said("", 401)]

    with pytest.raises(BackendUnavailable) as refused:
        made(concurrency=1).generate([Prompt("a"), Prompt("b"), Prompt("c")])

    first, *others = refused.value.replies
    assert first.text == "one"
    assert others == [None, None]
    assert [a.words for a in server.asked] == ["a", "b"]


def test_what_is_under_way_when_another_fails_is_waited_for(server, made):
    is_asked, has_failed = threading.Event(), threading.Event()

    def answer(asked):
        if asked.words == "bad":
            is_asked.wait(10)
            return Said("", 503, {"Retry-After": "3600"})
        is_asked.set()
        assert has_failed.wait(10)
        return completion("paid for")

    def jitter():  # asked for when there is something to wait for: here, far too much
        has_failed.set()
        return 0.5

    server.answer = answer

    with pytest.raises(BackendUnavailable) as refused:
        made(concurrency=2, jitter=jitter).generate([Prompt("bad"), Prompt("good"), Prompt("no")])

    assert [r and r.text for r in refused.value.replies] == [None, "paid for", None]
    assert len(server.asked) == 2


def test_answers_to_probes_are_kept_when_the_server_goes_away(server, made):
    probes = [Probe(q, "A", Split.GATE, q, "4", "number") for q in ("2+2?", "1+3?")]
    server.script = [completion("Answer: 4"), Said("", 401)]
    kept = []

    with pytest.raises(BackendUnavailable):
        ask(made(concurrency=1), probes, sink=kept.extend)

    assert [(probe.id, answer.grade) for probe, answer in kept] == [("2+2?", 1.0)]


def test_each_answer_to_a_probe_is_kept_as_soon_as_it_is_there(server, made):
    probes = [Probe(f"{n}?", "A", Split.GATE, f"{n}?", "4", "number") for n in range(5)]
    server.answer = lambda asked: completion("Answer: 4")
    beats, kept = [], []

    ask(
        made(concurrency=2),
        probes,
        batch_size=64,
        beat=lambda done, total: beats.append(done),
        sink=lambda pairs: kept.append(len(pairs)),
    )

    assert beats == [0, 1, 2, 3, 4, 5]
    assert kept == [1, 1, 1, 1, 1]


# --- names and keys -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "server"),
    [
        ("openai:m@https://h/v1#K_1", Server("m", "https://h/v1", "K_1")),
        ("openai:m@http://localhost:8000/v1/", Server("m", "http://localhost:8000/v1")),
        ("openai:@cf/x:8b@2@https://h/a/v1", Server("@cf/x:8b@2", "https://h/a/v1")),
    ],
)
def test_a_spec_names_a_model_an_address_and_perhaps_a_key(spec, server):
    assert parse(spec) == server


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("openai:", "is not a model on a server. It is written openai:MODEL@https://"),
        ("openai:gpt", "is not a model on a server"),
        ("gpt@https://h/v1", "is not a model on a server"),
        ("openai:@https://h/v1", "is not a model on a server"),
        ("openai:m@ftp://h/v1", "is not a model on a server"),
        ("openai:m@https://h/v1#a-b", "is not a model on a server"),
        ("openai:m@https://h/v1#", "is not a model on a server"),
        ("openai:two words@https://h/v1", "is not a model on a server"),
        ("openai:m@https://h:port/v1", "cannot be read"),
        ("openai:m@https://me:pw@h/v1", "may hold no user, no password and no .query"),
        ("openai:m@https://h/v1?key=1", "may hold no user, no password and no .query"),
    ],
)
def test_a_spec_that_is_none_is_a_sentence(spec, sentence):
    with pytest.raises(BackendUnavailable, match=sentence):
        parse(spec)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("", "The environment variable MY_KEY is to hold a key, and is missing or empty."),
        (" \n", "MY_KEY is to hold a key, and is missing or empty."),
        ("sk-ü", "What MY_KEY holds cannot be a key: it has odd characters."),
        ("sk-1\nX-Evil: 1", "What MY_KEY holds cannot be a key"),
    ],
)
def test_a_key_that_is_none_is_a_sentence_without_it(key, sentence):
    with pytest.raises(BackendUnavailable) as refused:
        OpenAIBackend(Server("m", "https://h/v1", "MY_KEY"), key)

    assert sentence in str(refused.value)
    assert "sk-" not in str(refused.value)


def test_a_backend_is_called_by_its_model_in_letters_that_file_names_take():
    assert OpenAIBackend(Server("Qwen/Qwen3_8B:free", "https://h/v1")).name == "qwen-qwen3-8b-free"
    assert OpenAIBackend(Server("模型", "https://h/v1")).name == "model"


# --- replies as they come ---------------------------------------------------------------------


def test_replies_are_told_as_they_come_each_with_the_place_of_its_prompt(server, made):
    last_may_come = threading.Event()

    def answer(asked):
        if asked.words == "0":
            last_may_come.wait(10)
        return completion(f"to {asked.words}")

    server.answer = answer
    came = []
    for ((place, reply),) in made(concurrency=2).stream([Prompt(str(n)) for n in range(4)]):
        came.append((place, reply.text))
        if len(came) == 3:
            last_may_come.set()

    assert came[-1] == (0, "to 0")
    assert sorted(came) == [(n, f"to {n}") for n in range(4)]


def test_what_came_before_a_failure_is_told_before_it_is_raised(server, made):
    server.answer = lambda asked: Said("", 401) if asked.words == "3" else completion("hello")
    came = []

    with pytest.raises(BackendUnavailable):
        came.extend(made(concurrency=1).stream([Prompt(str(n)) for n in range(6)]))

    assert [place for ((place, _),) in came] == [0, 1, 2]
    assert len(server.asked) == 4


def test_who_reads_no_further_stops_the_rest_and_can_ask_again(server, made):
    server.answer = lambda asked: completion("hello")
    backend = made(concurrency=1)

    for _ in backend.stream([Prompt(str(n)) for n in range(3_000)]):
        break

    assert len(server.asked) < 3_000
    assert texts(backend.generate(HELLO)) == ["hello"]


def test_an_interruption_before_the_first_reply_waits_for_no_server(server, made, monkeypatch):
    """Else the test ends with the server's patience: 480 seconds."""
    asked, over = threading.Event(), threading.Event()

    def hang(_):
        asked.set()
        over.wait()
        return completion("late")

    class Interrupted(SimpleQueue):
        def get(self, *args, **options):
            asked.wait()
            raise KeyboardInterrupt

    server.answer = hang
    monkeypatch.setattr("distill.backends.openai.SimpleQueue", Interrupted)

    with pytest.raises(KeyboardInterrupt):
        list(made().stream(HELLO))

    assert not over.is_set()
    over.set()


def test_a_stream_of_nothing_is_empty_whoever_answers(server, made):
    assert list(stream(made(), [])) == []
    assert list(stream(ScriptedBackend([]), [])) == []


def test_a_backend_that_tells_only_at_the_end_is_asked_batch_by_batch():
    backend = ScriptedBackend([str(n) for n in range(20)])

    came = stream(backend, [Prompt(str(n)) for n in range(20)])

    assert [place for place, _ in next(came)] == list(range(16))
    assert len(backend.asked) == 16
    assert [[place for place, _ in batch] for batch in came] == [[16, 17, 18, 19]]
