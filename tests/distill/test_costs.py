"""Tokens and money: exact sums, and none where no price is known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.costs import Prices, PricesUnreadable, cost, prices_of, read

PRICES = Prices(prompt_per_million="0.4", reply_per_million="1.2")
TOKENS = st.integers(0, 10**10)


def test_tokens_cost_what_a_million_of_them_costs_by_parts():
    assert cost(1_000_000, 0, PRICES) == Decimal("0.4")
    assert cost(0, 1_000_000, PRICES) == Decimal("1.2")
    assert cost(1, 1, PRICES) == Decimal("0.0000016")


def test_without_a_price_there_is_no_sum_and_it_is_not_0():
    assert cost(1000, 1000, None) is None
    assert cost(0, 0, None) is None


def test_what_costs_nothing_by_its_price_costs_0():
    assert cost(1000, 1000, Prices(prompt_per_million=0, reply_per_million=0)) == 0


def test_a_large_sum_is_written_without_an_exponent():
    assert str(cost(10**9, 0, Prices(prompt_per_million=100, reply_per_million=0))) == "100000"


@given(TOKENS, TOKENS, TOKENS, TOKENS)
def test_many_calls_cost_what_one_call_of_all_their_tokens_costs(a, b, c, d):
    assert cost(a, b, PRICES) + cost(c, d, PRICES) == cost(a + c, b + d, PRICES)


@pytest.mark.parametrize("tokens", [(-1, 0), (0, -1)])
def test_fewer_tokens_than_none_are_refused(tokens):
    with pytest.raises(ValueError, match="no fewer tokens"):
        cost(*tokens, PRICES)


def test_prices_are_read_digit_by_digit():
    found = read('{"m": {"prompt_per_million": 0.1, "reply_per_million": "0.30"}}')

    assert found["m"].prompt_per_million == Decimal("0.1")
    assert found["m"].reply_per_million == Decimal("0.3")
    assert found["m"].currency == "USD"


@pytest.mark.parametrize("text", ["", " ", "{}"])
def test_nothing_written_is_no_price(text):
    assert read(text) == {}


def one(more="", prompt="1", names=("m",)):
    price = f'{{"prompt_per_million": {prompt}, "reply_per_million": 1{more}}}'
    return "{" + ", ".join(f'"{name}": {price}' for name in names) + "}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "valid dictionary"),
        ('{"m": {}}', "m: prompt_per_million: Field required"),
        (one(prompt="-1"), "m: prompt_per_million: .*greater than or equal to 0"),
        (one(prompt="NaN"), "m: prompt_per_million: .*finite"),
        (one(prompt='"free"'), "m: prompt_per_million: .*decimal"),
        (one(prompt="true"), "m: prompt_per_million: "),
        (one(prompt="1e9"), "m: prompt_per_million: .*less than or equal to 1000000"),
        (one(', "currency": "$"'), "m: currency: "),
        (one(', "per_call": 1'), "m: per_call: Extra"),
        (one(names=("m", "m")), "m stands there twice"),
        (one(names=("m", "M")), "m stands there twice"),
        ("[" * 100_000, "."),
    ],
)
def test_prices_that_cannot_be_read_say_what_is_wrong_and_where(text, says):
    with pytest.raises(PricesUnreadable, match=says):
        read(text)


@pytest.mark.parametrize("model", ["org/Big_1", "ORG/big_1", "org-big-1", "else/Big_1", "Big_1"])
def test_a_model_is_found_by_its_name_on_a_server_and_by_a_backends_name_for_it(model):
    prices = {"Org/Big_1": PRICES} if model.lower().startswith("org") else {"big_1": PRICES}

    assert prices_of(model, prices) is PRICES


def test_a_model_without_a_price_has_none_and_its_own_wins_over_that_of_its_last_name():
    own = Prices(prompt_per_million=7, reply_per_million=7)

    assert prices_of("other", {"m": PRICES}) is None
    assert prices_of("org/m", {"m": PRICES, "org/m": own}) is own
