from __future__ import annotations

import pytest

from curriculum.engine.planning import edges_of, outweighed
from distill.records import Edge, EvidenceKind
from tests.factories import PrerequisiteFactory, RunFactory, SkillFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def edge():
    run = RunFactory()
    return PrerequisiteFactory(
        run=run, source=SkillFactory(run=run, key="a"), target=SkillFactory(run=run, key="b")
    )


def know(edge, kind, strength=None):
    edge.evidence.create(kind=kind, strength=strength, reason="because")


def test_a_declared_edge_holds_until_something_better_is_known(edge):
    know(edge, "declared", 1.0)

    assert edges_of(edge.run) == [Edge("a", "b", 1.0, EvidenceKind.DECLARED)]


def test_what_was_measured_outweighs_what_was_declared(edge):
    know(edge, "declared", 1.0)
    know(edge, "observed", 0.5)

    assert edges_of(edge.run) == [Edge("a", "b", 0.5, EvidenceKind.OBSERVED)]


def test_an_edge_that_was_tested_and_did_not_help_orders_nothing(edge):
    know(edge, "declared", 1.0)
    know(edge, "tested", 0.1)

    assert edges_of(edge.run) == []


def test_the_last_word_is_a_persons(edge):
    know(edge, "tested", 0.1)
    know(edge, "confirmed")

    assert edges_of(edge.run) == [Edge("a", "b", 1.0, EvidenceKind.CONFIRMED)]


def test_what_was_looked_for_and_not_found_out_says_nothing(edge):
    know(edge, "declared", 1.0)
    know(edge, "observed", None)

    assert edges_of(edge.run) == [Edge("a", "b", 1.0, EvidenceKind.DECLARED)]


def test_an_edge_that_evidence_speaks_against_is_told_from_one_that_nobody_measured(edge):
    assert outweighed(edge.run, [edge]) == set()

    know(edge, "declared", 1.0)
    know(edge, "tested", 0.1)

    assert outweighed(edge.run, [edge]) == {edge.pk}
