"""The same write, asked for by several at the same time under one key: done once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from curriculum.models import ApiReply, Item
from curriculum.services import tokens
from curriculum.services.audit import Actor
from tests.curriculum.conftest import AtOnce
from tests.factories import ApproverFactory, ItemFactory

# On SQLite the threads get a copy (`at_once`); elsewhere they have to see what is committed.
pytestmark = [pytest.mark.django_db(transaction=connection.vendor != "sqlite"), pytest.mark.slow]


def test_of_four_at_once_all_hear_the_same_and_one_has_done_it(at_once: AtOnce) -> None:
    ada, stage = ApproverFactory(), ItemFactory(skill__key="A1", stage__skills=["A1"]).stage
    _, words = tokens.make(ada, actor=Actor.person(ada), name="ci", scopes=["review"])
    tokens.used(ada.api_tokens.get())
    said = {"round": 0, "skill": "A1", "question": "What is 1 + 1?", "solution": "Answer: 2"}

    def ask() -> Any:
        return Client().post(
            f"/api/v1/stages/{stage.pk}/items",
            {**said, "answer": "2"},
            content_type="application/json",
            headers={"Authorization": f"Bearer {words}", "Idempotency-Key": "one"},
        )

    answers = at_once([ask] * 4)

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 3
    [(items, replies)] = at_once([partial(counted, stage.pk)])
    assert (items, replies) == (2, 1)


def counted(stage: int) -> tuple[int, int]:
    return Item.objects.filter(stage=stage).count(), ApiReply.objects.count()
