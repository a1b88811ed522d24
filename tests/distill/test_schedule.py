"""The learning rate falls over a run: docs/decisions/0023."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill.allowance import Allowance
from distill.settings import Budget, LoraSettings
from distill.training.schedule import cooled


@pytest.mark.parametrize(
    ("spent", "peak"), [(0.0, 1e-3), (0.5, 5.5e-4), (1.0, 1e-4), (1.2, 1e-4), (-1.0, 1e-3)]
)
def test_the_peak_follows_half_a_cosine_over_the_budget(spent, peak):
    lora = LoraSettings(learning_rate=1e-3, cooling=0.9)

    assert cooled(lora, spent).learning_rate == pytest.approx(peak)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.99))
def test_it_never_rises_and_stays_a_rate(one, other, cooling):
    first, later = (
        cooled(LoraSettings(cooling=cooling), spent).learning_rate for spent in sorted((one, other))
    )

    assert 0.0 < later <= first <= LoraSettings().learning_rate


def test_without_cooling_every_round_begins_alike_and_nothing_else_changes():
    lora = LoraSettings(cooling=0.0, rank=4)

    assert cooled(lora, 0.7) == lora
    assert cooled(LoraSettings(rank=4), 0.5).rank == 4


def test_what_is_spent_counts_in_tokens_where_they_are_bound():
    budget = Budget(items=400)

    assert Allowance().share_of(budget, tokens=90_000, items=100) == 0.25
    assert Allowance(10_000).share_of(budget, tokens=5_000, items=100) == 0.5
