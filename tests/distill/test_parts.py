"""Some of a domain's skills: what they build on among themselves, and what they lack."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distill import domains
from distill.domains.parts import edges_among, lacking, part_of, told, with_prerequisites
from distill.errors import DomainError
from distill.organizer.graph import find_cycle
from distill.records import Edge

DOMAIN = domains.load("foundations")
NAMES = "abcdefgh"
EDGES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda e: e[0] < e[1]),
    unique=True,
    max_size=16,
).map(lambda pairs: [Edge(*pair) for pair in sorted(pairs, key=lambda pair: pair[1])])


def pairs(edges):
    return [(e.source, e.target) for e in edges]


def is_reached(edges, source, target):
    return source in with_prerequisites(edges, [target])


def test_all_of_a_domain_has_the_domains_own_edges():
    skills, edges = part_of(DOMAIN, ())

    assert skills == list(DOMAIN.skills)
    assert edges == list(DOMAIN.edges())


def test_over_a_skill_that_is_left_out_one_builds_on_the_other_directly():
    _, edges = part_of(DOMAIN, ["A1", "A2", "X1", "M1"])  # X1 builds on A3, which builds on A2

    assert pairs(edges) == [("A1", "A2"), ("A1", "M1"), ("M1", "X1"), ("A2", "X1")]


def test_an_edge_over_others_is_as_strong_as_the_weakest_of_them():
    edges = [Edge("a", "b", strength=0.4), Edge("b", "c", strength=0.9), Edge("a", "d")]

    assert edges_among(edges, "ac") == [Edge("a", "c", strength=0.4)]


def test_an_edge_that_there_is_goes_before_one_over_others():
    edges = [Edge("a", "b", strength=0.4), Edge("b", "c", strength=0.4), Edge("a", "c")]

    assert edges_among(edges, "ac") == [Edge("a", "c")]


@given(EDGES, st.sets(st.sampled_from(NAMES)))
def test_what_builds_on_what_is_the_same_with_fewer_skills(edges, wanted):
    among = edges_among(edges, wanted)

    assert set(pairs(among)) <= {(a, b) for a in wanted for b in wanted}
    assert len(set(pairs(among))) == len(among)
    assert not find_cycle(among)
    for target in wanted:
        reached = with_prerequisites(among, [target])
        assert reached == with_prerequisites(edges, [target]) & wanted


def test_a_circle_of_skills_that_are_left_out_is_walked_once():
    edges = [Edge("b", "c"), Edge("c", "b"), Edge("a", "b"), Edge("c", "d"), Edge("d", "c")]

    assert pairs(edges_among(edges, "ad")) == [("a", "d")]


def test_what_is_lacking_is_told_skill_by_skill():
    missing = lacking(DOMAIN.edges(), ["A1", "A2", "B2", "M1", "X1", "W2"])

    assert missing == {"X1": ("A3",), "W2": ("W1",)}
    assert told(missing) == (
        "X1 builds on A3, W2 on W1: what is not chosen is neither measured nor taught."
    )
    assert told(lacking(DOMAIN.edges(), with_prerequisites(DOMAIN.edges(), ["X1", "W2"]))) == ""


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({"a": "b"}, "a builds on b"),
        ({"a": "bc"}, "a builds on b and c"),
        ({"a": "bcde"}, "a builds on b, c, d and 1 more"),
        (
            {"a": "z", "b": "z", "c": "z", "d": "z"},
            "a builds on z, b on z, c on z, and 1 more on others",
        ),
    ],
)
def test_many_are_not_all_named(missing, said):
    assert told(missing) == f"{said}: what is not chosen is neither measured nor taught."


def test_a_skill_that_there_is_not_is_refused():
    with pytest.raises(DomainError, match="has no skill “Q9”"):
        part_of(DOMAIN, ["A1", "Q9"])
