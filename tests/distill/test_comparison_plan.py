"""What is compared with what, at which rates; and what is not asked twice."""

from __future__ import annotations

import pytest

from distill.backends.base import Prompt, Reply
from distill.comparison import arms
from distill.comparison.memory import Remembered
from distill.comparison.plan import Run, composite, tokens_per_item
from distill.comparison.tuning import choose
from distill.domains import load
from distill.errors import DomainError
from distill.roster import find_student
from distill.settings import LoraSettings, Settings
from tests.distill.compared import figures_of, plan_of, row
from tests.distill.samples import Numbered, skill_of

CHAIN = [skill_of("a"), skill_of("b", "a"), skill_of("c", "b")]


def test_runs_come_seed_by_seed_so_that_pairs_are_complete_early():
    runs = list(plan_of().runs())

    assert [(r.items, r.seed, r.arm) for r in runs[:3]] == [
        (100, 0, "uniform"),
        (100, 0, "ioa"),
        (100, 1, "uniform"),
    ]
    assert len({r.folder for r in runs}) == len(runs) == 8


def test_a_part_taken_out_and_bare_words_keep_the_rate_of_the_whole_arm():
    chosen = {"ioa": {"learning_rate": 0.002}, "gap": {"learning_rate": 0.004}}
    plan = plan_of(tuning={"chosen": chosen})

    rates = {
        name: plan.settings_of(Run(name, 100, 0)).lora.learning_rate
        for name in ("ioa", "ioa-rehearsal", "gap", "gap-bare", "uniform")
    }

    assert rates == {
        "ioa": 0.002,
        "ioa-rehearsal": 0.002,
        "gap": 0.004,
        "gap-bare": 0.004,
        "uniform": Settings().lora.learning_rate,
    }


def test_arms_that_work_in_rounds_have_averages_and_those_of_one_training_none():
    settings = Settings(lora=LoraSettings(average=3.0))
    plan = plan_of(settings=settings)

    averages = {
        n: plan.settings_of(Run(n, 100, 0)).lora.average for n in (*arms.ARMS, "llm2llm-bare")
    }

    rounds = {"llm2llm", "llm2llm-bare", *(n for n in arms.ARMS if n.startswith("ioa"))}
    assert {n for n, gamma in averages.items() if gamma == 3.0} == rounds
    assert {n for n, gamma in averages.items() if gamma is None} == averages.keys() - rounds


def test_the_rate_is_the_best_by_mean_mastery_and_of_equals_the_lower():
    def result(arm, rate, after):
        return figures_of(row("A1", 0.0, after), arm=arm, learning_rate=rate)

    results = [
        result("gap", 0.001, 0.5),
        result("gap", 0.001, 0.6),
        result("gap", 0.002, 0.7),
        result("gap", 0.002, 0.1),
        result("ioa", 0.004, 0.5),
        result("ioa", 0.002, 0.5),
    ]

    found = choose(plan_of(), load("foundations"), results, command="ioa compare")

    assert found["chosen"]["gap"] == {"learning_rate": 0.001, "mean": pytest.approx(0.55)}
    assert found["chosen"]["ioa"]["learning_rate"] == 0.002


def test_a_domain_that_writes_nothing_says_that_items_have_no_length(tmp_path):
    mute = Numbered((skill_of("a", is_transfer=True),))

    with pytest.raises(DomainError, match="writes no items"):
        tokens_per_item(mute, find_student("simulated", tmp_path), ())


def test_composite_skills_are_the_listed_ones_or_those_with_two_prerequisites():
    assert composite(load("foundations")) == ("X1", "E1", "W1", "W2", "M2", "B3")
    assert composite(Numbered((*CHAIN, skill_of("d", "a", "b")))) == ("d",)


class Counting:
    name = "counting"

    def __init__(self):
        self.asked = []

    def generate(self, prompts):
        self.asked += [p.text for p in prompts]
        return [Reply(f"new {p.text}", 1, 1) for p in prompts]

    def close(self):
        pass


def test_what_was_said_before_is_not_asked_again():
    backend = Counting()
    remembered = Remembered(backend, {"b": Reply("old b", 0, 2)})

    replies = remembered.generate([Prompt("a"), Prompt("b"), Prompt("c")])

    assert [r.text for r in replies] == ["new a", "old b", "new c"]
    assert backend.asked == ["a", "c"]
