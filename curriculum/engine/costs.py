"""What a run's teacher has cost."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db.models import Sum

from curriculum.models import Run
from distill import costs


def money_of(run: Run) -> tuple[Decimal, str] | None:
    """What the teacher's requests for items have cost: (amount, currency by ISO 4217). None where
    no price is known for one that was asked (`IOA_PRICES`), or they are in several currencies.

    What it answered to probes is not in it: of those there is only the sum of tokens.
    """
    spent = run.teacher_calls.order_by().values_list("teacher")
    amount, currencies = Decimal(0), set()
    for teacher, read, written in spent.annotate(Sum("prompt_tokens"), Sum("reply_tokens")):
        prices = costs.prices_of(teacher, settings.IOA_PRICES)
        money = costs.cost(read, written, prices)
        if money is None or prices is None:
            return None
        amount += money
        currencies.add(prices.currency)
    return (amount, currencies.pop()) if len(currencies) == 1 else None
