"""From the training of a stage to its gate, and back to the start of it."""

from __future__ import annotations

import pytest

from curriculum.errors import (
    MoveRefused,
    Overtaken,
    ReasonRequired,
    StillAtWork,
    WrongMoment,
)
from curriculum.models import (
    AuditEntry,
    Checkpoint,
    GateRecord,
    Item,
    Job,
    Stage,
    StageSkill,
)
from curriculum.services import audit, stages
from curriculum.states import JobKind, SkillOutcome, SkillStatus, StageStatus
from tests.factories import (
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    StageFactory,
    evidence,
)

pytestmark = pytest.mark.django_db


def actions():
    return list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))


# --- trained and assessed ----------------------------------------------------------------


def trained_checkpoint(stage, **changes):
    base = Checkpoint.objects.filter(run=stage.run, parent=None).first()
    return CheckpointFactory(
        run=stage.run,
        parent=base or CheckpointFactory(run=stage.run),
        stage=stage,
        round=stage.round,
        is_current=False,
        content_hash="abc",
        **changes,
    )


def test_a_finished_training_makes_the_student_current(worker):
    stage = StageFactory(training=True)
    checkpoint = trained_checkpoint(stage, train_tokens=900, final_loss=0.2)

    stages.trained(stage, actor=worker, checkpoint=checkpoint)

    assert Checkpoint.objects.get(is_current=True) == checkpoint
    assert Job.objects.get().kind == JobKind.ASSESS
    assert AuditEntry.objects.get(action="stage.assessing").evidence["train_tokens"] == 900


def test_an_assessment_opens_the_gate(worker):
    stage = StageFactory(assessing=True, skills=["A1", "A2"])
    current = CheckpointFactory(run=stage.run)
    found = evidence(stage, SkillOutcome.MASTERED)
    found["stage"][1]["answer"] = "unclear"

    stages.assessed(stage, actor=worker, evidence=found)

    gate = GateRecord.objects.get()
    assert (gate.round, gate.checkpoint, gate.allows_advance) == (0, current, False)
    assert gate.evidence == found
    outcomes = dict(StageSkill.objects.values_list("skill__key", "outcome"))
    assert outcomes == {"A1": "mastered", "A2": "unclear"}
    assert AuditEntry.objects.get().evidence == found


@pytest.mark.parametrize(
    ("answers", "retention", "allowed"),
    [
        (["mastered", "mastered"], {}, True),
        (["mastered", "mastered"], {"A0": "kept"}, True),
        (["mastered", "mastered"], {"A0": "unclear"}, True),
        (["mastered", "mastered"], {"A0": "forgotten"}, False),
        (["mastered", "not_yet"], {}, False),
        (["mastered", "unclear"], {}, False),
        (["mastered"], {}, False),  # the other was not measured
        ([], {}, False),
    ],
)
def test_only_full_evidence_allows_to_advance(worker, answers, retention, allowed):
    stage = StageFactory(assessing=True, skills=["A1", "A2"])
    CheckpointFactory(run=stage.run)
    found = evidence(stage, retention=retention)
    found["stage"] = [
        {**row, "answer": answer} for row, answer in zip(found["stage"], answers, strict=False)
    ]

    stages.assessed(stage, actor=worker, evidence=found)

    assert GateRecord.objects.get().allows_advance is allowed


@pytest.mark.parametrize("is_measured", [False, True])
def test_a_retired_skill_does_not_hold_the_gate_shut(worker, is_measured):
    stage = StageFactory(assessing=True, skills=["A1", "A2"])
    CheckpointFactory(run=stage.run)
    stage.run.skills.filter(key="A2").update(status=SkillStatus.RETIRED)
    found = evidence(stage)
    first, other = found["stage"]
    found["stage"] = [first, *([other | {"answer": "not_yet"}] if is_measured else [])]

    stages.assessed(stage, actor=worker, evidence=found)

    assert GateRecord.objects.get().allows_advance


def test_what_was_forgotten_is_written_on_its_stage_and_comes_back(worker):
    first = StageFactory(mastered=True, skills=["A1"])
    first.stage_skills.update(outcome=SkillOutcome.MASTERED)
    stage = StageFactory(run=first.run, assessing=True, skills=["A2"])
    CheckpointFactory(run=stage.run)

    stages.assessed(stage, actor=worker, evidence=evidence(stage, retention={"A1": "forgotten"}))
    assert first.stage_skills.get().outcome == SkillOutcome.FORGOTTEN

    Stage.objects.filter(pk=stage.pk).update(status=StageStatus.ASSESSING, round=1)
    stage.refresh_from_db()
    stages.assessed(stage, actor=worker, evidence=evidence(stage, retention={"A1": "kept"}))
    assert first.stage_skills.get().outcome == SkillOutcome.MASTERED


# --- roll back ---------------------------------------------------------------------------


def test_a_stage_at_its_gate_is_rolled_back_there(approver):
    gate = GateFactory()

    with pytest.raises(WrongMoment, match="only while the gate is not open"):
        stages.roll_back(gate.stage, actor=approver, round=0, reason="nonsense")

    gate.stage.refresh_from_db()
    assert gate.stage.status == StageStatus.DECIDING
    assert not AuditEntry.objects.exists()


def test_rolling_back_gives_the_student_before_the_stage_back(approver):
    stage = StageFactory(status="reviewing", round=1)
    base = CheckpointFactory(run=stage.run, is_current=False)
    after = trained_checkpoint(stage)
    stages.make_current(after)
    Stage.objects.update(started_from=base)
    StageSkill.objects.update(outcome=SkillOutcome.NOT_YET)
    ItemFactory(stage=stage, approved=True)
    stage.refresh_from_db()

    stages.roll_back(stage, actor=approver, round=1, reason="it forgot how to add")

    assert (stage.status, stage.round, stage.first_round) == (StageStatus.PLANNED, 2, 2)
    assert Checkpoint.objects.get(is_current=True) == base
    assert StageSkill.objects.get().outcome == SkillOutcome.OPEN
    assert Item.objects.count() == 1
    assert AuditEntry.objects.get().note == "it forgot how to add"


def test_a_stage_that_was_rolled_back_opens_with_a_round_of_its_own(approver):
    stage = StageFactory(reviewing=True)
    base = CheckpointFactory(run=stage.run)
    ItemFactory(stage=stage)
    stages.roll_back(stage, actor=approver, round=0, reason="nonsense")

    stages.open(stage, actor=approver)

    assert (stage.round, stage.started_from) == (1, base)
    assert Job.objects.get().round == 1
    assert audit.verify(stage.run)[0] == 3


def test_rolling_back_needs_a_reason_and_the_round_that_was_seen(approver):
    stage = StageFactory(reviewing=True, round=1)

    with pytest.raises(ReasonRequired):
        stages.roll_back(stage, actor=approver, round=1, reason="")
    with pytest.raises(Overtaken):
        stages.roll_back(stage, actor=approver, round=0, reason="old page")


@pytest.mark.parametrize("status", ["planned", "mastered", "waived"])
def test_a_stage_that_has_not_begun_or_is_settled_is_not_rolled_back(approver, status):
    with pytest.raises(MoveRefused):
        stages.roll_back(StageFactory(status=status), actor=approver, round=0, reason="no")


@pytest.mark.parametrize(
    ("status", "kind"), [("writing", "write"), ("training", "train"), ("assessing", "assess")]
)
def test_a_stage_whose_work_has_ended_early_is_rolled_back_and_one_at_work_is_not(
    approver, status, kind
):
    stage = StageFactory(status=status)
    base = CheckpointFactory(run=stage.run)
    Stage.objects.update(started_from=base)
    stage.refresh_from_db()
    job = JobFactory(run=stage.run, stage=stage, kind=kind, running=True)

    with pytest.raises(StillAtWork):
        stages.roll_back(stage, actor=approver, round=0, reason="it fails every time")
    stage.refresh_from_db()
    assert stage.status == status

    Job.objects.filter(pk=job.pk).update(status="failed")
    stages.roll_back(stage, actor=approver, round=0, reason="it fails every time")
    assert (stage.status, stage.first_round) == ("planned", 1)
