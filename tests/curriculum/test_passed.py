"""What a run has behind it: by the gates on the way to the current student, and no others."""

from __future__ import annotations

import pytest

from curriculum.engine.items import rehearsal_pool
from curriculum.engine.passed import forgotten_by_now, left_behind, mastered_so_far
from curriculum.engine.planning import gaps_of
from curriculum.engine.rounds import teaches
from curriculum.models import SnapshotItem
from curriculum.services import gates, stages
from curriculum.states import SkillOutcome, StageStatus
from tests.factories import (
    CheckpointFactory,
    ItemFactory,
    RunFactory,
    ScoreFactory,
    SkillFactory,
    SnapshotFactory,
    StageFactory,
    evidence,
)

pytestmark = pytest.mark.django_db


def measured(run, student, **means):
    """The diagnosis: of a teacher that is always right, and of the student as it came."""
    for key, mean in means.items():
        skill = run.skills.get(key=key)
        skill.gap, skill.is_deficient = 1 - mean, mean < 0.7
        skill.save()
        ScoreFactory(skill=skill, checkpoint=None, mean=1.0, low=1.0, high=1.0)
        ScoreFactory(skill=skill, checkpoint=student, mean=mean)


@pytest.fixture
def run():
    """A1 sits since stage 1; stage 2, of A2, is being assessed, and A3 waits."""
    run = RunFactory(teaching=True)
    first = StageFactory(run=run, skills=["A1"], mastered=True)
    first.stage_skills.update(outcome=SkillOutcome.MASTERED)
    second = StageFactory(run=run, skills=["A2"], status=StageStatus.ASSESSING)
    StageFactory(run=run, skills=["A3"])
    SkillFactory(run=run, key="K")
    base = CheckpointFactory(run=run, is_current=False)
    good = CheckpointFactory(run=run, stage=first, parent=base, is_current=False)
    CheckpointFactory(run=run, stage=second, parent=good)
    second.started_from = good
    second.save()
    measured(run, base, A1=0.1, A2=0.1, A3=0.1, K=1.0)
    return run


def assessed(run, actor, answer="not_yet", **others):
    stage = run.stages.get(status=StageStatus.ASSESSING)
    stages.assessed(stage, actor=actor, evidence=evidence(stage, answer, **others))
    return stage.gates.get(round=stage.round)


def outcome(run, key):
    return run.stages.get(stage_skills__skill__key=key).stage_skills.get().outcome


def test_what_a_student_forgot_that_was_rolled_back_was_never_forgotten(run, approver):
    gate = assessed(run, approver, retention={"A1": "forgotten"})
    assert outcome(run, "A1") == "forgotten"

    gates.roll_back(gate, actor=approver, round=0, reason="it lost A1")

    assert outcome(run, "A1") == "mastered"
    assert forgotten_by_now(run) == set()
    assert teaches(run.stages.get(position=2), []).left == {}


@pytest.mark.parametrize("again", ["kept", "unclear"])
def test_what_is_not_found_forgotten_any_more_is_not(run, approver, again):
    gate = assessed(run, approver, retention={"A1": "forgotten"})
    gates.remedy(gate, actor=approver, round=0)
    stage = run.stages.get(position=2)
    CheckpointFactory(run=run, stage=stage, round=1, parent=gate.checkpoint, is_current=False)
    run.checkpoints.update(is_current=False)
    run.checkpoints.filter(round=1, stage=stage).update(is_current=True)
    type(stage).objects.filter(pk=stage.pk).update(status=StageStatus.ASSESSING)

    gate = assessed(run, approver, "mastered", retention={"A1": again})

    assert gate.allows_advance
    assert outcome(run, "A1") == "mastered"


def test_what_a_waiver_left_forgotten_is_taught_beside_whether_it_was_taught_or_known(
    run, approver
):
    gate = assessed(run, approver, retention={"A1": "forgotten", "K": "forgotten"})

    gates.waive(gate, actor=approver, round=0, reason="enough")

    last = run.stages.get(position=3)
    left = {"A1": pytest.approx(0.3), "K": pytest.approx(0.3)}
    assert teaches(last, []).beside == {"A2": pytest.approx(0.05), **left}
    # and not by a version that never looked back
    run.settings = {"probing": {"ask_others": False}}
    run.save()
    assert left_behind(run, gaps_of(run)).keys() == {"A1", "A2", "K"}


def test_what_left_the_plan_is_rehearsed_where_it_was_taught_beside(run):
    left = SkillFactory(run=run, key="L")
    stage = run.stages.get(position=1)
    ScoreFactory(
        skill=left, checkpoint=run.checkpoints.get(stage=stage), split="diagnose", mean=0.97
    )
    snapshot = SnapshotFactory(stage=stage)
    for position, key in enumerate(("L", "A1", "A3")):
        item = ItemFactory(stage=stage, skill=run.skills.get(key=key), approved=True)
        SnapshotItem.objects.create(snapshot=snapshot, item=item, version=1, position=position)

    pool = rehearsal_pool(run.stages.get(position=2), [])

    assert {item.skill.key for item in pool} == {"A1", "L"}  # A3 waits: it has a stage to come


def test_what_was_rolled_back_is_rehearsed_no_more(run):
    stage = run.stages.get(position=1)
    for number in (0, 1):
        snapshot = SnapshotFactory(stage=stage, round=number)
        item = ItemFactory(stage=stage, round=number, approved=True)
        SnapshotItem.objects.create(snapshot=snapshot, item=item, version=1, position=0)
    stage.round = stage.first_round = 1
    stage.save()

    pool = rehearsal_pool(run.stages.get(position=2), [])

    assert [each.round for each in pool] == [1]


def test_the_mark_of_what_left_the_plan_is_not_from_a_student_that_was_given_up(run):
    left = SkillFactory(run=run, key="L")
    stage = run.stages.get(position=1)
    good = run.checkpoints.get(stage=stage)
    bad = CheckpointFactory(run=run, stage=stage, round=1, parent=good, is_current=False)
    ScoreFactory(skill=left, checkpoint=good, split="diagnose", mean=0.97)
    ScoreFactory(skill=left, checkpoint=bad, split="diagnose", mean=0.6)

    assert mastered_so_far(run)["L"].mean == 0.97
