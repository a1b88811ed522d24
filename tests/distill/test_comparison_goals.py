"""What was to be shown, beside what was reached."""

from __future__ import annotations

import pytest

from distill.comparison.goals import MARGIN, RETAINED, goals

SEEDS = [0, 1]


def of(mean, low=None, high=None):
    return {"mean": mean, "interval": None if low is None else [low, high], "n": len(SEEDS)}


def compared(*, times=(1.3, 1.1, 1.5), mean=0.02, kept=1.0, other=0.5):
    arm = {"mean": of(0.7), "composite": of(other), "kept": of(None)}
    worse = {"mean": of(0.8), "composite": of(other / 2), "kept": of(None)}
    return {
        "items": 90,
        "seeds": SEEDS,
        "composite": ["X1"],
        "against": "ioa",
        "items_to_mastery": {"ioa": {"A1": None, "X1": None}},
        "arms": {
            "uniform": arm,
            "gap": worse,
            "ioa": {**arm, "kept": of(kept)},
            "ioa-rehearsal": arm,
        },
        "ratios": {"uniform": {"composite": of(*times)}, "gap": {"composite": of(9.0, 8.0, 9.5)}},
        "differences": {
            name: {"mean": of(d)}
            for name, d in (("uniform", 0.5), ("gap", mean), ("ioa-rehearsal", -1.0))
        },
    }


def reached(told):
    return [row[-1] for row in goals([told], [], []).rows]


def test_it_is_held_against_the_best_other_arm_of_each_measure():
    composite, mean, _ = goals([compared()], [], []).rows

    assert composite[:2] == ["90 items of 2 skills, seeds 0, 1", "composite skills, times uniform"]
    assert composite[-2:] == ["1.30 (1.10–1.50)", "reached"]
    assert mean[1:] == ["mean, less that of gap", "≥ 0", "+0.02", "reached"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ["reached", "reached", "reached"]),
        ({"times": (MARGIN, 1.01, 1.4)}, ["reached", "reached", "reached"]),
        ({"times": (MARGIN - 0.001, 1.01, 1.4)}, ["missed", "reached", "reached"]),
        ({"times": (1.3, 1.0, 1.5)}, ["missed", "reached", "reached"]),  # not told from 1
        ({"times": (1.3,)}, ["missed", "reached", "reached"]),  # one seed says nothing
        ({"mean": -0.001}, ["reached", "missed", "reached"]),
        ({"kept": 0.99}, ["reached", "reached", "missed"]),
    ],
)
def test_a_goal_is_reached_or_missed_by_what_was_measured(said, expected):
    assert reached(compared(**said)) == expected


def test_where_the_margin_is_more_than_all_there_is_the_most_is_said():
    assert goals([compared(other=0.9)], [], []).rows[0][-2] == (
        "1.30 (1.10–1.50); 1.11 would be all there is"
    )
    assert "all there is" not in goals([compared(other=1 / MARGIN)], [], []).rows[0][-2]


def test_an_arm_of_other_seeds_than_ioa_is_held_against_nothing():
    told = compared()
    told["arms"]["gap"] = {"mean": of(0.99), "composite": of(0.99), "kept": of(None)}
    told["differences"]["gap"] = {"mean": of(None)}
    told["ratios"]["gap"] = {"composite": of(None)}

    composite, mean, _ = goals([told], [], []).rows

    assert composite[1] == "composite skills, times uniform"
    assert mean[1] == "mean, less that of uniform"


def test_a_comparison_without_ioa_or_without_another_arm_has_no_goal():
    alone = compared() | {"differences": {"ioa-rehearsal": {"mean": of(-1.0)}}}

    assert reached(compared() | {"against": "gap"}) == []
    assert reached(alone) == []


def test_what_never_asked_on_its_way_kept_nothing_that_is_known():
    assert reached(compared(kept=None)) == ["reached", "reached"]


def test_a_language_models_student_and_both_speeds_have_their_goals():
    run = {"student": "s", "teacher": "t", "items": 1000, "seed": 3, "retained": RETAINED}
    run |= {"retained_interval": None}
    low = run | {"retained": 0.9, "retained_interval": [0.8, 0.95]}
    speed = {"title": "Speed", "command": "python bench/training.py m", "device": "cpu"}
    asked = speed | {"command": "python bench/assessment.py m"}

    low |= {"as_examples": 7}

    rows = goals(
        [],
        [run, low],
        [speed | {"ratio_to_bare": 0.99}, asked | {"ratio_to_bare": 0.95}],
    ).rows

    assert rows[0][0] == "s, taught by t, 1,000 items, seed 3"
    assert rows[1][0] == "s, taught by t, shown examples, 1,000 items, seed 3"
    assert [row[-2:] for row in rows] == [
        ["0.95", "reached"],
        ["0.90 (0.80–0.95)", "missed"],
        ["0.99", "missed"],
        ["0.95", "reached"],
    ]
