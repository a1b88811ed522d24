"""A thousand items of a server that fails as servers do."""

from __future__ import annotations

import random

import pytest

from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.prompting import Learner
from distill.adapter.teaching import teach
from distill.adapter.writing import Order
from distill.backends.base import Prompt
from distill.backends.openai import OpenAIBackend, Patience
from distill.backends.servers import Server
from distill.settings import Sampling, Writing
from tests.distill.faults import evenly, faulty
from tests.distill.samples import Numbered, skill_of
from tests.distill.writers import Writer

pytestmark = pytest.mark.slow

ITEMS = 1000


def test_a_thousand_items_arrive_from_a_server_of_which_a_fifth_of_all_answers_is_a_fault():
    writer = Writer(lambda draw: sum_of(draw))
    domain, calls = Numbered((skill_of("A"),)), {}

    async def no_wait(seconds):
        pass

    def reply(words):
        return writer.generate([Prompt(words, Sampling())])[0].text

    with faulty(reply, evenly(0.2), seed=1) as server:
        teacher = OpenAIBackend(
            Server("m", server.url),
            patience=Patience(tries=12),
            sleep=no_wait,
        )
        sunk = []
        items = teach(
            domain,
            [Order("A", ITEMS, 0.9)],
            {"A": Learner(skill_of("A"))},
            TeacherClient(teacher, kept={}, keep=lambda call: calls.update({call.key: call})),
            teacher="m",
            seed=1,
            round_key="s1r0",
            settings=Writing(),
            checks=Checks(domain),
            sink=sunk.append,
        )
        teacher.close()

    assert server.faults.total() > 40  # of some 310 tries
    assert len(items) == ITEMS
    assert sunk == items
    assert len({i.key for i in items}) == len({i.question for i in items}) == ITEMS
    assert not any(i.is_flagged for i in items)
    assert set(server.answered.values()) == {1}  # no request was paid for twice
    assert len(calls) == server.answered.total()
    assert {i.call for i in items} <= set(calls)


def sum_of(draw: random.Random):
    a, b = draw.randint(10_000, 99_999), draw.randint(10_000, 99_999)
    return f"What is {a} + {b}?", [], str(a + b)
