"""Graph, layers, stages and mixture: Eq. 7-8, and what a round trains on."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distill.errors import BudgetSpent, CyclicPrerequisites
from distill.identifier.severity import severities
from distill.organizer import mixture
from distill.organizer.graph import find_cycle, without_cycles
from distill.organizer.readiness import grouped, needed
from distill.organizer.stages import difficulty, plan, steps_too_large
from distill.records import Edge
from distill.settings import Budget, Thresholds
from distill.verdicts import GateAnswer, Retention
from tests.distill.samples import evidence_of, gap_of, item_of, retention, skill_of, verdict

NAMES = [f"K{i:02}" for i in range(9)]
ZPD = Thresholds().zpd

ratios = st.fixed_dictionaries(
    {k: st.integers(0, 20).map(lambda i: i / 20) for k in NAMES},
)
strengths = st.integers(1, 10).map(lambda i: i / 10)
all_pairs = [(a, b) for a in NAMES for b in NAMES]


def edges_among(pairs):
    """Up to a dozen edges among `pairs`, each with a strength, none twice."""
    return st.dictionaries(st.sampled_from(pairs), strengths, max_size=12).map(
        lambda chosen: [Edge(a, b, s) for (a, b), s in chosen.items()]
    )


forward = edges_among([(a, b) for a, b in all_pairs if a < b])
any_edges = edges_among(all_pairs)


def planned(ratios, edges, thresholds=Thresholds(), names=NAMES):  # noqa: B008  # frozen
    gaps = {k: gap_of(k, ratios[k]) for k in names}
    severity = severities(gaps, edges)
    return plan([skill_of(k) for k in names], edges, gaps, severity, thresholds), gaps


# --- the graph ------------------------------------------------------------------------------


@given(any_edges)
def test_breaking_cycles_ends_and_leaves_none(edges):
    kept, removed = without_cycles(edges)

    assert find_cycle(kept) == []
    assert sorted(map(repr, kept + removed)) == sorted(map(repr, edges))


@given(forward)
def test_without_a_cycle_no_edge_is_removed(edges):
    assert without_cycles(edges) == (edges, [])


def test_a_cycle_is_broken_at_its_weakest_edge():
    edges = [Edge("A", "B", 0.9), Edge("B", "C", 0.4), Edge("C", "A", 0.6)]

    kept, removed = without_cycles(edges)

    assert removed == [Edge("B", "C", 0.4)]
    assert kept == [edges[0], edges[2]]


def test_a_cycle_is_told_from_its_first_skill_round_to_it_again():
    assert find_cycle([Edge("B", "C"), Edge("C", "B"), Edge("A", "B")]) in (
        ["B", "C", "B"],
        ["C", "B", "C"],
    )


def test_groups_of_a_cycle_are_refused_with_its_names():
    with pytest.raises(CyclicPrerequisites, match="A → B → A"):
        grouped({"A": 0.5, "B": 0.5}, [Edge("A", "B"), Edge("B", "A")], span=ZPD)


difficulties = st.lists(st.floats(0, 1), min_size=len(NAMES), max_size=len(NAMES)).map(
    lambda values: dict(zip(NAMES, values, strict=True))
)


@given(difficulties, forward)
def test_every_prerequisite_lies_in_an_earlier_group(skills, edges):
    found = grouped(skills, edges, span=ZPD)

    place = {k: i for i, group in enumerate(found) for k in group}
    assert sorted(place) == NAMES
    assert all(place[e.source] < place[e.target] for e in edges)


@given(difficulties, forward)
def test_no_skill_waits_that_could_have_been_in_an_earlier_group(skills, edges):
    taught = set()
    for group in grouped(skills, edges, span=ZPD):
        waiting = set(NAMES) - taught - set(group)
        ready = {k for k in waiting if all(e.source in taught for e in edges if e.target == k)}
        assert all(skills[k] - skills[group[0]] > ZPD for k in ready)
        taught |= set(group)


def test_a_skill_does_not_wait_for_a_layer_it_does_not_build_on():
    skills = {"easy": 0.5, "hard": 0.9, "on easy": 1.0}

    assert grouped(skills, [Edge("easy", "on easy")], span=ZPD) == [["easy"], ["hard", "on easy"]]


def test_a_weak_prerequisite_is_pulled_in_through_other_weak_ones():
    edges = [Edge("A", "B"), Edge("B", "C"), Edge("D", "C"), Edge("X", "Y")]

    assert needed(["C"], ["A", "B", "C", "X"], edges) == (["A", "B", "C"], ["A", "B"])


# --- stages ---------------------------------------------------------------------------------


@given(ratios, any_edges)
@settings(max_examples=150)
def test_every_deficient_skill_is_in_exactly_one_stage_behind_its_prerequisites(ratios, edges):
    curriculum, gaps = planned(ratios, edges)

    taught = [k for stage in curriculum.stages for k in stage.skills]
    assert sorted(taught) == [k for k in NAMES if gaps[k].is_deficient]
    place = {k: i for i, stage in enumerate(curriculum.stages) for k in stage.skills}
    for edge in without_cycles(edges)[0]:
        if edge.source in place and edge.target in place:
            assert place[edge.source] < place[edge.target]


@given(ratios, any_edges)
def test_a_stage_is_a_bridge_and_told_exactly_where_the_step_is_over_the_bound(ratios, edges):
    curriculum, gaps = planned(ratios, edges)

    before = None
    for stage in curriculum.stages:
        mean = sum(difficulty(gaps[k]) for k in stage.skills) / len(stage.skills)
        assert stage.is_bridge == (before is not None and mean - before > ZPD + 1e-9)
        before = mean
    told = [n for n in curriculum.notices if "bridge" in n]
    assert len(told) == sum(s.is_bridge for s in curriculum.stages)
    assert told == steps_too_large([s.skills for s in curriculum.stages], gaps, Thresholds())


@given(ratios, any_edges)
def test_no_stage_spans_more_difficulty_than_the_bound(ratios, edges):
    curriculum, gaps = planned(ratios, edges)

    for stage in curriculum.stages:
        found = [difficulty(gaps[k]) for k in stage.skills]
        assert max(found) - min(found) <= ZPD + 1e-9


@given(ratios, any_edges, st.integers())
def test_the_order_of_the_input_changes_no_stage(ratios, edges, seed):
    shuffled, names = list(edges), list(NAMES)
    random.Random(seed).shuffle(shuffled)
    random.Random(seed).shuffle(names)

    again, _ = planned(ratios, shuffled, names=names)

    curriculum, _ = planned(ratios, edges)
    assert again.stages == curriculum.stages
    assert again.notices == curriculum.notices
    assert again.severity == pytest.approx(curriculum.severity)


@given(ratios, forward)
def test_a_share_of_the_targets_still_stands_on_what_it_builds_on(ratios, edges):
    curriculum, gaps = planned(ratios, edges, Thresholds(target_share=0.25))

    place = {k: i for i, stage in enumerate(curriculum.stages) for k in stage.skills}
    for edge in edges:
        if edge.target in place and gaps[edge.source].is_deficient:
            assert place[edge.source] < place[edge.target]


def test_a_broken_cycle_a_lost_skill_and_one_pulled_in_are_told():
    gaps = {"A": gap_of("A", 0.6), "B": gap_of("B", 0.1), "C": gap_of("C", 0.5, p_teacher=0.2)}
    edges = [Edge("A", "B", 0.8), Edge("B", "A", 0.3)]
    severity = {"A": 0.3, "B": 0.9}

    curriculum = plan(
        [skill_of(k) for k in "ABC"], edges, gaps, severity, Thresholds(target_share=0.25)
    )

    assert [s.skills for s in curriculum.stages] == [("A",), ("B",)]
    assert curriculum.notices == (
        "B → A was left out: it closes a cycle, and is its weakest edge.",
        "C is left out: the teacher is right on only 20% of its probes, too few to teach it.",
        "A was pulled in: skills to be taught build on it.",
        "B: a step of 0.50 in difficulty, over the bound of 0.15; it begins with smaller "
        "instances, as a bridge.",
    )


def test_transfer_skills_are_never_taught_and_take_no_place_in_the_share():
    skills = [skill_of("A"), skill_of("B"), *(skill_of(f"T{i}", is_transfer=True) for i in "12")]
    gaps = {s.id: gap_of(s.id, 0.2) for s in skills}
    severity = {"A": 0.5, "B": 0.4, "T1": 0.9, "T2": 0.8}

    curriculum = plan(skills, [], gaps, severity, Thresholds(target_share=0.5))

    assert [s.skills for s in curriculum.stages] == [("A",)]


def test_a_step_of_exactly_the_bound_is_no_bridge():
    gaps = {"A": gap_of("A", 0.7, threshold=0.2), "B": gap_of("B", 0.55)}
    edges = [Edge("A", "B")]

    curriculum = plan([skill_of("A"), skill_of("B")], edges, gaps, {"A": 1, "B": 1}, Thresholds())

    assert [s.is_bridge for s in curriculum.stages] == [False, False]


def test_difficulty_stays_within_0_and_1():
    assert difficulty(gap_of("A", 1.3)) == 0.0
    assert difficulty(gap_of("A", 0.5, p_teacher=0.1)) == 1.0


# --- what a round trains on -----------------------------------------------------------------


@given(st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1), min_size=1), st.integers(0, 500))
def test_new_items_are_dealt_to_the_last_one_by_what_is_lacking(need, n):
    dealt = mixture.new_items(need, n)

    lacking = {k: v for k, v in need.items() if v > 0} or dict.fromkeys(need, 1.0)
    weights = {k: mixture.weight_of(v) for k, v in lacking.items()}
    assert sum(dealt.values()) == n
    assert set(dealt) == set(lacking)
    total = sum(weights.values())
    assert all(abs(dealt[k] - n * v / total) < 1 + 1e-6 for k, v in weights.items())


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_lacks_more_weighs_no_less_and_nothing_under_half_of_another(one, other):
    low, high = sorted((one, other))

    assert 0.5 <= mixture.weight_of(low) <= mixture.weight_of(high) <= 1.0


def test_a_skill_that_lacks_nothing_leaves_the_mixture():
    assert mixture.new_items({"A": 0.0, "B": 0.1, "C": 0.6}, 30) == {"B": 10, "C": 20}


def test_rehearsal_goes_to_every_mastered_skill_and_more_to_the_one_that_slips():
    assert mixture.rehearsal({"A": -0.1, "B": 0.0, "C": 0.1}, 50) == {"A": 10, "B": 10, "C": 30}
    assert mixture.rehearsal({}, 50) == {}


@given(st.integers(2, 600), st.integers(1, 3000), st.integers(0, 9))
def test_new_items_and_their_rehearsal_fit_the_round_and_the_budget(per_round, items, tenths):
    budget, share = Budget(items=items, items_per_round=per_round), tenths / 10

    new = mixture.room_for_new(budget, dict.fromkeys(range(99), 1.0), used=0, share=share)

    room = min(per_round, items)
    total = new + mixture.rehearsal_count(new, share)
    assert new >= 1
    assert total <= room or new == 1


def test_a_spent_budget_says_what_can_be_done():
    with pytest.raises(BudgetSpent, match="All 10 items .* Raise the budget"):
        mixture.room_for_new(Budget(items=10), {"A": 1.0}, used=10, share=0.0)


def test_a_round_that_teaches_one_skill_is_a_short_one():
    budget = Budget(items_per_round=400, items_per_skill=150)

    def room(*lacking):
        need = dict(enumerate(lacking))
        return mixture.room_for_new(budget, need, used=0, share=0.0)

    assert room(1.0) == 150
    assert room(1.0, 0.4) == 270
    assert room(1.0, 1.0, 1.0) == 400
    assert room(0.08) == 75  # half, where next to nothing is missing


def test_a_round_takes_its_share_of_what_is_left_while_others_wait():
    budget = Budget(items=900, items_per_round=400, items_per_skill=200)

    def room(need, waiting, used=0, **more):
        given = budget.model_copy(update=more)
        return mixture.room_for_new(given, need, used=used, share=0.0, waiting=waiting)

    two = {"A": 1.0, "B": 1.0}
    assert room(two, 4.0) == 300  # a third of what is lacking, of 900
    assert room(two, 0.0) == 400
    assert room(two, 4.0, fair_shares=False) == 400
    assert room({"A": 0.3}, 3.7, used=500) == 32  # a share of 30, and never fewer than matter
    assert room({"A": 0.3}, 0.2, used=500) == 120  # the cap by skill holds: little is missing
    assert room(two, 4.0, used=880) == 20


@given(
    st.lists(st.floats(0.5, 1.0), min_size=1, max_size=12),
    st.integers(1200, 3000),
    st.sampled_from([0.0, 0.25]),
)
def test_with_fair_shares_every_stage_gets_its_part_of_the_whole_budget(lacks, items, share):
    """One skill a stage, one round each; a share is never under the fewest that matter."""
    budget = Budget(items=items, items_per_round=items, items_per_skill=items)
    used = 0
    for at, lack in enumerate(lacks):
        new = mixture.room_for_new(
            budget,
            {"A": lack},
            used=used,
            share=share if at else 0.0,
            waiting=sum(lacks[at + 1 :]),
        )
        took = new + (mixture.rehearsal_count(new, share) if at else 0)
        assert took == pytest.approx(items * lack / sum(lacks), abs=5)  # roundings add up
        used += took
    assert used <= items + 1


def test_the_next_round_teaches_what_is_not_mastered_and_what_was_forgotten():
    evidence = evidence_of(
        verdict("A", GateAnswer.MASTERED, 0.97),
        verdict("B", GateAnswer.NOT_YET, 0.6),
        verdict("C", GateAnswer.UNCLEAR, 0.9),
        retention("M", Retention.FORGOTTEN, was=1.0, now=0.7),
        retention("N", Retention.KEPT, was=0.9, now=0.9),
        retention("O", Retention.KEPT, was=0.0, now=0.0),
    )

    need, lost = mixture.still_needed(evidence)

    assert need == pytest.approx({"B": 0.4, "C": 0.1, "M": 0.3})
    assert lost == pytest.approx({"M": 0.3, "N": 0.0, "O": 0.0})


def test_a_round_that_a_person_wants_though_all_is_mastered_teaches_the_whole_stage():
    evidence = evidence_of(
        verdict("A", GateAnswer.MASTERED, 1.0), verdict("B", GateAnswer.MASTERED, 1.1)
    )

    need, _ = mixture.still_needed(evidence)

    assert mixture.new_items(need, 10) == {"A": 5, "B": 5}
    assert mixture.sitting(evidence) == set()  # all are taught, none only rehearsed


def test_what_sits_in_a_stage_that_goes_on_is_rehearsed():
    evidence = evidence_of(
        verdict("A", GateAnswer.MASTERED, 0.97),
        verdict("B", GateAnswer.NOT_YET, 0.6),
        verdict("C", GateAnswer.UNCLEAR, 0.9),
    )

    assert mixture.sitting(evidence) == {"A"}


def rounds_of(*answers):
    """A stage of A and B, a round for each pair: “+” mastered, “-” not yet, “?” unclear."""
    kinds = {"+": GateAnswer.MASTERED, "-": GateAnswer.NOT_YET, "?": GateAnswer.UNCLEAR}
    return [
        evidence_of(verdict("A", kinds[a], 0.9), verdict("B", kinds[b], 0.6)) for a, b in answers
    ]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((), set()),
        (("--",), set()),
        (("--", "+-"), {"B"}),
        (("--", "--"), {"A", "B"}),
        (("--", "?-"), {"A", "B"}),
        (("+-", "-+"), set()),
        (("--", "--", "+-"), {"B"}),
        (("--", "--", "++"), set()),
    ],
)
def test_a_skill_that_failed_twice_in_a_row_is_begun_small_again(answers, expected):
    assert mixture.bridged(rounds_of(*answers)) == expected


def some_items():
    new = [item_of("N", i, level=1 + i % 3, round_key="s2r0") for i in range(30)]
    pool = [item_of(k, i) for k in "AB" for i in range(40)]
    return new, pool


def test_a_mixture_has_every_new_item_once_and_its_share_of_rehearsal():
    new, pool = some_items()

    mixed = mixture.mix(new, pool, lost={}, share=0.25, seed="1")

    assert len(mixed) == 40
    assert len({i.key for i in mixed}) == 40
    assert {i.key for i in new} <= {i.key for i in mixed}
    assert [sum(i.skill == k for i in mixed) for k in "AB"] == [5, 5]


def test_small_instances_come_first_and_rehearsal_is_spread_evenly():
    new, pool = some_items()

    mixed = mixture.mix(new, pool, lost={}, share=0.25, seed="1")

    assert [i.level for i in mixed if i.skill == "N"] == [1] * 10 + [2] * 10 + [3] * 10
    assert [sum(i.skill != "N" for i in mixed[at : at + 4]) for at in range(0, 40, 4)] == [1] * 10


def test_every_stretch_of_a_round_has_the_mixture_of_the_whole():
    """Whatever levels the skills' items have: one that has none but large ones does not come last.

    Training on one skill after the other unlearns the first (docs/log.md).
    """
    sizes = {"M": 12, "N": 24, "O": 12}
    new = [
        item_of(k, i, level=3 if k == "M" else 1 + 3 * i // n, round_key="s2r0")
        for k, n in sizes.items()
        for i in range(n)
    ]

    mixed = mixture.mix(new, [], lost={}, share=0.25, seed="1")

    for at in range(0, 48, 8):
        stretch = [i.skill for i in mixed[at : at + 8]]
        assert all(abs(stretch.count(k) - n / 6) <= 1 for k, n in sizes.items()), stretch
    assert [i.level for i in mixed if i.skill == "N"] == [1] * 8 + [2] * 8 + [3] * 8


def test_a_pool_smaller_than_the_share_is_rehearsed_whole():
    new, pool = some_items()

    mixed = mixture.mix(new, pool[:3], lost={}, share=0.25, seed="1")

    assert len(mixed) == 33


def test_a_mixture_rehearses_what_was_said_before_it_was_mixed():
    new, pool = some_items()
    said = mixture.rehearsed({"A": 40, "B": 3}, {"N": 30}, lost={"B": 0.4}, share=0.25)

    mixed = mixture.mix(new, pool[:43], lost={"B": 0.4}, share=0.25, seed="1")

    assert said["B"] == 3  # no more than there are
    assert said == {k: sum(i.skill == k for i in mixed) for k in "AB"}


def test_what_is_taught_anew_is_not_rehearsed_as_well():
    """A remedy of what was forgotten leaves the rehearsal to what sits."""
    new = [item_of("A", i, round_key="s2r1") for i in range(30)]
    pool = [item_of(k, i) for k in "ABC" for i in range(40)]
    lost = {"A": 0.4, "B": 0.0, "C": 0.0}

    mixed = mixture.mix(new, pool, lost=lost, share=0.25, seed="1")

    assert [sum(i.skill == k for i in mixed) for k in "ABC"] == [30, 5, 5]
    assert len(mixture.mix(new, pool[:40], lost=lost, share=0.25, seed="1")) == 30


def test_the_same_seed_mixes_the_same_whatever_the_order_of_the_pool():
    new, pool = some_items()

    mixed = mixture.mix(new, pool, lost={"A": 0.2}, share=0.3, seed="1")

    assert mixture.mix(new, pool[::-1], lost={"A": 0.2}, share=0.3, seed="1") == mixed
    assert mixture.mix(new, pool, lost={"A": 0.2}, share=0.3, seed="2") != mixed


def test_nothing_new_and_nothing_mastered_mix_to_nothing():
    assert mixture.mix([], [], lost={}, share=0.25, seed="1") == []
