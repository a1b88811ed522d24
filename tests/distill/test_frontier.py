"""Skills of the next stage in a remedy, where a run wants that: off unless it says so."""

from __future__ import annotations

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill import roster
from distill.backends.simulated import SimulatedTrainer
from distill.organizer import mixture
from distill.records import Edge
from distill.settings import Budget
from tests.distill.samples import Numbered, RuleStudent, skill_of
from tests.distill.test_pipeline import SMALL, entries, pipeline

lacks = st.dictionaries(
    st.sampled_from("ABC"), st.integers(1, 10).map(lambda i: i / 10), min_size=1
)
ahead = st.dictionaries(st.sampled_from("XYZ"), st.integers(1, 10).map(lambda i: i / 10))
EDGES = [Edge("A", "X"), Edge("B", "X"), Edge("A", "Y")]


@pytest.mark.parametrize(
    ("sits", "found"), [("", "Z"), ("A", "YZ"), ("B", "Z"), ("AB", "XYZ"), ("ABQ", "XYZ")]
)
def test_ready_is_what_lacks_something_and_stands_on_what_sits(sits, found):
    lack = {"X": 0.5, "Y": 0.5, "Z": 0.5}

    assert sorted(mixture.ready(lack, EDGES, set(sits))) == list(found)
    assert mixture.ready(dict.fromkeys("XYZ", 0.0), EDGES, set("AB")) == {}


@given(lacks, ahead, st.integers(1, 300), st.floats(0, 0.99))
def test_a_round_gets_no_larger_and_the_stage_keeps_its_share(need, ahead, n, share):
    counts = mixture.with_frontier(need, ahead, n, share)

    assert sum(counts.values()) == n
    given_ahead = sum(counts.get(k, 0) for k in ahead)
    assert given_ahead == (min(n - 1, round(n * share)) if ahead else 0)


@given(lacks, ahead, st.integers(1, 300))
def test_without_a_share_or_a_frontier_the_mixture_is_what_it_was(need, ahead, n):
    assert mixture.with_frontier(need, ahead, n, 0.0) == mixture.new_items(need, n)
    assert mixture.with_frontier(need, {}, n, 0.5) == mixture.new_items(need, n)


def taught(out, share):
    """Rounds of a run in which A sits after a round, B never, and C builds on A, D on B."""
    domain = Numbered((skill_of("A"), skill_of("B"), skill_of("C", "A"), skill_of("D", "B")))
    student = roster.Student(
        "half",
        lambda adapter: RuleStudent(lambda p: bool(adapter) and p.skill == "A"),
        SimulatedTrainer(),
    )
    few = Budget(items=600, items_per_round=100, rounds_cap=2, frontier_share=share)
    settings = SMALL.model_copy(update={"budget": few})
    pipeline(out, domain=domain, skills=[], student=student, settings=settings).run()
    found = collections.defaultdict(collections.Counter)
    for e in entries(out):
        if e["kind"] == "item":
            found[e["round"]][e["skill"]] += 1
    return found


def test_a_remedy_teaches_what_is_ready_and_the_first_round_does_not(tmp_path):
    with_it = taught(tmp_path / "with", 0.2)
    without = taught(tmp_path / "without", 0.0)

    assert set(without["s1r0"]) == set(with_it["s1r0"]) == {"A", "B"}
    assert set(without["s1r1"]) == {"B"}
    assert set(with_it["s1r1"]) == {"B", "C"}
    n = sum(without["s1r1"].values())
    assert with_it["s1r1"] == {"B": n - round(0.2 * n), "C": round(0.2 * n)}
