"""Edges: observed over histories, tested by training, and which evidence counts."""

from __future__ import annotations

import dataclasses

import pytest

from distill import domains
from distill.errors import DomainError
from distill.identifier.edges import MIN_SIDE, Checkpoint, Found, observe
from distill.identifier.evidence import Evidence, best_evidence, collect, weigh
from distill.identifier.severity import severities
from distill.identifier.trials import BOTH, SOURCE, TARGET, compare, plan_trial, run_trial
from distill.organizer.graph import without_cycles
from distill.records import Edge, EvidenceKind
from distill.settings import LoraSettings, Probing, Settings, Thresholds
from tests.distill.learners import TEN, Counting, histories
from tests.distill.samples import gap_of

ORDINARY = Thresholds()
FOUNDATIONS = domains.load("foundations")
SEEDS = range(5)


def kept(seen):
    return {pair for pair, what in seen.items() if what.found is Found.KEPT}


def precision_and_recall(needs, **how):
    """Over five histories together."""
    truth = {(i, j) for j, before in needs.items() for i in before}
    right = found = 0
    for seed in SEEDS:
        edges = kept(observe(histories(needs, seed=seed, **how), list(needs), ORDINARY))
        right += len(edges & truth)
        found += len(edges)
    return right / max(1, found), right / (len(SEEDS) * len(truth))


# --- observed ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_800_checkpoints_of_20_runs_give_the_edges_of_ten_skills_back():
    precision, recall = precision_and_recall(TEN, runs=20, checkpoints=40)

    assert precision >= 0.9
    assert recall >= 0.8


@pytest.mark.slow
def test_1200_checkpoints_of_30_runs_give_the_edges_of_all_sixteen_skills_back():
    sixteen = {s.id: s.prerequisites for s in FOUNDATIONS.skills if not s.is_transfer}

    precision, recall = precision_and_recall(sixteen, runs=30, checkpoints=40, taught=4)

    assert len(sixteen) == 16
    assert precision >= 0.9
    assert recall >= 0.8


def test_160_checkpoints_give_fewer_edges_but_no_more_wrong_ones():
    precision, recall = precision_and_recall(TEN, runs=8, checkpoints=20)

    assert precision >= 0.9
    assert 0.2 <= recall <= 0.7


def test_skills_that_are_always_taught_together_cannot_be_told_apart():
    history = histories(TEN, seed=1, runs=20, checkpoints=40, taught=len(TEN))

    assert kept(observe(history, list(TEN), ORDINARY)) == set()


def test_with_a_few_checkpoints_it_says_that_there_is_not_enough_evidence():
    seen = observe(histories(TEN, seed=1, runs=2, checkpoints=8), list(TEN), ORDINARY)

    assert {what.found for what in seen.values()} == {Found.NOT_ENOUGH}
    assert all(what.strength is None for what in seen.values())
    assert seen["A1", "A2"].sentence.startswith("Not enough evidence: ")


def test_skills_that_merely_rise_together_have_no_edge():
    apart = dict.fromkeys(TEN, ())

    for seed in SEEDS:
        seen = observe(histories(apart, seed=seed, runs=20, checkpoints=40), list(TEN), ORDINARY)

        assert kept(seen) == set()


def test_eq_3_as_printed_finds_edges_everywhere_in_the_same_history():
    apart = dict.fromkeys(TEN, ())
    history = histories(apart, seed=0, runs=20, checkpoints=40)

    def dependency(i, j):
        high = [c.scores[j] for c in history if c.ratios[i] >= 0.9]
        low = [c.scores[j] for c in history if c.ratios[i] < 0.7]
        a, b = sum(high) / len(high), sum(low) / len(low)
        return (a - b) / (a + 0.05)

    wrong = [(i, j) for i in TEN for j in TEN if i != j and dependency(i, j) > 0.3]
    assert len(wrong) > 45  # of 90


def test_a_chain_explains_what_it_skips():
    chain = {"A": (), "B": ("A",), "C": ("B",)}

    seen = observe(
        histories(chain, seed=3, runs=30, checkpoints=20, taught=1), list(chain), ORDINARY
    )

    assert kept(seen) == {("A", "B"), ("B", "C")}


def rounds(*, with_a, without_a, n):
    """Runs of two checkpoints that teach B to a score, `n` with A and `n` without."""
    found = []
    for number in range(2 * n):
        has_a = number < n
        before = {"A": 1.0 if has_a else 0.0, "B": 0.0}
        after = before | {"B": with_a if has_a else without_a}
        run = f"run {number}"
        found += [
            Checkpoint(run, 0, frozenset(), before, before),
            Checkpoint(run, 1, frozenset({"B"}), after, after),
        ]
    return found


def test_dep_is_eq_3_and_the_counts_of_both_sides_are_told():
    seen = observe(rounds(with_a=0.95, without_a=0.0, n=20), ["A", "B"], ORDINARY)["A", "B"]

    assert seen.found is Found.KEPT
    assert seen.dependency == pytest.approx(0.95 / (0.95 + 0.05))
    assert seen.low < seen.dependency < seen.high
    assert (seen.n_with, seen.n_without) == (20, 20)
    assert "20 rounds with A, 20 without" in seen.sentence


def test_a_skill_that_rises_as_well_without_is_no_prerequisite():
    seen = observe(rounds(with_a=0.9, without_a=0.9, n=20), ["A", "B"], ORDINARY)["A", "B"]

    assert seen.found is Found.NOT_KEPT
    assert seen.high < 0.3
    assert seen.strength == 0.0


@pytest.mark.parametrize("n", [MIN_SIDE - 1, MIN_SIDE])
def test_a_side_with_too_few_rounds_says_nothing(n):
    seen = observe(rounds(with_a=0.95, without_a=0.0, n=n), ["A", "B"], ORDINARY)["A", "B"]

    assert (seen.dependency is None) == (n < MIN_SIDE)


def test_rounds_that_did_not_teach_a_skill_say_nothing_of_what_it_needs():
    untaught = [
        dataclasses.replace(c, taught=frozenset()) for c in rounds(with_a=0.95, without_a=0.0, n=20)
    ]

    assert observe(untaught, ["A", "B"], ORDINARY)["A", "B"].found is Found.NOT_ENOUGH


def test_a_skill_that_was_not_asked_counts_as_it_was_last():
    history = rounds(with_a=0.95, without_a=0.0, n=20)
    silent = [
        dataclasses.replace(c, scores={"B": c.scores["B"]}, ratios={"B": c.ratios["B"]})
        if c.number
        else c
        for c in history
    ]

    assert observe(silent, ["A", "B"], ORDINARY)["A", "B"].found is Found.KEPT


def test_the_order_of_the_checkpoints_does_not_matter_and_none_are_no_error():
    history = histories(TEN, seed=2, runs=6, checkpoints=20)

    assert observe(history[::-1], list(TEN), ORDINARY) == observe(history, list(TEN), ORDINARY)
    assert {w.found for w in observe([], list(TEN), ORDINARY).values()} == {Found.NOT_ENOUGH}


# --- tested ------------------------------------------------------------------------------------

SMALL = Settings(lora=LoraSettings(batch_size=8), probing=Probing(diagnose_probes=48))


def run_test(tmp_path, counting, source, target, steps=10, **more):
    trial = plan_trial(FOUNDATIONS, source, target, steps=steps, settings=SMALL, seed=1)
    return run_trial(
        trial, counting.student(), parent=None, work=tmp_path / "work", settings=SMALL, **more
    )


def test_a_prerequisite_is_found_by_training_on_both(tmp_path):
    tested = run_test(tmp_path, Counting({"A3": ("A2",)}), "A2", "A3")

    assert tested.holds is True
    assert tested.together.with_source > tested.together.without + 0.5
    assert tested.alone.with_source < 0.2
    assert tested.evidence.kind is EvidenceKind.TESTED
    assert tested.evidence.strength > 0.8
    assert tested.sentence.startswith("It holds: A3 is at ")


def test_between_skills_that_need_nothing_of_each_other_no_edge_is_found(tmp_path):
    tested = run_test(tmp_path, Counting(), "S1", "A3")

    assert tested.holds is not True
    assert tested.evidence.strength in (None, 0.0)


def test_the_cost_is_known_before_anything_is_trained():
    trial = plan_trial(FOUNDATIONS, "A2", "A3", steps=10, settings=SMALL, seed=1)

    assert (trial.cost.items, trial.cost.steps, trial.cost.questions) == (240, 30, 192)
    assert trial.cost.tokens > 0
    assert trial.cost.sentence.startswith("Three throw-away trainings: 30 steps on 240 items")


def test_the_three_trainings_have_as_many_steps_and_the_mixture_half_of_each():
    trial = plan_trial(FOUNDATIONS, "A1", "A3", steps=10, settings=SMALL, seed=1)

    assert {arm: len(items) for arm, items in trial.arms.items()} == {
        SOURCE: 80,
        TARGET: 80,
        BOTH: 80,
    }
    assert sum(i.skill == "A1" for i in trial.arms[BOTH]) == 40
    assert trial == plan_trial(FOUNDATIONS, "A1", "A3", steps=10, settings=SMALL, seed=1)


def test_the_adapters_are_thrown_away_and_every_beat_is_within_the_announced_cost(tmp_path):
    told = []

    run_test(tmp_path, Counting(), "A1", "A3", beat=lambda done, total: told.append((done, total)))

    assert not (tmp_path / "work").exists()
    assert told[-1] == (30 + 192, 30 + 192)
    assert told == sorted(told)


def test_an_interrupted_test_keeps_what_it_has_trained(tmp_path):
    def stop(done, total):
        if done > 60:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_test(tmp_path, Counting(), "A1", "A3", beat=stop)

    assert (tmp_path / "work" / SOURCE).is_dir()


def test_a_skill_that_nobody_can_write_items_for_is_not_tested():
    with pytest.raises(DomainError):
        plan_trial(FOUNDATIONS, "A1", "T1", steps=4, settings=SMALL, seed=1)


def test_a_comparison_is_eq_3_on_paired_probes():
    found = compare([1.0] * 45 + [0.0] * 5, [1.0] * 10 + [0.0] * 40)

    assert found.dependency == pytest.approx((0.9 - 0.2) / 0.95)
    assert 0.3 < found.low < found.dependency < found.high


def test_a_comparison_of_grades_that_are_all_alike_still_has_an_interval():
    found = compare([1.0] * 20, [0.0] * 20)

    assert found.low < found.dependency < found.high


# --- which evidence counts ---------------------------------------------------------------------

DECLARED = Evidence(EvidenceKind.DECLARED)
CONFIRMED, REFUSED = Evidence(EvidenceKind.CONFIRMED), Evidence(EvidenceKind.REFUSED)


def by_history(strength):
    return Evidence(EvidenceKind.OBSERVED, strength, 40)


def by_test(strength):
    return Evidence(EvidenceKind.TESTED, strength, 64)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], None),
        ([DECLARED], 1.0),
        ([DECLARED, by_history(0.6)], 0.6),
        ([DECLARED, by_history(None)], 1.0),
        ([DECLARED, by_history(0.6), by_test(0.9)], 0.9),
        ([by_test(0.9), by_history(0.6), DECLARED], 0.9),
        ([DECLARED, by_test(0.1)], None),
        ([DECLARED, by_history(0.3)], None),
        ([DECLARED, by_test(None), by_history(0.5)], 0.5),
        ([by_test(0.1), by_test(0.8)], 0.8),
        ([DECLARED, by_test(0.0), CONFIRMED], 1.0),
        ([DECLARED, by_test(1.0), REFUSED], None),
        ([REFUSED, CONFIRMED], 1.0),
        ([CONFIRMED, REFUSED, by_test(1.0)], None),
    ],
)
def test_a_persons_word_wins_then_tests_then_observations_then_declarations(rows, expected):
    best = best_evidence(rows, 0.3)

    assert (best and best.strength) == expected


def test_severity_and_the_breaking_of_cycles_use_the_best_evidence():
    rows = {
        ("A", "B"): [DECLARED, by_test(0.8)],
        ("B", "A"): [by_history(0.5)],
        ("A", "C"): [DECLARED, REFUSED],
    }
    edges = [e for pair, known in rows.items() if (e := weigh(*pair, known, 0.3))]

    acyclic, removed = without_cycles(edges)

    assert removed == [Edge("B", "A", 0.5, EvidenceKind.OBSERVED)]
    severity = severities({k: gap_of(k, 0.5) for k in "ABC"}, acyclic, alpha=0.7)
    assert severity["A"] == pytest.approx(0.7 * 0.5 + 0.3 * 0.8)


def test_what_was_observed_joins_what_was_declared():
    seen = observe(rounds(with_a=0.95, without_a=0.0, n=20), ["A", "B"], ORDINARY)

    rows = collect([Edge("B", "A")], seen)

    assert [e.kind for e in rows["B", "A"]] == [EvidenceKind.DECLARED, EvidenceKind.OBSERVED]
    assert rows["B", "A"][1].strength is None
    assert [e.kind for e in rows["A", "B"]] == [EvidenceKind.OBSERVED]
