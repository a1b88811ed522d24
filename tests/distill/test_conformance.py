"""What every backend has to do, and what it says that it does: one suite for all of them."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

import pytest

from distill.backends.base import Prompt, Reply, abilities, stream
from distill.errors import BackendError, BackendUnavailable
from distill.settings import Sampling
from tests.distill.backends import (
    CASES,
    COUNTS,
    DRAWS,
    FORMS,
    LIMITS,
    REOPENS,
    SHORT,
    STEADY,
    SYSTEM,
    Maker,
)

LONG = Sampling(max_tokens=32)
DRAW = Sampling(max_tokens=16, temperature=1.0, seed=7)
SCHEMA = {
    "type": "object",
    "properties": {"skill": {"enum": ["add", "subtract"]}, "easy": {"type": "boolean"}},
    "required": ["skill", "easy"],
    "additionalProperties": False,
}


def those(is_meant):
    """Run a test with the backends of the cases that are meant."""
    cases = [pytest.param(c, id=c.name, marks=c.marks) for c in CASES if is_meant(c)]
    return pytest.mark.parametrize("case", cases, scope="module", indirect=True)


def who(ability):
    return those(lambda case: case.can(ability))


every = those(lambda case: True)


@pytest.fixture(scope="module")
def case(request):
    return request.param


@pytest.fixture(scope="module")
def maker(request, case):
    made = Maker(lambda: contextmanager(case.make)(request))
    yield made
    made.forget()


@pytest.fixture
def backend(maker):
    return maker.live()


@pytest.fixture
def spent(maker):
    """A backend that is not used after the test."""
    yield maker.live()
    maker.forget()


def several(sampling=SHORT):
    """Prompts of quite different lengths, in no order of length."""
    return [
        Prompt("word " * n + f"no. {n}", sampling, reference=str(n), skill="A")
        for n in (3, 40, 1, 17, 0, 9, 28)
    ]


def texts(replies):
    return [reply.text for reply in replies]


# --- the protocol -------------------------------------------------------------------------------


@every
def test_its_name_is_made_of_letters_that_files_and_the_audit_log_take(backend):
    assert re.fullmatch(r"[a-z0-9.-]+", backend.name)


@every
def test_it_declares_what_it_can_do(backend, case):
    assert abilities(backend) == case.declares


@every
def test_nothing_asked_is_nothing_answered(backend):
    assert backend.generate([]) == []


@every
@pytest.mark.parametrize("n", [1, 2, 70])  # 70: more than one batch of a local model
def test_each_prompt_gets_one_reply(backend, n):
    replies = backend.generate([Prompt(f"{k}?", Sampling(max_tokens=2)) for k in range(n)])

    assert len(replies) == n
    assert all(isinstance(reply, Reply) for reply in replies)


@every
def test_prompts_may_be_any_sequence_and_the_same_one_twice(backend):
    prompt = Prompt("hello", SHORT)

    assert len(backend.generate((prompt, prompt))) == 2


@every
def test_replies_are_plain_text_and_counts_whole_numbers(backend):
    for reply in backend.generate(several()):
        assert type(reply.text) is str
        assert type(reply.prompt_tokens) is type(reply.reply_tokens) is int
        assert type(reply.truncated) is bool
        assert min(reply.prompt_tokens, reply.reply_tokens) >= 0


@those(lambda case: case.says is not None)
def test_each_reply_is_that_to_its_own_prompt(backend, case):
    prompts = several()

    assert texts(backend.generate(prompts)) == [case.says(prompt) for prompt in prompts]


@who(COUNTS)
def test_replies_come_in_the_order_of_the_prompts(backend):
    """By the tokens of each prompt, which say whose a reply is, whatever a model says."""
    prompts = several()
    alone = [backend.generate([prompt])[0].prompt_tokens for prompt in prompts]

    together = [reply.prompt_tokens for reply in backend.generate(prompts)]

    assert together == alone
    assert len(set(alone)) > len(alone) / 2


@every
@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "\n\n",
            "½ × ⅓ = ?",
            "多少？",
            "كم؟",
            "👩🏽‍🏫 e\u0301",
            "\u200b\ufeff",
            "tab\there",
        ),
        *("\x00\x07\x1b[31m", "<|im_end|>", "</s><e>", "half \ud83d of a pair", "{{ 7 * 7 }}"),
        '"quoted" \\ \\u0041 {"a": 1}',
    ],
    ids=ascii,
)
def test_any_text_is_a_prompt(backend, text):
    (reply,) = backend.generate([Prompt(text, SHORT, system=text)])

    reply.text.encode()  # whole characters only


@every
def test_a_long_prompt_is_answered(backend):
    (reply,) = backend.generate([Prompt("What is 2 + 2? " * 200, SHORT)])

    assert type(reply.text) is str


@those(lambda case: case.refuses is not None)
def test_what_it_cannot_answer_is_a_sentence_and_the_next_prompt_is_answered(
    backend, case, monkeypatch
):
    with monkeypatch.context() as patch:
        prompt = case.refuses(backend, patch)
        with pytest.raises(BackendError, match=r"\w.*[.”]$"):
            backend.generate([prompt])

    assert len(backend.generate(several())) == len(several())


# --- what it says that it does ------------------------------------------------------------------


@who(COUNTS)
def test_tokens_are_counted(backend):
    short, long = backend.generate([Prompt("one", SHORT), Prompt("one two three " * 9, SHORT)])

    assert 0 < short.prompt_tokens < long.prompt_tokens
    assert short.reply_tokens > 0 or not short.text


@those(lambda case: not case.can(COUNTS))
def test_who_counts_no_tokens_says_that_there_were_none(backend):
    assert {(r.prompt_tokens, r.reply_tokens) for r in backend.generate(several())} == {(0, 0)}


@who(LIMITS)
def test_a_reply_keeps_to_its_own_limit_and_says_when_it_was_cut(backend):
    limits = [3, 1, 12, 1, 5]
    ask = "Tell a long story of at least a hundred words about a river and a bridge."

    replies = backend.generate([Prompt(ask, Sampling(max_tokens=limit)) for limit in limits])

    for reply, limit in zip(replies, limits, strict=True):
        assert reply.reply_tokens <= limit
        assert reply.truncated <= (reply.reply_tokens == limit)
    assert any(reply.truncated for reply in replies)


@those(lambda case: not case.can(LIMITS))
def test_who_keeps_to_no_limit_cuts_nothing(backend):
    replies = backend.generate(several(Sampling(max_tokens=1)))

    assert not any(reply.truncated for reply in replies)


@who(SYSTEM)
def test_a_system_turn_is_read(backend):
    without, with_one, with_more = (
        backend.generate([Prompt("hello", SHORT, system=system)])[0].prompt_tokens
        for system in ("", "Be brief and kind. " * 10, "Be brief and kind. " * 20)
    )

    assert without < with_one < with_more


@who(STEADY)
def test_a_greedy_batch_is_answered_the_same_again(backend):
    first = backend.generate(several(LONG))

    assert backend.generate(several(LONG)) == first


@who(STEADY)
def test_what_comes_bit_by_bit_is_what_comes_at_once(backend):
    prompts = several(LONG)

    came = [each for some in stream(backend, prompts, batch=len(prompts)) for each in some]

    assert sorted(place for place, _ in came) == list(range(len(prompts)))
    assert [reply for _, reply in sorted(came)] == backend.generate(prompts)


@who(DRAWS)
def test_a_draw_is_the_same_again_from_the_same_seed_and_another_from_another(backend):
    first = texts(backend.generate(several(DRAW)))
    other = DRAW.model_copy(update={"seed": 8})

    assert texts(backend.generate(several(DRAW))) == first
    assert texts(backend.generate(several(other))) != first


@who(DRAWS)
def test_the_same_words_with_seeds_of_their_own_are_draws_of_their_own(backend):
    prompts = [Prompt("word " * 9, DRAW.model_copy(update={"seed": n})) for n in range(6)]

    first = texts(backend.generate(prompts))

    assert len(set(first)) > 1
    assert texts(backend.generate(prompts)) == first


@who(FORMS)
def test_a_reply_keeps_to_the_schema_of_its_prompt_and_only_there(backend):
    ask = "Describe the exercise 1 + 1 = ? in JSON."
    prompts = [Prompt(ask, Sampling(max_tokens=100), schema=SCHEMA), Prompt(ask, SHORT)] * 2

    replies = backend.generate(prompts)

    for reply in replies[::2]:
        said = json.loads(reply.text)
        assert said["skill"] in ("add", "subtract")
        assert set(said) == {"skill", "easy"}
    assert len(replies) == 4


# --- the end ------------------------------------------------------------------------------------


@every
def test_it_may_be_closed_twice(spent):
    spent.generate(several())

    spent.close()
    spent.close()

    assert spent.generate([]) == []


@who(REOPENS)
def test_it_may_be_asked_again_after_it_was_closed(spent):
    first = len(spent.generate(several()))
    spent.close()

    assert len(spent.generate(several())) == first == len(several())


@those(lambda case: not case.can(REOPENS))
def test_who_cannot_be_asked_again_says_so(spent):
    spent.close()

    with pytest.raises(BackendUnavailable, match="has been closed"):
        spent.generate(several())
