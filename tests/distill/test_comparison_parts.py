"""The parts of a comparison: arms, allowance, measures, what is told of it, the command."""

from __future__ import annotations

import collections
import dataclasses
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from distill.adapter.checks import Fits
from distill.allowance import Allowance, count_words
from distill.backends.base import Prompt, Reply
from distill.cli import app
from distill.commands import compare
from distill.commands.compare import _Telling
from distill.comparison import ablations, arms, evidence, page
from distill.comparison.arms import Ablation, Arm, Known
from distill.comparison.measures import of_run, over_seeds, paired, ratio_of_means
from distill.comparison.memory import Remembered
from distill.comparison.plan import Plan, Run, composite, read_tuning, tokens_per_item
from distill.comparison.results import figures, made_with
from distill.comparison.sections import sections, verdict
from distill.comparison.tuning import choose
from distill.domains import load
from distill.errors import BudgetSpent, DistillError, DomainError
from distill.pipeline import Pipeline
from distill.records import CheckResult, Edge
from distill.roster import find_student
from distill.settings import Budget, LoraSettings, Settings
from tests.distill.samples import Numbered, item_of, skill_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
CHAIN = [skill_of("a"), skill_of("b", "a"), skill_of("c", "b")]
EDGES = [Edge("a", "b"), Edge("b", "c")]


def known(**more):
    words = {"skills": CHAIN, "edges": EDGES, "seed": 0, "round": 0} | more
    return Known(**words)


# --- arms ---


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


# --- allowance ---


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


def row(skill, before, after, *, mastered=False, teacher=1.0):
    figures = {"id": skill, "before": before, "after": after, "teacher": teacher}
    return figures | {"mastered": mastered, "taught": True, "n": 16}


def figures_of(*rows, forgotten=(), **more):
    told = {
        "skills": list(rows),
        "forgotten": list(forgotten),
        "settings": Settings().model_dump(mode="json"),
        "items": 100,
        "train_tokens": 5000,
        "teacher_tokens": 900,  # answers to probes among them
        "item_tokens": 4000,
        "probes": 64,
        "train_seconds": 1.0,
        "seconds": 2.0,
    }
    return told | more


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


def plan_of(**more):
    words = {
        "domain": "foundations",
        "student": "simulated",
        "teacher": "procedural",
        "models": Path("none"),
        "skills": (),
        "arms": ("uniform", "ioa"),
        "items": (100, 200),
        "seeds": (0, 1),
    }
    return Plan(**words | more)


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


# --- memory ---


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


# --- the command, the page and the evidence ---

QUICK = ["--student", "simulated", "--items", "60,90", "--items-per-round", "30", "--probes", "8"]
QUICK += ["--skills", "A1,A2,B3,T2", "--arms", "uniform,gap,ioa,ioa-rehearsal"]


def ioa(*words):
    return CliRunner().invoke(app, ["compare", *(str(w) for w in words)])


def said(result):
    return " ".join(result.stderr.split())


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A comparison by the command, with tuned rates: (its folder, what it printed)."""
    out = tmp_path_factory.mktemp("made")
    one = ["--student", "simulated", "--skills", "A1", "--arms", "uniform", "--items", "30"]
    tuned = ioa("--out", out / "tune", "--tune", "1e-3,2e-3", "--seeds", 1, *one)
    assert tuned.exit_code == 0, tuned.output
    result = ioa("--out", out / "c", "--tuned", out / "tune/tuned.json", "--seeds", 2, *QUICK)
    assert result.exit_code == 0, result.output
    return out, result


def test_what_is_left_is_told_by_what_the_runs_took_that_go_on_side_by_side(tmp_path, monkeypatch):
    plan = Plan(
        domain="foundations",
        student="simulated",
        teacher="procedural",
        models=tmp_path,
        skills=("A2",),
        arms=("uniform",),
        items=(60,),
        seeds=tuple(range(7)),
    )
    telling, lines = _Telling(plan, tmp_path, 2), []
    monkeypatch.setattr(compare, "line", lines.append)
    result = {"skills": [{"id": "A2", "after": 0.5}], "items": 60}

    for seed, seconds in ((0, 600.0), (1, 1200.0)):
        telling.finished(Run("uniform", 60, seed), result, seconds)

    assert lines[0].endswith("60 items, 600 s; 6 runs to go, about 30 min")
    assert lines[1].endswith("60 items, 1,200 s; 5 runs to go, about 38 min")


def test_the_command_ends_with_a_table_and_tells_how_far_it_is(made):
    out, result = made

    assert "simulated on foundations 2, 90 items, 2 seeds" in result.stdout
    assert "uniform/items-60/seed-0" in said(result)
    assert re.search(r"15 runs to go, about \d+ min", said(result))
    told = json.loads((out / "c" / "comparison.json").read_text())
    assert set(told["budgets"]) == {"60", "90"}
    assert told["tuning"]["rates"] == [0.001, 0.002]
    assert told["tuning"]["seeds"] == [1000]
    assert read_tuning(out / "tune" / "tuned.json")["chosen"]["uniform"]["learning_rate"] == 0.001


def test_the_report_has_every_number_of_its_pictures_in_a_table(made):
    out, _ = made
    told = json.loads((out / "c" / "comparison.json").read_text())
    text = (out / "c" / "report.html").read_text()

    class Reader(HTMLParser):
        cells, open_ = [], []

        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "img", "br"):
                self.open_.append(tag)

        def handle_endtag(self, tag):
            assert self.open_.pop() == tag

        def handle_data(self, words):
            if self.open_[-1:] == ["td"]:
                self.cells.append(words)

    Reader().feed(text)

    assert Reader.open_ == []
    cells = [cell for section in sections(told) for row in section.rows for cell in row]
    assert [c for c in Reader.cells if c] == [c for c in cells if c]
    titles = [s.title for s in sections(told)]
    assert titles == [
        "The arms",
        "ioa, less each other arm",
        "What each part is worth",
        "Learning curves by budget",
        "Gap closed by skill",
        "Items to mastery",
        "Forgetting",
        "Cost",
        "Learning rates",
    ]
    assert (out / "c" / "plotly-basic.min.js").is_file()


def test_names_are_text_on_the_page_and_never_markup(made):
    out, _ = made
    text = (out / "c" / "comparison.json").read_text()
    told = json.loads(text.replace('"B3"', '"<script>alert(1)</script>|x"'))

    assert "<script>alert" not in page.html(told)
    assert "\n| \\<script>alert(1)\\</script>\\|x |" in evidence.markdown(told)


def test_evidence_is_written_from_its_figures_and_names_the_command_of_each_table(made, tmp_path):
    out, _ = made
    speed = tmp_path / "speed.json"
    speed.write_text(json.dumps({"title": "Speed", "command": "python bench/x.py", "ratio": 1.01}))

    evidence.main([str(out / "c"), str(tmp_path / "docs"), str(speed)])
    text = (tmp_path / "docs" / "evidence.md").read_text()
    evidence.main([str(tmp_path / "docs")])

    told = json.loads((tmp_path / "docs" / "evidence.json").read_text())
    assert (tmp_path / "docs" / "evidence.md").read_text() == text == evidence.markdown(told)
    assert set(told["arms"]["ioa"]["composite"]) == {"mean", "interval", "n"}
    assert told["seeds"] == [0, 1]
    tables = text.count("\n| --- |")
    assert text.count("\n    " + told["command"]) == tables - 2  # goals and speed
    assert "    python bench/x.py\n\n| | |\n| --- | ---: |\n| ratio | 1.01 |" in text


def test_ablations_that_were_run_apart_stand_beside_the_arms_with_their_own_command(made, tmp_path):
    out, _ = made
    docs, tuned = tmp_path / "docs", ["--tuned", out / "tune/tuned.json", "--seeds", 2]
    result = ioa("--out", tmp_path / "arms", *tuned, *QUICK[:-1], "uniform,ioa")
    assert result.exit_code == 0, result.output

    apart = json.loads((out / "c" / "comparison.json").read_text()) | {"command": "ioa compare b"}
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "comparison.json").write_text(json.dumps(apart))

    evidence.main([str(tmp_path / "arms"), str(tmp_path / "parts"), str(docs)])
    evidence.main([str(tmp_path / "arms"), str(docs), str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert list(told["arms"]) == ["uniform", "ioa"]
    assert told["ablated"] == apart
    text = (docs / "evidence.md").read_text()
    worth = text[text.index("## What each part is worth") :]
    assert worth.splitlines()[2].strip().startswith(apart["command"])
    assert f"The ablations: {made_with(apart)}" in text.replace("\\", "")
    assert "ioa on the seeds 0, 1" in worth
    assert "| ioa-rehearsal |" in worth


def test_another_budget_of_other_skills_stands_beside_the_first_as_a_comparison_of_its_own(
    made, tmp_path
):
    docs, words = tmp_path / "docs", ["--student", "simulated", "--items", 120, "--probes", 8]
    words += ["--items-per-round", 60, "--skills", "A2,B3", "--arms", "uniform,ioa"]
    result = ioa("--out", tmp_path / "large", "--seeds", 1, *words)
    assert result.exit_code == 0, result.output
    large = json.loads((tmp_path / "large" / "comparison.json").read_text())

    evidence.main([str(made[0] / "c"), str(tmp_path / "large"), str(docs)])
    evidence.main([str(made[0] / "c"), str(docs), str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert (told["items"], told["others"]) == (90, [large])
    text = (docs / "evidence.md").read_text()
    apart = text[text.index("## 120 items of 2 skills, seed 0: The arms") :]
    assert apart.splitlines()[2].strip().startswith(large["command"])
    assert "One seed. Composite skills: B3." in apart
    mean = large["arms"]["ioa"]["mean"]["mean"]
    assert f"| {mean:.2f} |" in next(r for r in apart.splitlines() if r.startswith("| ioa |"))
    assert f"120 items of 2 skills, seed 0: {made_with(large)}" in text.replace("\\", "")


def test_of_another_budget_other_seeds_stand_beside_the_first_and_the_same_ones_once(
    made, tmp_path
):
    docs, words = tmp_path / "docs", ["--student", "simulated", "--items", 120, "--probes", 8]
    words += ["--items-per-round", 60, "--skills", "A2,B3", "--arms", "uniform,ioa", "--seeds", 1]
    for seed in (0, 1):
        result = ioa("--out", tmp_path / str(seed), "--first-seed", seed, *words)
        assert result.exit_code == 0, result.output

    evidence.main([str(made[0] / "c"), str(tmp_path / "0"), str(docs)])
    for _ in range(2):
        evidence.main([str(docs), str(tmp_path / "1"), str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert [other["seeds"] for other in told["others"]] == [[0], [1]]
    text = (docs / "evidence.md").read_text()
    titles = [f"## 120 items of 2 skills, seed {seed}: The arms" for seed in (0, 1)]
    assert [text.count(title) for title in titles] == [1, 1]

    other = json.loads((docs / "evidence.json").read_text())
    other["others"][0]["settings"]["budget"]["items_per_round"] = 59
    (docs / "evidence.json").write_text(json.dumps(other))
    result = ioa("--out", tmp_path / "2", "--first-seed", 2, *words)
    assert result.exit_code == 0, result.output

    evidence.main([str(docs), f"+{tmp_path / '2'}", str(docs)])

    told = json.loads((docs / "evidence.json").read_text())
    assert [other["seeds"] for other in told["others"]] == [[0], [1, 2]]


def test_more_budgets_of_the_same_skills_are_told_as_curves_beside_the_first(made, tmp_path):
    large = json.loads((made[0] / "c" / "comparison.json").read_text())
    only = {"budgets": {"90": large["budgets"]["90"]}}
    names = [name for name in large["arms"] if not name.startswith("ioa-")]
    plain = {k: {n: large[k][n] for n in names if n in large[k]} for k in ("arms", "differences")}
    for folder, told in (("main", large | only), ("more", large | plain | {"command": "ioa x"})):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "comparison.json").write_text(json.dumps(told))

    evidence.main([str(tmp_path / name) for name in ("main", "more", "docs")])
    evidence.main([str(tmp_path / name) for name in ("main", "docs", "docs")])

    text = (tmp_path / "docs" / "evidence.md").read_text()
    curves = text[text.index("## Learning curves by budget") :].splitlines()
    assert curves[2].strip().startswith("ioa x")
    assert "on its way. Seeds 0, 1." in curves[4]
    assert curves[6].startswith("![Learning curves by budget](evidence/learning-curves-by-budget-")
    assert curves[8] == "| arm | 60 items | 90 items |"


def test_a_version_that_had_no_such_setting_is_done_again_by_naming_it(made):
    told = json.loads((made[0] / "c" / "comparison.json").read_text())
    told["settings"] = Settings().model_dump(mode="json")
    told["command"] = "ioa compare --probes 8 --out var/x"
    told["settings"]["probing"]["final_probes"] = 8
    as_usual = evidence.markdown(told)
    del told["settings"]["probing"]["ask_others"]

    page = evidence.markdown(told)

    assert "settings.json" not in as_usual
    assert "    ioa compare --probes 8 --out var/x --settings settings.json\n" in page
    assert 'settings.json holds {"probing": {"ask\\_others": false}}.' in page


@pytest.mark.parametrize(
    ("broad", "skills", "is_named"),
    [(None, 8, False), (None, 9, True), (12, 8, False), (5, 8, True)],
)
def test_what_makes_a_round_broad_is_named_where_there_are_skills_enough(
    made, broad, skills, is_named
):
    told = json.loads((made[0] / "c" / "comparison.json").read_text())
    told["settings"] = Settings().model_dump(mode="json")
    told["settings"]["budget"]["broad_skills"] = broad
    told["command"] = "ioa compare --out var/x"
    told["items_to_mastery"] = {k: dict.fromkeys("ABCDEFGHI"[:skills]) for k in told["arms"]}

    assert (r"broad\_skills" in evidence.markdown(told)) is is_named


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"student": "another"}, "its student is another"),
        ({"tokens": 1}, "its tokens is 1"),
        (
            {"arms": {}, "differences": {}, "budgets": {"90": {}}},
            "does not compare ioa with ioa less one",
        ),
    ],
)
def test_what_is_of_something_else_is_not_told_beside_it(made, tmp_path, changed, says):
    told = json.loads((made[0] / "c" / "comparison.json").read_text())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "comparison.json").write_text(json.dumps(told | changed))

    with pytest.raises(DistillError, match=says):
        evidence.main([str(made[0] / "c"), str(tmp_path / "other"), str(tmp_path / "docs")])

    assert not (tmp_path / "docs").exists()


def test_rates_that_were_tried_are_told_beside_those_that_were_taken(made, tmp_path):
    docs, tuned = tmp_path / "docs", made[0] / "tune" / "tuned.json"
    command = json.loads(tuned.read_text())["command"]

    evidence.main([str(made[0] / "c"), str(docs), str(tuned)])
    evidence.main([str(made[0] / "c"), str(docs), str(docs)])

    text = (docs / "evidence.md").read_text().replace("\\", "")
    part = text[text.index("## Learning rates tried") :].split("\n## ")[0]
    assert f"    {command}\n" in part
    assert "| arm | 0.001 | 0.002 |" in part
    mean = json.loads(tuned.read_text())["tried"]["uniform"]["0.001"][0]
    assert f"| uniform | {mean:.3f} |" in part
    assert "speed" not in json.loads((docs / "evidence.json").read_text())


def test_runs_and_benchmarks_are_kept_where_none_are_named(made, tmp_path):
    speed = tmp_path / "speed.json"
    speed.write_text(json.dumps({"title": "Speed", "command": "python bench/x.py", "ratio": 1.01}))
    docs = tmp_path / "docs"

    evidence.main([str(made[0] / "c"), str(docs), str(speed)])
    evidence.main([str(made[0] / "c"), str(docs), str(docs)])

    assert json.loads((docs / "evidence.json").read_text())["speed"][0]["ratio"] == 1.01


def test_evidence_has_runs_with_the_command_and_the_settings_that_made_them(made, tmp_path):
    out, _ = made
    settings = tmp_path / "settings.json"
    settings.write_text('{"probing": {"final_probes": 20}, "budget": {"rounds_cap": 2}}')
    words = ["--skills", "A2,A3", "--student", "simulated", "--items", "60", "--seed", "3"]
    ran = CliRunner().invoke(
        app, ["distil", *words, "--settings", str(settings), "--out", str(tmp_path / "run")]
    )
    assert ran.exit_code == 0, ran.output

    spec = f"{tmp_path / 'run'}#transformers:big"
    evidence.main([str(out / "c"), str(tmp_path / "run"), spec, str(tmp_path / "docs")])

    run, of_model = json.loads((tmp_path / "docs" / "evidence.json").read_text())["taught"]
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert run["retained"] == report["retained"]
    assert run["settings"] == json.loads(settings.read_text())
    assert run["command"] == (
        "ioa distil --domain foundations --student simulated --teacher procedural "
        "--skills A2,A3 --items 60 --seed 3 --settings settings.json --out var/run"
    )
    assert of_model["command"] == run["command"].replace("procedural", "transformers:big")
    text = (tmp_path / "docs" / "evidence.md").read_text()
    assert f"    {run['command']}\n" in text
    low, high = report["retained_interval"]
    assert f"simulated keeps {report['retained']:.2f} ({low:.2f}–{high:.2f}) of what" in text
    assert f"| A2 | {report['skills'][0]['before']:.2f} |" in text

    told = json.loads((tmp_path / "docs" / "evidence.json").read_text())
    assert run["checks"]["fits"] == Fits.version
    assert "Its items were checked by" not in text
    told["taught"][0]["checks"] |= {"fits": 1}
    assert f"checked by fits 1 (now {Fits.version}): the command comes" in evidence.markdown(told)

    assert "skill's examples" not in text
    assert "shown no examples" not in text
    told["taught"][0] |= {"by_model": 9, "as_examples": 7}
    assert "7 of 9 solutions are written as the skill's examples are." in evidence.markdown(told)
    for name in ("by_model", "as_examples"):
        del told["taught"][0][name]
    assert "Its teacher was shown no examples" in evidence.markdown(told)

    docs = str(tmp_path / "docs")
    evidence.main([docs, str(tmp_path / "run"), docs])  # told already: once, behind the others

    assert json.loads((tmp_path / "docs" / "evidence.json").read_text())["taught"] == [
        of_model,
        run,
    ]


def test_the_page_of_evidence_says_what_its_figures_say():
    figures, says = DOCS / "evidence.json", DOCS / "evidence.md"
    told = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else None

    # no page without figures, and none that says other ones
    assert says.exists() == figures.exists()
    assert told is None or says.read_text(encoding="utf-8") == evidence.markdown(told)


def test_the_page_of_evidence_has_the_pictures_of_its_figures_and_no_others():
    shown = re.findall(r"!\[.+?\]\((.+?)\)", (DOCS / "evidence.md").read_text(encoding="utf-8"))

    there = {f"evidence/{p.name}" for p in (DOCS / "evidence").iterdir()}
    assert there == set(shown), "python -m distill.comparison.drawing docs"
    assert len(there) > 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--arms", "magic"], "There is no arm “magic”."),
        (["--arms", ","], "Name at least one arm"),
        (["--items", "many"], "--items takes positive numbers by comma, and “many” is none."),
        (["--items", "0"], "--items takes positive numbers"),
        (["--tune", "1e-3,-1"], "--tune takes positive numbers by comma, and “-1” is none."),
        (["--skills", "Z9"], "has no skill “Z9”."),
        (["--skills", "T1,T2"], "No arm would teach anything: T1, T2 only measure transfer."),
        (["--domain", "alchemy"], "There is no domain “alchemy”."),
        (["--student", "nobody/here"], "ModelFolderBroken"),
        (["--teacher", "nobody"], "There is no teacher “nobody”."),
        (["--tuned", "/nowhere/tuned.json"], "is not what --tune writes"),
        (
            ["--tuned", "list.json"],
            "list.json is not what --tune writes: it is no JSON object, {…}.",
        ),
        (["--settings", "/nowhere/s.json"], "cannot be used"),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.json").write_text("[]")
    result = ioa("--out", tmp_path / "out", "--student", "simulated", "--seeds", 1, *words)

    assert result.exit_code == 1, result.output
    assert sentence in said(result)
    assert "Traceback" not in result.output


def test_a_device_that_there_is_not_is_a_wrong_word(tmp_path):
    assert ioa("--out", tmp_path / "out", "--device", "abacus").exit_code == 2


def test_a_folder_that_holds_a_comparison_asks_for_resume(made):
    out, _ = made

    result = ioa("--out", out / "c", "--student", "simulated")

    assert result.exit_code == 1
    assert "Add --resume" in said(result)
