"""What one more round may cost and gain, guessed from those before it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.outlook import Case, Took, basis, cost, expect

shares = st.floats(0, 0.99)


def case(before, after, n_new=10, *, is_remedy=True):
    return Case("A", before, after, n_new, is_remedy)


def took(**changes):
    usual = {
        "n_written": 10,
        "n_trained": 20,
        "train_tokens": 400,
        "write_seconds": 1.0,
        "train_seconds": 40.0,
        "assess_seconds": 5.0,
    }
    return Took(**{**usual, **changes})


def test_the_same_share_of_what_is_missing_is_closed_by_every_item():
    cases = [case(0.0, 0.5), case(0.6, 0.8)]  # each closes half with 10 items

    guess = expect(cases, 0.6, 10)

    assert (guess.middle, guess.low, guess.high) == pytest.approx((0.8, 0.8, 0.8))
    assert expect(cases, 0.6, 4).middle == pytest.approx(0.68)


def test_the_ends_are_the_worst_and_the_best_case_and_big_rounds_weigh_more():
    guess = expect([case(0.5, 0.4, 10), case(0.0, 0.6, 30)], 0.5, 10)

    assert guess.low == pytest.approx(0.4)
    assert guess.high == pytest.approx(0.6)
    assert guess.middle == pytest.approx(0.55)  # 0.4 closed with 40 items


found = st.lists(st.tuples(shares, st.floats(0, 1.5), st.integers(1, 400)), min_size=1, max_size=5)


@settings(max_examples=40)
@given(found, shares)
def test_a_guess_is_ordered_and_no_ratio_that_cannot_be(found, ratio):
    guess = expect([case(*each) for each in found], ratio, 100)

    assert 0.0 <= guess.low <= guess.middle + 1e-9
    assert guess.middle <= guess.high + 1e-9
    assert guess.high <= 1.0 + 1e-9


def test_a_skill_that_is_better_than_its_teacher_is_not_talked_down():
    assert expect([case(0.0, 0.5)], 1.1, 10).middle == pytest.approx(1.1)


def test_remedies_are_the_better_evidence_where_there_are_enough_of_them():
    firsts = [case(0.0, 0.9, is_remedy=False), case(0.1, 0.9, is_remedy=False)]
    remedies = [case(0.6, 0.7), case(0.7, 0.8)]

    assert basis([*firsts, *remedies]) == remedies
    assert basis([*firsts, remedies[0]]) == [*firsts, remedies[0]]


@pytest.mark.parametrize("cases", [[], [case(0.2, 0.5)]])
def test_too_few_cases_are_no_evidence(cases):
    assert basis(cases) == []
    assert expect(basis(cases), 0.5, 10) is None


def test_writing_goes_by_new_items_training_by_all_and_assessing_takes_what_it_took():
    found = cost([took()], n_new=5, n_items=8)

    assert found.seconds.middle == pytest.approx(0.5 + 16.0 + 5.0)
    assert found.train_tokens == 160
    assert found.n_rounds == 1


def test_the_spread_of_the_seconds_is_that_of_the_rounds():
    found = cost([took(), took(train_seconds=80.0)], n_new=10, n_items=20)

    assert (found.seconds.low, found.seconds.high) == pytest.approx((46.0, 86.0))
    assert found.seconds.middle == pytest.approx(66.0)


@pytest.mark.parametrize("rounds", [[], [took(n_written=0)], [took(n_trained=0)]])
def test_without_a_whole_round_nothing_is_said_of_the_next(rounds):
    assert cost(rounds, n_new=5, n_items=8) is None
