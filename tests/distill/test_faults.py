"""A server that fails in every way at once: nothing is lost, mixed up, or answered twice."""

from __future__ import annotations

import json

import pytest

from distill.backends.base import Prompt
from distill.backends.openai import OpenAIBackend, Patience
from distill.backends.servers import Server
from distill.errors import BackendUnavailable
from tests.distill.faults import FAULTS, evenly, faulty

MANY = 1000
PATIENT = Patience(tries=10)


def shout(words):
    return f"re {words}".upper()


@pytest.fixture
def waits():
    """The seconds that a backend would have waited."""
    return []


@pytest.fixture
def made(waits):
    """Make a backend that asks a server and does not wait; closed in the end."""
    backends = []

    def make(server, *, concurrency=16, patience=PATIENT):
        async def sleep(seconds):
            waits.append(seconds)

        backends.append(
            OpenAIBackend(
                Server("m", server.url, "MY_KEY"),
                "sk-1",
                concurrency=concurrency,
                patience=patience,
                sleep=sleep,
                jitter=lambda: 0.5,
            )
        )
        return backends[-1]

    yield make
    for backend in backends:
        backend.close()


def test_a_thousand_prompts_outlive_a_server_that_fails_at_every_fifth(made, waits):
    prompts = [Prompt(f"prompt {n}") for n in range(MANY)]
    with faulty(shout, evenly(0.2)) as server:
        replies = made(server).generate(prompts)

    assert [reply.text for reply in replies] == [shout(prompt.text) for prompt in prompts]
    assert server.answered == {prompt.text: 1 for prompt in prompts}
    assert set(server.faults) == set(FAULTS) - {"slow"}
    assert server.faults.total() == len(waits) > MANY / 5
    assert waits.count(7.5) == server.faults["busy for 7 s"]


def test_the_same_seed_fails_in_the_same_way_and_another_in_another(made):
    def faults(seed):
        with faulty(shout, {"busy": 0.3, "html": 0.3}, seed=seed) as server:
            made(server).generate([Prompt(f"prompt {n}") for n in range(50)])
        return dict(server.faults)

    first = faults(1)

    assert faults(1) == first
    assert faults(2) != first


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_does_nothing_else_is_given_up_with_a_sentence(made, fault):
    # "slow": the server has to have heard of each try before it is given up
    patience = Patience(tries=2, timeout_seconds=1.0 if fault == "slow" else 300)
    with (
        faulty(shout, {fault: 1.0}) as server,
        pytest.raises(BackendUnavailable, match=r"^127\.0\.0\.1:\d+ was asked 2 times, .*\.$"),
    ):
        made(server, patience=patience).generate([Prompt("prompt")])

    assert server.faults == {fault: 2}


def test_of_a_key_that_is_revoked_midway_what_was_answered_is_kept(made):
    prompts = [Prompt(f"prompt {n}") for n in range(100)]
    with (
        faulty(shout, revoked_after=40) as server,
        pytest.raises(BackendUnavailable, match="did not accept the key in MY_KEY") as refused,
    ):
        made(server).generate(prompts)

    assert kept(refused.value.replies, prompts) == 40
    assert server.answered.total() == 40


def test_of_a_server_that_vanishes_midway_what_was_answered_is_kept(made):
    prompts = [Prompt(f"prompt {n}") for n in range(100)]
    with (
        faulty(shout, gone_after=40) as server,
        pytest.raises(BackendUnavailable, match="could not be reached, or broke off") as refused,
    ):
        made(server, patience=Patience(tries=3)).generate(prompts)

    assert 0 < kept(refused.value.replies, prompts) <= 40


def kept(replies, prompts):
    """How many came, each of them being the answer to its own prompt."""
    assert len(replies) == len(prompts)
    came = [(r.text, p.text) for r, p in zip(replies, prompts, strict=True) if r is not None]
    assert all(text == shout(words) for text, words in came)
    return len(came)


def test_what_was_kept_and_what_is_asked_on_elsewhere_are_the_whole(made):
    prompts = [Prompt(f"prompt {n}") for n in range(100)]
    with (
        faulty(shout, evenly(0.2), revoked_after=40) as first,
        pytest.raises(BackendUnavailable) as refused,
    ):
        made(first).generate(prompts)
    replies = list(refused.value.replies)
    missing = [at for at, reply in enumerate(replies) if reply is None]
    with faulty(shout, evenly(0.2), seed=1) as second:
        for at, reply in zip(
            missing, made(second).generate([prompts[at] for at in missing]), strict=True
        ):
            replies[at] = reply

    assert [reply.text for reply in replies] == [shout(prompt.text) for prompt in prompts]
    assert first.answered + second.answered == {prompt.text: 1 for prompt in prompts}


def test_a_server_may_answer_with_items_in_json(made):
    def item(words):
        return json.dumps({"question": words, "solution": "4", "answer": "4"})

    with faulty(item, evenly(0.2)) as server:
        (reply,) = made(server).generate([Prompt("Write an item.")])

    assert json.loads(reply.text)["question"] == "Write an item."
