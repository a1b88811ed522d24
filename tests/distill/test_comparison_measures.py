"""From a run's figures to measures, intervals and verdicts."""

from __future__ import annotations

import random

import pytest

from distill.comparison.measures import of_run, over_seeds, paired, ratio_of_means
from distill.comparison.results import figures
from distill.comparison.sections import verdict
from distill.domains import load
from tests.distill.compared import figures_of, plan_of, row


def test_a_run_in_numbers():
    figures = figures_of(
        row("a", 0.5, 0.95, mastered=True),
        row("b", 0.2, 0.4, teacher=0.8),
        row("t", 0.5, 0.25),
        forgotten=["b"],
    )

    found = of_run(figures, taught=["a", "b"], composite=["b"])

    assert found["mean"] == pytest.approx((0.95 + 0.5) / 2)
    assert found["worst"] == found["composite"] == pytest.approx(0.5)
    assert (found["transfer"], found["lost"]) == (0.25, 0.25)
    assert (found["mastered"], found["items_per_mastered"]) == (1.0, 100.0)
    assert found["kept"] == 0.5
    assert found["teacher_tokens"] == 4000


def test_a_models_items_cost_what_it_read_and_wrote_for_them():
    figures = figures_of(row("a", 0.5, 0.95), call_tokens=700)

    assert of_run(figures, taught=["a"], composite=[])["teacher_tokens"] == 700


def test_what_cannot_be_measured_is_none():
    found = of_run(figures_of(row("a", 0.5, 0.5)), taught=["a"], composite=[])

    assert found["composite"] is None
    assert found["transfer"] is None
    assert found["kept"] is None
    assert found["items_per_mastered"] is None


def test_the_bootstrap_of_two_seeds_runs_from_one_to_the_other():
    """Of the four resamples one in four is (0, 0) and one in four (1, 1)."""
    assert over_seeds([0.0, 1.0]) == {"mean": 0.5, "interval": [0.0, 1.0], "n": 2}


def test_the_bootstrap_of_many_seeds_is_that_of_the_normal_law():
    values = [i / 999 for i in range(1000)]
    error = 0.2887 / 1000**0.5

    low, high = over_seeds(values)["interval"]

    assert low == pytest.approx(0.5 - 1.96 * error, abs=0.002)
    assert high == pytest.approx(0.5 + 1.96 * error, abs=0.002)


def test_equal_seeds_have_no_width_and_one_seed_has_no_interval():
    assert over_seeds([0.25, 0.25, 0.25])["interval"] == [0.25, 0.25]
    assert over_seeds([0.25, None])["interval"] is None
    assert over_seeds([None]) == {"mean": None, "interval": None, "n": 0}


def test_pairing_takes_what_a_seed_does_to_both_out_of_the_difference():
    ours = {0: 0.1, 1: 0.5, 2: 0.9, 3: 0.3}
    theirs = {0: 0.0, 1: 0.4, 2: 0.8, 9: 0.0}

    found = paired(ours, theirs)

    assert found["n"] == 3
    assert found["mean"] == pytest.approx(0.1)
    assert found["interval"] == pytest.approx([0.1, 0.1])


def test_how_many_times_another_arm_is_of_means_and_paired():
    ours = {0: 0.2, 1: 0.6, 2: 1.0, 3: 0.5}
    theirs = {0: 0.1, 1: 0.3, 2: 0.5, 9: 0.0}

    assert ratio_of_means(ours, theirs) == {
        "mean": pytest.approx(2),
        "interval": [2.0, 2.0],
        "n": 3,
    }

    found = ratio_of_means({0: 0.3, 1: 0.6}, {0: 0.3, 1: 0.3})

    assert found["mean"] == pytest.approx(1.5)
    assert found["interval"] == pytest.approx([1.0, 2.0])
    assert ratio_of_means({0: 0.9, 1: 0.1}, {0: 0.3, 1: 0.1})["mean"] == pytest.approx(
        2.5
    )  # not (3 + 1)/2


def test_the_interval_of_a_ratio_is_that_of_the_delta_method():
    draw = random.Random(0)
    theirs = {i: 0.5 + draw.gauss(0, 0.1) for i in range(400)}
    ours = {i: v * 1.2 + draw.gauss(0, 0.1) for i, v in theirs.items()}
    mean = sum(ours.values()) / sum(theirs.values())
    rest = [ours[i] - mean * theirs[i] for i in theirs]
    error = (sum(r * r for r in rest) / 399) ** 0.5 / 400**0.5 / (sum(theirs.values()) / 400)

    low, high = ratio_of_means(ours, theirs)["interval"]

    assert low == pytest.approx(mean - 1.96 * error, abs=error / 5)
    assert high == pytest.approx(mean + 1.96 * error, abs=error / 5)


def test_nothing_is_any_number_of_times_nothing():
    assert ratio_of_means({0: 0.5}, {0: 0.0}) == {"mean": None, "interval": None, "n": 1}
    assert ratio_of_means({0: 0.5}, {1: 0.5}) == {"mean": None, "interval": None, "n": 0}
    assert ratio_of_means({0: 0.5, 1: None}, {0: 0.25, 1: 0.25}) == {
        "mean": 2,
        "interval": None,
        "n": 1,
    }
    assert ratio_of_means({0: 0.5, 1: 0.5}, {0: 0.0, 1: 0.5})["interval"] is None


@pytest.mark.parametrize(
    ("interval", "says"),
    [
        ([0.1, 0.2], "ioa is better"),
        ([-0.2, -0.1], "gap is better"),
        ([-0.1, 0.1], "not told apart"),
        (None, "one seed says nothing"),
    ],
)
def test_who_is_better_is_said_only_where_the_interval_says_so(interval, says):
    assert verdict({"mean": 0.0, "interval": interval}, "ioa", "gap") == says


def test_items_to_mastery_is_the_smallest_budget_that_was_enough():
    def result(items, after, **more):
        told = figures_of(row("A1", 0.0, after), row("A2", 0.0, 0.5), **more)
        return told | {"arm": "gap", "budget_items": items, "budget_tokens": 1, "seed": 0}

    plan = plan_of(arms=("gap",), items=(100, 200, 400), seeds=(0,))
    found = [result(n, after, learning_rate=1) for n, after in ((100, 0.8), (200, 0.9), (400, 1))]

    told = figures(plan, load("foundations"), found, command="ioa compare")

    assert told["items_to_mastery"] == {"gap": {"A1": 200, "A2": None}}


# --- the plan ---
