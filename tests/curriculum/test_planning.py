from __future__ import annotations

import pytest

from curriculum.engine.planning import edges_of, outweighed
from curriculum.services import runs
from distill.records import Edge, EvidenceKind
from tests.curriculum.small import diagnosed
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


def test_the_plan_says_what_its_skills_build_on_and_the_run_has_not(approver):
    run = diagnosed(approver, skills=["A2", "X1"])
    runs.sign_diagnosis(run, actor=approver)

    run.refresh_from_db()
    assert run.notices[0] == (
        "A2 builds on A1, X1 on A3 and M1: what is not chosen is neither measured nor taught."
    )


def test_a_plan_with_all_that_its_skills_build_on_says_nothing_of_it(approver):
    run = diagnosed(approver, skills=["A1", "A2"])
    runs.sign_diagnosis(run, actor=approver)

    run.refresh_from_db()
    assert not [said for said in run.notices if "not chosen" in said]


def test_a_domain_that_is_gone_keeps_nobody_from_signing(approver):
    run = diagnosed(approver, skills=["A2"])
    run.domain = "domains/gone.yaml"
    run.save(update_fields=["domain"])

    runs.sign_diagnosis(run, actor=approver)

    run.refresh_from_db()
    assert run.stages.count() == 1
