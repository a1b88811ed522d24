"""Before a stage begins its skills are measured again: what was taught meanwhile counts."""

from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.engine.rounds import teaches
from curriculum.models import Answer, GateRecord, Item, Score
from curriculum.services import gates, items, runs, stages
from tests.curriculum.small import PROBES, diagnosed, work

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.IOA_HOME = tmp_path


def assessed(approver, *, items_per_round, skills=("A2", "A3")):
    """A run of a stage for each skill, with the first at its gate."""
    chosen = engine.default_settings()
    chosen["budget"] |= {"items_per_round": items_per_round}
    chosen["probing"] |= {
        "diagnose_probes": PROBES,
        "gate_probes": 24,
        "gate_probes_cap": 48,
        "batch_size": 24,
    }
    run = diagnosed(approver, skills=list(skills), settings=chosen)
    runs.sign_diagnosis(run, actor=approver)
    runs.sign_curriculum(run, actor=approver)
    assert [s.stage_skills.get().skill.key for s in run.stages.all()] == list(skills)
    stage = stages.open(run.stages.first(), actor=approver)
    work(run)
    stage.refresh_from_db()
    items.approve_all(stage, actor=approver, round=0)
    stages.train(stage, actor=approver, round=0)
    work(run)
    work(run)
    return run


def again(run):
    """Scores on diagnostic probes of any student but the one that came."""
    return Score.objects.filter(skill__run=run, split="diagnose", checkpoint__parent__isnull=False)


@pytest.mark.slow
@pytest.mark.parametrize(("now", "is_small"), [(0.9, False), (0.1, True)])
def test_the_next_stage_is_measured_and_written_for_the_student_as_it_is(approver, now, is_small):
    run = assessed(approver, items_per_round=120)
    assert [s.skill.key for s in again(run)] == ["A3"]
    current = run.checkpoints.get(is_current=True)
    asked = Answer.objects.filter(checkpoint=current, probe__skill__key="A3")
    assert set(asked.values_list("probe__split", flat=True)) == {"diagnose"}
    assert asked.count() == 24
    again(run).update(mean=now)

    gates.advance(GateRecord.objects.get(), actor=approver, round=0)
    stages.open(run.stages.last(), actor=approver)
    work(run)

    levels = set(Item.objects.filter(stage=run.stages.last()).values_list("level", flat=True))
    assert (min(levels) < 3) == is_small


@pytest.mark.slow
def test_a_stage_that_is_waived_leaves_the_next_one_measured_as_well(approver):
    run = assessed(approver, items_per_round=8)

    gate = GateRecord.objects.get()
    assert not gate.allows_advance
    assert [s.skill.key for s in again(run)] == ["A3"]
    asked = Answer.objects.filter(checkpoint=gate.checkpoint, probe__skill__key="A3")
    assert asked.count() == 6  # a quarter of a look: it is plainly not known
    again(run).update(mean=0.9)

    gates.waive(gate, actor=approver, round=0, reason="the rest waits")
    stages.open(run.stages.last(), actor=approver)
    work(run)

    last = run.stages.last()
    written = Item.objects.filter(stage=last, skill__key="A3")
    assert set(written.values_list("level", flat=True)) == {3}

    # what was waived is asked again at the gate that follows, and its new items are dealt by that
    was = Score.objects.get(checkpoint=gate.checkpoint, skill__key="A2", split="gate")
    assert teaches(last, []).left == {"A2": pytest.approx(1 - was.mean)}
    items.approve_all(last, actor=approver, round=0)
    stages.train(last, actor=approver, round=0)
    work(run)
    work(run)
    found = GateRecord.objects.get(stage=last)
    [said] = found.evidence["waived"]
    now = Score.objects.get(checkpoint=found.checkpoint, skill__key="A2", split="gate")
    assert (said["skill"], said["was"], said["now"]) == ("A2", was.mean, now.mean)
    assert now.n == 24  # one look
    found.evidence["waived"][0] |= {"now": 0.25}
    found.save()
    assert teaches(last, []).left == {"A2": pytest.approx(0.75)}
    found.evidence["waived"][0] |= {"answer": "mastered"}
    found.save()
    assert teaches(last, []).left == {"A2": 0.0}
    # not by a student that is given up
    run.checkpoints.update(is_current=False)
    run.checkpoints.filter(pk=gate.checkpoint_id).update(is_current=True)
    assert teaches(last, []).left == {"A2": pytest.approx(1 - was.mean)}


@pytest.mark.slow
def test_the_next_stage_is_written_by_as_many_answers_as_a_remedy_would_be(approver):
    assessed(approver, items_per_round=8, skills=("A3", "A4"))

    gate = GateRecord.objects.get()
    asked = Answer.objects.filter(
        checkpoint=gate.checkpoint, probe__skill__key="A4", probe__split="diagnose"
    )
    assert asked.count() == 24  # kinds of errors leave the writer a choice; a look ahead asks 6
