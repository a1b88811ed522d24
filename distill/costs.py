"""What tokens cost: prices that people write down, exact sums, none where no price is known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from distill.backends.base import name_of

MILLION = 1_000_000

Amount = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Prices(BaseModel):
    """What one model costs, in one currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt_per_million: Amount
    """Of a million tokens that the model reads."""
    reply_per_million: Amount
    """Of a million tokens that the model writes."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    """Three letters of ISO 4217."""


class PricesUnreadable(ValueError):
    """Prices are written wrongly; the text is a sentence for whoever wrote them."""


_PRICES = TypeAdapter(dict[Annotated[str, Field(min_length=1)], Prices])


def read(text: str) -> dict[str, Prices]:
    """Prices by the name of the model, from a JSON object; none from an empty text.

    Numbers may be JSON numbers or strings, and are taken digit by digit: 0.1 is a tenth. Raises
    `PricesUnreadable`, which says what is wrong and where: also for a model named twice.

    >>> read('{"m": {"prompt_per_million": 0.4, "reply_per_million": "1.20"}}')["m"].currency
    'USD'
    """
    if not text.strip():
        return {}
    try:
        said = json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
        prices = _PRICES.validate_python(said)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False)[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise PricesUnreadable(f"{where}{first['msg']}") from None
    except json.JSONDecodeError as exc:
        raise PricesUnreadable(f"this is not JSON ({exc})") from None
    except (ValueError, RecursionError, ArithmeticError) as exc:
        raise PricesUnreadable(str(exc)) from None
    _once([(name_of(model), None) for model in prices])
    return prices


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    twice = [name for name, n in Counter(name for name, _ in pairs).items() if n > 1]
    if twice:
        raise PricesUnreadable(f"{twice[0]} stands there twice")
    return dict(pairs)


def prices_of(model: str, prices: Mapping[str, Prices]) -> Prices | None:
    """The prices of a model, None without; by its name on a server or a backend's for it.

    Upper case and odd letters do not count, see `name_of`. Prices of "Big" are also those of
    "org/Big", where that has none of its own.

    >>> prices_of("Org/Big", read('{"big": {"prompt_per_million": 1, "reply_per_million": 1}}'))
    Prices(prompt_per_million=Decimal('1'), reply_per_million=Decimal('1'), currency='USD')
    """
    by_name = {name_of(name): given for name, given in prices.items()}
    return by_name.get(name_of(model)) or by_name.get(name_of(model.rpartition("/")[2]))


def cost(prompt_tokens: int, reply_tokens: int, prices: Prices | None) -> Decimal | None:
    """What so many tokens cost, exactly, in the prices' currency. None without prices, never 0.

    prompt_tokens, reply_tokens: 0 or more; ValueError otherwise. Not rounded: sums of many small
    calls stay exact.

    >>> cost(1_000, 500, Prices(prompt_per_million="0.4", reply_per_million="1.2"))
    Decimal('0.001')
    """
    if min(prompt_tokens, reply_tokens) < 0:
        raise ValueError("There are no fewer tokens than none.")
    if prices is None:
        return None
    asked = prompt_tokens * prices.prompt_per_million
    answered = reply_tokens * prices.reply_per_million
    return ((asked + answered) / MILLION).normalize() + 0  # + 0: no exponent above 0
