"""What tells the arms apart, and what an ablation takes out."""

from __future__ import annotations

import collections
import dataclasses

import pytest

from distill.allowance import Allowance, count_words
from distill.comparison import ablations, arms
from distill.comparison.arms import Ablation, Arm, Known
from distill.comparison.plan import Run
from distill.errors import BudgetSpent, DistillError
from distill.pipeline import Pipeline
from distill.records import CheckResult, Edge
from distill.settings import Budget, LoraSettings, Settings
from tests.distill.compared import plan_of
from tests.distill.samples import item_of, skill_of

CHAIN = [skill_of("a"), skill_of("b", "a"), skill_of("c", "b")]
EDGES = [Edge("a", "b"), Edge("b", "c")]


def known(**more):
    words = {"skills": CHAIN, "edges": EDGES, "seed": 0, "round": 0} | more
    return Known(**words)


def test_uniform_takes_every_skill_alike_and_shuffles_by_the_seed():
    uniform = arms.find("uniform")
    items = [item_of(k, i) for k in "abc" for i in range(10)]

    order = uniform.arrange(items, known())

    assert uniform.choose(known()) == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert sorted(i.key for i in order) == sorted(i.key for i in items)
    assert order != items
    assert order == uniform.arrange(items[::-1], known())
    assert order != uniform.arrange(items, known(seed=1))


def test_easy_to_hard_never_goes_back_to_an_easier_skill():
    items = [item_of(k, i) for k in "cab" for i in range(5)]

    order = arms.find("easy-to-hard").arrange(items, known())

    assert [i.skill for i in order] == ["a"] * 5 + ["b"] * 5 + ["c"] * 5


def test_depth_is_the_longest_chain_and_a_cycle_ends():
    diamond = [Edge("a", "b"), Edge("b", "d"), Edge("a", "d"), Edge("x", "a")]
    circle = [Edge("a", "b"), Edge("b", "a")]

    assert arms.depths(dict.fromkeys("abd"), diamond) == {"a": 0, "b": 1, "d": 2}
    assert arms.depths(dict.fromkeys("ab"), circle).keys() == {"a", "b"}


def test_gap_takes_deficient_skills_in_proportion():
    lacking = {"a": 0.2, "b": 0.5, "c": 1.0}

    chosen = arms.find("gap").choose(known(lacking=lacking, deficient=frozenset("bc")))

    assert chosen == {"b": 0.5, "c": 1.0}


def test_llm2llm_begins_with_everything_and_then_takes_only_what_was_wrong():
    choose = arms.find("llm2llm").choose
    lacking = {"a": 0.0, "b": 0.5, "c": 1.0}

    assert choose(known(lacking=lacking)) == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert choose(known(lacking=lacking, round=1)) == {"b": 0.5, "c": 1.0}


def test_self_instruct_draws_another_mixture_for_another_seed():
    choose = arms.find("self-instruct").choose

    assert choose(known()) == choose(known())
    assert choose(known()) != choose(known(seed=1))
    assert all(v > 0 for v in choose(known()).values())


def test_a_bare_arm_is_the_same_but_for_worked_steps():
    bare, worked = arms.find("gap-bare"), arms.find("gap")

    assert bare == dataclasses.replace(worked, name="gap-bare", says=bare.says, is_bare=True)


def test_an_averaged_arm_is_the_same_but_for_how_its_weights_come_about():
    averaged, plain = arms.find("gap-averaged"), arms.find("gap")

    assert averaged == dataclasses.replace(
        plain, name="gap-averaged", says=averaged.says, is_averaged=True
    )
    rates = {
        name: plan_of().settings_of(Run(name, 100, 0)).lora.average
        for name in ("gap", "gap-averaged", "gap-bare")
    }
    assert rates == {"gap": None, "gap-averaged": LoraSettings().average, "gap-bare": None}


@pytest.mark.parametrize(
    "name",
    [
        "ioa-bare",
        "ioa-averaged",
        "llm2llm-averaged",
        "gap-averaged-bare",
        "curriculum",
        "-bare",
        "",
    ],
)
def test_an_arm_that_there_is_not_is_a_sentence_that_names_those_there_are(name):
    with pytest.raises(DistillError, match="There is no arm .*uniform, easy-to-hard"):
        arms.find(name)


def test_every_ablation_changes_the_loop_or_its_settings_and_the_product_neither():
    settings = Settings()
    for arm in arms.ARMS.values():
        if isinstance(arm, Ablation):
            loop, changed = ablations.without(arm.without, settings)
            is_product = loop is Pipeline and changed == settings
            assert is_product is (arm.name == "ioa"), arm.name
        else:
            assert isinstance(arm, Arm)


def test_without_a_bound_everything_fits():
    items = [item_of("a", i) for i in range(3)]

    assert Allowance().fitting(items, used=10**9, seed="s") == items
    assert Allowance().within(Budget(), tokens=10**9, items=5) == Budget()
    assert not Allowance().is_spent(10**9)


def test_what_fits_is_a_fair_draw_in_the_order_given():
    items = [item_of(k, i) for k in "abcd" for i in range(100)]
    each = count_words(items[0].question, items[0].solution)

    kept = Allowance(200 * each, each).fitting(items, used=0, seed="s")

    assert len(kept) == 200
    assert [i.key for i in kept] == [i.key for i in items if i in kept]
    shares = collections.Counter(i.skill for i in kept)
    assert all(35 <= n <= 65 for n in shares.values()), shares
    assert kept == Allowance(300 * each, each).fitting(items, used=100 * each, seed="s")


def test_what_is_flagged_takes_no_room_and_stays():
    """It is not trained on."""
    clean = [item_of("a", i) for i in range(10)]
    failed = (CheckResult("answer", 1, False, "It is wrong."),)
    flagged = [dataclasses.replace(item_of("b", i), checks=failed) for i in range(10)]
    mixed = [each for pair in zip(clean, flagged, strict=True) for each in pair]
    each = count_words(clean[0].question, clean[0].solution)

    assert Allowance(10 * each, each).fitting(mixed, used=0, seed="s") == mixed
    kept = Allowance(4 * each, each).fitting(mixed, used=0, seed="s")
    assert sum(not i.is_flagged for i in kept) == 4
    assert [i for i in kept if i.is_flagged] == flagged


def test_a_round_is_no_larger_than_what_is_left():
    allowance = Allowance(1000, 10.0)

    assert allowance.within(Budget(), tokens=0, items=0).items_per_round == 100
    assert allowance.within(Budget(), tokens=600, items=30).items_per_round == 20
    with pytest.raises(BudgetSpent, match="All 1000 training tokens"):
        allowance.within(Budget(), tokens=995, items=100)


# --- measures ---
