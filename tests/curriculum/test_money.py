"""What a teacher's requests have cost: exact, and nothing where a price is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from curriculum import engine
from distill.costs import read
from tests.factories import CallFactory, RunFactory

pytestmark = pytest.mark.django_db

PRICES = """{
  "big": {"prompt_per_million": 0.4, "reply_per_million": 1.2},
  "other": {"prompt_per_million": 1, "reply_per_million": 1, "currency": "EUR"}
}"""


@pytest.fixture
def run(settings):
    settings.IOA_PRICES = read(PRICES)
    return RunFactory()


def test_requests_are_summed_to_the_last_digit(run):
    for _ in range(3):
        CallFactory(run=run, teacher="big", prompt_tokens=1000, reply_tokens=500)

    assert engine.money_of(run) == (Decimal("0.003"), "USD")


def test_without_a_price_of_one_teacher_there_is_no_sum(run):
    CallFactory(run=run, teacher="big")
    CallFactory(run=run, teacher="nobody-knows")

    assert engine.money_of(run) is None


def test_currencies_are_not_added_up(run):
    CallFactory(run=run, teacher="big")
    CallFactory(run=run, teacher="other")

    assert engine.money_of(run) is None


def test_a_run_whose_teacher_was_asked_for_no_items_has_cost_nothing_that_is_known(run):
    assert engine.money_of(run) is None
