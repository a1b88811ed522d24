"""The gate page says which items of the next round would be of other stages."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string

from curriculum.engine import next_round
from curriculum.engine.describe import default_settings
from curriculum.views import gate_reads
from tests.factories import (
    CheckpointFactory,
    GateFactory,
    PrerequisiteFactory,
    RunFactory,
    ScoreFactory,
    SkillFactory,
    StageFactory,
    evidence,
)

pytestmark = pytest.mark.django_db


def gate(weight):
    """Of A1, which sits, and N1, which does not; A2 of the next stage builds on A1, N2 on N1."""
    chosen = default_settings()
    chosen["budget"] |= {"preview_weight": weight}
    run = RunFactory(teaching=True, settings=chosen)
    base = CheckpointFactory(run=run)
    for key in ("A1", "N1", "A2", "N2"):
        skill = SkillFactory(run=run, key=key, deficient=True, gap=1.0)
        ScoreFactory(skill=skill, mean=1.0)
        ScoreFactory(skill=skill, checkpoint=base, mean=0.0)
    for source, target in (("A1", "A2"), ("N1", "N2")):
        edge = PrerequisiteFactory(
            run=run, source=run.skills.get(key=source), target=run.skills.get(key=target)
        )
        edge.evidence.create(kind="declared", strength=1.0)
    stage = StageFactory(run=run, deciding=True, skills=["A1", "N1"])
    StageFactory(run=run, skills=["A2", "N2"])
    found = evidence(stage, "mastered")
    found["stage"][1] |= {"answer": "not_yet", "ratio": 0.2}
    assert found["stage"][1]["skill"] == "N1"
    return GateFactory(stage=stage, evidence=found)


def test_a_remedy_shows_what_it_would_teach_beside_its_own_stage():
    at = gate(0.5)

    planned = next_round(at)
    rows = {row["key"]: row for row in gate_reads.ahead(at).mixture}

    assert planned.beside == ["A2", "N2"]
    assert planned.new["A2"] == planned.new["N2"] == pytest.approx(planned.new["N1"] / 2, abs=1)
    assert (rows["A2"]["is_beside"], rows["N1"]["is_beside"]) == (True, False)
    assert [gain["key"] for gain in gate_reads.ahead(at).gains] == ["N1"]


def test_what_sits_has_its_ratio_too_where_more_of_it_is_taught():
    at = gate(0.5)
    stage = at.stage
    was = {v["skill"]: v["ratio"] for v in at.evidence["stage"]}

    planned = next_round(at)

    assert planned.now == pytest.approx(was)
    assert planned.mastered == {"A1"}
    assert "A1" not in planned.expected
    assert stage.round == 0


def test_without_a_weight_a_remedy_teaches_its_own_stage():
    planned = next_round(gate(0.0))

    assert planned.beside == []
    assert planned.new == {"N1": 200}


def test_a_mixture_says_how_much_of_it_is_of_other_stages():
    rows = [
        {"key": "A1", "is_rehearsal": False, "is_beside": False, "share": 0.25, "n": 5},
        {"key": "B2", "is_rehearsal": False, "is_beside": True, "share": 0.5, "n": 10},
        {"key": "A3", "is_rehearsal": True, "is_beside": False, "share": 0.25, "n": 5},
    ]

    said = render_to_string("curriculum/partials/_mixture.html", {"mixture": rows, "label": "M"})
    alone = render_to_string("curriculum/partials/_mixture.html", {"mixture": rows[:1]})

    assert "50% of these items are of other stages" in said
    assert "of other stages" not in alone
