"""Skills of other stages beside a stage's own: docs/decisions/0022."""

from __future__ import annotations

import collections
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill import roster
from distill.backends.simulated import SimulatedTrainer
from distill.organizer import mixture
from distill.passed import left_lacking
from distill.settings import Budget
from distill.verdicts import GateAnswer, Retention
from tests.distill.samples import (
    Numbered,
    RuleStudent,
    evidence_of,
    gap_of,
    retention,
    skill_of,
    waived,
)
from tests.distill.test_pipeline import SMALL, entries, pipeline

lacks = st.dictionaries(
    st.sampled_from("ABC"), st.integers(1, 10).map(lambda i: i / 10), min_size=1
)
others = st.dictionaries(st.sampled_from("XYZ"), st.integers(1, 10).map(lambda i: i / 10))


@given(lacks, others, st.integers(1, 300), st.floats(0.05, 1))
def test_what_is_beside_gets_its_part_of_what_it_would_get_as_the_stages_own(
    need, beside, n, preview
):
    counts = mixture.dealt(need, beside, n, Budget(preview_weight=preview))

    weights = {k: mixture.weight_of(v) for k, v in need.items()}
    weights |= {k: preview * mixture.weight_of(v) for k, v in beside.items()}
    assert sum(counts.values()) == n
    for k, weight in weights.items():
        assert abs(counts.get(k, 0) - n * weight / sum(weights.values())) < 1 + 1e-6


@given(lacks, others, st.integers(1, 300))
def test_without_a_weight_or_anything_beside_a_stage_is_taught_alone(need, beside, n):
    alone = mixture.new_items(need, n)

    assert mixture.dealt(need, beside, n, Budget(preview_weight=0.0)) == alone
    assert mixture.dealt(need, {}, n, Budget()) == alone
    assert mixture.dealt(need, dict.fromkeys("XY", 0.0), n, Budget()) == alone


def test_what_is_of_the_stage_is_not_beside_it_as_well():
    assert mixture.dealt({"A": 1.0}, {"A": 1.0}, 10, Budget()) == {"A": 10}


def test_of_hundreds_that_wait_the_next_ones_stand_beside_as_much_as_makes_a_round_broad():
    waiting = {f"K{i:03}": 1.0 for i in range(300, 0, -1)}

    counts = mixture.dealt({"A": 1.0, "B": 1.0}, waiting, 400, Budget())

    assert counts == {"A": 40, "B": 40} | {f"K{i:03}": 20 for i in range(300, 284, -1)}
    everything = mixture.dealt({"A": 1.0}, waiting, 400, Budget(broad_skills=None))
    assert len(everything) == 301


@given(
    st.dictionaries(st.sampled_from("ABCDEFGHIJKLMNOP"), st.floats(0.0, 1.0)),
    st.permutations("ABCDEFGHIJKLMNOP"),
)
def test_sixteen_that_wait_all_stand_beside_in_whatever_order(lacks, order):
    beside = {k: lacks[k] for k in order if k in lacks}

    counts = mixture.dealt({"Z": 1.0}, beside, 4000, Budget())

    assert {k for k, n in counts.items() if n} == {"Z"} | {k for k, v in lacks.items() if v > 0}


def test_rehearsal_takes_as_much_as_there_is_to_keep():
    budget = Budget(rehearsal_weight=0.5, preview_weight=0.5, rehearsal_share=0.6)

    def share(need, beside, known):
        return mixture.rehearsal_share(budget, dict.fromkeys(need, 1.0), beside, known)

    assert share("AB", {}, "") == 0.0
    assert share("AB", {}, "M") == pytest.approx(0.5 / 2.5)
    assert share("A", {}, "MNO") == pytest.approx(0.6)  # it would be 1.5 of 2.5
    assert share("AB", {"X": 1.0, "Y": 1.0}, "MN") == pytest.approx(1 / 4)
    assert share("AB", {"X": 1.0}, "ABX") == 0.0  # they are taught anew


@given(lacks, others, st.sets(st.sampled_from("AXMNO")), st.floats(0, 0.99))
def test_rehearsal_never_takes_more_than_its_share(need, beside, known, most):
    budget = Budget(rehearsal_share=most)

    assert 0.0 <= mixture.rehearsal_share(budget, need, beside, known) <= most


def test_a_round_that_is_broad_by_itself_repeats_less():
    budget = Budget(rehearsal_weight=0.5, rehearsal_share=0.6, broad_skills=4, broad_share=0.3)

    def share(need, known):
        return mixture.rehearsal_share(budget, dict.fromkeys(need, 1.0), {}, known)

    assert share("ABCD", "MNOPQRST") == pytest.approx(0.3)  # it would be 4 of 8
    assert share("ABC", "MNOPQRST") == pytest.approx(0.3)  # one lacks: half of 3.5
    assert share("AB", "MNOPQRST") == pytest.approx(1 / 3)  # two lack: 1 of 3
    assert share("A", "MNOPQRST") == pytest.approx(0.6)  # three lack: 1.5 of 2.5
    assert share("ABCD", "M") == pytest.approx(0.5 / 4.5)  # there is no more to repeat


@given(
    st.dictionaries(st.sampled_from("ABCDEFGH"), st.floats(0, 1), min_size=1),
    st.dictionaries(st.sampled_from("ABCDEFGH"), st.floats(0, 1)),
    st.sets(st.sampled_from("ABCDEFGH")),
)
def test_no_round_of_a_run_with_few_skills_is_bounded_for_being_broad(need, beside, known):
    unbounded = Budget(broad_skills=None)

    assert mixture.rehearsal_share(
        Budget(broad_skills=8, broad_share=0.0), need, beside, known
    ) == mixture.rehearsal_share(unbounded, need, beside, known)


def test_a_round_with_others_beside_is_no_short_one():
    """A skill that lacks little would get the fewest that matter, and the others a part of that."""
    budget = Budget(items=1600, items_per_round=400)
    waiting = dict.fromkeys("UVWXYZ", 1.0)

    def room(**more):
        given = budget.model_copy(update=more)
        return mixture.room_for_new(
            given, {"A": 0.1}, used=0, share=0.0, beside=waiting, waiting=6.0
        )

    assert room() == 267  # a sixth of what is left
    assert room(preview_weight=0.0) == 32


def test_settings_of_a_version_before_are_read_and_teach_a_stage_alone():
    assert Budget.model_validate({"items": 5, "frontier_share": 0.0}) == Budget(
        items=5, preview_weight=0.0
    )


def only_a(folder, prompt):
    return prompt.skill == "A"


def taught(out, preview=0.5, *, knows=only_a, ask_others=True):
    """Rounds of a run in which A sits after a round, B as `knows` says of the student and its
    folder, and C builds on A, D on B.
    """
    domain = Numbered((skill_of("A"), skill_of("B"), skill_of("C", "A"), skill_of("D", "B")))
    student = roster.Student(
        "half",
        lambda adapter: RuleStudent(lambda p: bool(adapter) and knows(adapter.name, p)),
        SimulatedTrainer(),
    )
    few = Budget(items=600, items_per_round=100, rounds_cap=2, preview_weight=preview)
    probing = SMALL.probing.model_copy(update={"ask_others": ask_others})
    settings = SMALL.model_copy(update={"budget": few, "probing": probing})
    pipeline(out, domain=domain, skills=[], student=student, settings=settings).run()
    found = collections.defaultdict(collections.Counter)
    for e in entries(out):
        if e["kind"] == "item":
            found[e["round"]][e["skill"]] += 1
    return found


def test_every_round_teaches_what_waits_and_what_was_waived_beside_its_own(tmp_path):
    with_it = taught(tmp_path / "with", 0.5)
    without = taught(tmp_path / "without", 0.0)

    assert set(without["s1r0"]) == {"A", "B"}
    assert set(without["s1r1"]) == {"B"}
    assert set(without["s2r0"]) == {"C", "D"}
    assert set(with_it["s1r0"]) == {"A", "B", "C", "D"}
    assert set(with_it["s1r1"]) == {"B", "C", "D"}  # A sits: it is rehearsed
    assert set(with_it["s2r0"]) == {"B", "C", "D"}  # B was waived
    first = with_it["s1r0"]
    assert first["A"] == first["B"] == pytest.approx(2 * first["C"], abs=1)


def test_what_was_waived_and_sits_by_now_gets_no_new_items_and_what_fell_gets_more(tmp_path):
    def risen(folder, prompt):  # B, waived after s1r1
        return prompt.skill == "A" or (prompt.skill == "B" and folder >= "s2")

    def fallen(folder, prompt):
        number = int(prompt.text.split()[-1])
        return prompt.skill == "A" or (prompt.skill == "B" and folder < "s2" and number % 5 > 0)

    rose = taught(tmp_path / "rose", knows=risen)
    unasked = taught(tmp_path / "unasked", knows=risen, ask_others=False)
    fell = taught(tmp_path / "fell", knows=fallen)
    held = taught(tmp_path / "held", knows=fallen, ask_others=False)

    assert rose["s2r0"]["B"] == unasked["s2r0"]["B"] > 0  # nothing was asked since
    assert rose["s2r1"]["B"] == 0 < unasked["s2r1"]["B"]
    assert fell["s2r0"] == held["s2r0"]
    share, before = (found["s2r1"]["B"] / found["s2r1"]["C"] for found in (fell, held))
    assert share == pytest.approx(2 * before, rel=0.1)


def test_a_gate_keeps_on_record_what_became_of_what_was_waived(tmp_path):
    def half(folder, prompt):
        return prompt.skill == "A" or (prompt.skill == "B" and prompt.text[-1] in "02468")

    taught(tmp_path, knows=half)

    gates = {e["key"]: e["evidence"] for e in entries(tmp_path) if e["kind"] == "decision"}
    assert [gates[k]["waived"] for k in ("s1r0", "s1r1")] == [[], []]
    for key in ("s2r0", "s2r1"):
        [found] = gates[key]["waived"]
        assert found["skill"] == "B"
        assert found["was"] == pytest.approx(0.5, abs=0.25)
    last = json.loads((tmp_path / "report.json").read_text())["stages"][1]["gates"][-1]
    assert last["waived"] == {"B": pytest.approx(found["now"], abs=1e-3)}


@pytest.mark.parametrize(
    ("verdict", "lack"),
    [
        (
            waived("W", GateAnswer.MASTERED, now=31 / 32),
            0.0,
        ),  # sits, though not every answer is right
        (waived("W", GateAnswer.UNCLEAR, now=0.72), 0.1),  # of a teacher at 0.8
        (waived("W", GateAnswer.NOT_YET, now=0.2), 0.75),
        (retention("W", Retention.FORGOTTEN, was=0.8, now=0.4), 0.5),
        (retention("W", Retention.UNCLEAR, was=0.8, now=0.7), 0.0),
        (retention("W", Retention.KEPT, was=0.8, now=0.79), 0.0),
    ],
)
def test_what_is_behind_lacks_what_the_last_gate_says_and_nothing_where_it_sits(verdict, lack):
    gaps = {"W": gap_of("W", 0.5, p_teacher=0.8)}

    found = left_lacking({"W": 0.3, "X": 0.2}, evidence_of(verdict), gaps)

    assert found == {"W": pytest.approx(lack), "X": 0.2}


def test_what_sits_and_was_never_left_is_not_taught_anew():
    kept = evidence_of(retention("M", Retention.FORGOTTEN, was=1.0, now=0.5))

    assert left_lacking({}, kept, {}) == {}  # it blocks the gate: a remedy is for it


def test_a_remedy_deals_to_what_waits_by_what_it_lacks_by_then(tmp_path):
    def helped(folder, prompt):  # by the first stage's first round
        return prompt.skill == "A" or (prompt.skill == "C" and folder >= "s1r0")

    found = taught(tmp_path / "now", knows=helped)
    before = taught(tmp_path / "before", knows=helped, ask_others=False)

    assert found["s1r0"] == before["s1r0"]
    assert found["s1r1"]["C"] == 0 < before["s1r1"]["C"]
    assert found["s1r1"]["D"] > 0
