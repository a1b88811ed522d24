from __future__ import annotations

import pytest

from curriculum.errors import (
    BudgetSpent,
    MoveRefused,
    NothingApproved,
    Overtaken,
    ReasonRequired,
    RunOver,
    StageNotReady,
    UnreviewedItems,
    WrongMoment,
)
from curriculum.models import (
    AuditEntry,
    Checkpoint,
    GateRecord,
    Item,
    Job,
    Snapshot,
    Stage,
    StageSkill,
)
from curriculum.services import audit, stages
from curriculum.states import JobKind, SkillOutcome, SkillStatus, StageStatus
from tests.factories import (
    CheckpointFactory,
    ItemFactory,
    JobFactory,
    PrerequisiteFactory,
    RunFactory,
    SkillFactory,
    SnapshotFactory,
    StageFactory,
    evidence,
)

pytestmark = pytest.mark.django_db


def actions():
    return list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))


# --- open --------------------------------------------------------------------------------


def test_opening_a_stage_queues_its_items_and_remembers_the_student(approver):
    stage = StageFactory()
    base = CheckpointFactory(run=stage.run)

    stages.open(stage, actor=approver)

    job = Job.objects.get()
    assert (stage.status, stage.started_from) == (StageStatus.WRITING, base)
    assert (job.kind, job.stage, job.round) == (JobKind.WRITE, stage, 0)
    assert Stage.objects.get().started_from == base
    assert actions() == ["stage.writing", "job.queued"]


@pytest.mark.parametrize("settled", ["mastered", "waived"])
def test_a_stage_opens_when_what_it_builds_on_is_settled(approver, settled):
    first = StageFactory(skills=["A1"])
    second = StageFactory(run=first.run, skills=["A2"])
    PrerequisiteFactory(
        run=first.run, source=SkillFactory._meta.model.objects.get(key="A1"), target=second_skill()
    )

    with pytest.raises(StageNotReady, match="builds on Stage 1: Lesson 1, which is not mastered"):
        stages.open(second, actor=approver)
    assert not AuditEntry.objects.exists()
    assert Stage.objects.get(pk=second.pk).status == StageStatus.PLANNED

    Stage.objects.filter(pk=first.pk).update(status=settled)
    second.refresh_from_db()
    assert stages.open(second, actor=approver).status == StageStatus.WRITING


def second_skill():
    return StageSkill.objects.get(stage__position=2).skill


def test_what_a_stage_builds_on_is_followed_through_skills_that_are_not_taught(approver):
    run = RunFactory(teaching=True)
    StageFactory(run=run, skills=["A1"])
    second = StageFactory(run=run, skills=["A3"])
    a1, a3 = run.skills.order_by("key")
    known = SkillFactory(run=run, key="A2")
    PrerequisiteFactory(run=run, source=a1, target=known)
    PrerequisiteFactory(run=run, source=known, target=a3)

    with pytest.raises(StageNotReady):
        stages.open(second, actor=approver)


def test_a_refused_edge_holds_nothing_back(approver):
    run = RunFactory(teaching=True)
    StageFactory(run=run, skills=["A1"])
    second = StageFactory(run=run, skills=["A2"])
    a1, a2 = run.skills.order_by("key")
    PrerequisiteFactory(run=run, source=a1, target=a2, is_active=False)

    assert stages.open(second, actor=approver).status == StageStatus.WRITING


def test_a_bridge_comes_before_its_full_stage(approver):
    run = RunFactory(teaching=True)
    StageFactory(run=run, skills=["A1"], is_bridge=True)
    full = StageFactory(run=run, skills=["A1"])

    with pytest.raises(StageNotReady):
        stages.open(full, actor=approver)


def test_a_student_learns_one_stage_at_a_time(approver):
    run = RunFactory(teaching=True)
    StageFactory(run=run, reviewing=True)
    second = StageFactory(run=run)

    with pytest.raises(StageNotReady, match="is in review: a student learns one stage at a time"):
        stages.open(second, actor=approver)


def test_a_stage_opens_only_while_the_run_teaches(approver):
    with pytest.raises(WrongMoment, match="only while the run is “teaching”"):
        stages.open(StageFactory(run=RunFactory(reviewing_curriculum=True)), actor=approver)
    with pytest.raises(RunOver):
        stages.open(StageFactory(run=RunFactory(stopped=True)), actor=approver)


def test_a_stage_does_not_open_on_a_spent_budget(approver):
    stage = StageFactory()
    SnapshotFactory(stage=StageFactory(run=stage.run, mastered=True), n_items=3000)

    with pytest.raises(BudgetSpent, match="3000 of 3000 items"):
        stages.open(stage, actor=approver)


def test_no_stage_opens_once_teaching_is_concluded(approver):
    stage = StageFactory()
    JobFactory(run=stage.run, kind=JobKind.REPORT)

    with pytest.raises(StageNotReady, match="Teaching is concluded"):
        stages.open(stage, actor=approver)


# --- review and train --------------------------------------------------------------------


def test_written_items_are_counted_when_they_go_to_review(worker):
    stage = StageFactory(writing=True)
    ItemFactory(stage=stage)
    ItemFactory(stage=stage, flagged=True)

    stages.submit(stage, actor=worker)

    assert stage.status == StageStatus.REVIEWING
    assert AuditEntry.objects.get().evidence == {"items": 2, "flagged": 1}


def test_training_freezes_what_was_approved(approver):
    stage = StageFactory(reviewing=True)
    kept = [ItemFactory(stage=stage, approved=True) for _ in range(3)]
    ItemFactory(stage=stage, rejected=True)

    stages.train(stage, actor=approver, round=0)

    snapshot = Snapshot.objects.get()
    assert stage.status == StageStatus.TRAINING
    assert (snapshot.n_items, snapshot.n_rehearsal) == (3, 0)
    assert set(Item.objects.filter(pk__in=snapshot.entries.values("item"))) == set(kept)
    assert [entry.position for entry in snapshot.entries.all()] == [0, 1, 2]
    assert Job.objects.get().kind == JobKind.TRAIN
    frozen = AuditEntry.objects.get(action="stage.frozen").evidence
    assert frozen["snapshot"] == snapshot.content_hash
    assert (frozen["items"], frozen["rejected"]) == (3, 1)
    assert actions() == ["stage.training", "stage.frozen", "job.queued"]


def same_words(**changes):
    """A stage in review with three items that read the same every time."""
    run = RunFactory(teaching=True, seed=changes.pop("seed", 0))
    stage = StageFactory(run=run, reviewing=True, skills=["A1"])
    for n in range(3):
        words = {"question": f"What is {n} + 1?", "key": f"k{n}", **changes}
        ItemFactory(stage=stage, approved=True, **words)
    return stage


def frozen_hash(stage, actor):
    stages.train(stage, actor=actor, round=0)
    return stage.snapshots.get().content_hash


def test_the_same_run_freezes_the_same_hash(approver):
    first = frozen_hash(same_words(), approver)

    assert len(first) == 64
    assert frozen_hash(same_words(), approver) == first


@pytest.mark.parametrize("changes", [{"solution": "Answer: 1"}, {"version": 2}])
def test_other_words_or_versions_freeze_another_hash(approver, changes):
    assert frozen_hash(same_words(), approver) != frozen_hash(same_words(**changes), approver)


def test_a_round_with_unreviewed_items_is_not_trained(approver):
    stage = StageFactory(reviewing=True)
    ItemFactory(stage=stage, approved=True)
    ItemFactory(stage=stage)

    with pytest.raises(UnreviewedItems, match="1 item has no verdict yet"):
        stages.train(stage, actor=approver, round=0)

    assert Stage.objects.get().status == StageStatus.REVIEWING
    assert not Snapshot.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("n", [0, 2])
def test_a_round_without_an_approved_item_is_not_trained(approver, n):
    stage = StageFactory(reviewing=True)
    for _ in range(n):
        ItemFactory(stage=stage, rejected=True)

    with pytest.raises(NothingApproved):
        stages.train(stage, actor=approver, round=0)

    assert Stage.objects.get().status == StageStatus.REVIEWING


def test_items_of_other_rounds_neither_hold_back_nor_get_in(approver):
    stage = StageFactory(reviewing=True, round=1)
    ItemFactory(stage=stage, round=0)
    ItemFactory(stage=stage, round=0, approved=True)
    mine = ItemFactory(stage=stage, approved=True)

    stages.train(stage, actor=approver, round=1)

    assert [entry.item for entry in Snapshot.objects.get().entries.all()] == [mine]


def test_training_another_round_than_the_one_seen_is_refused(approver):
    stage = StageFactory(reviewing=True, round=1)
    ItemFactory(stage=stage, approved=True)

    with pytest.raises(Overtaken):
        stages.train(stage, actor=approver, round=0)


def test_a_second_training_of_a_round_is_refused(approver):
    stage = StageFactory(reviewing=True)
    ItemFactory(stage=stage, approved=True)
    other = Stage.objects.get()
    stages.train(stage, actor=approver, round=0)

    with pytest.raises(Overtaken):
        stages.train(other, actor=approver, round=0)
    with pytest.raises(MoveRefused):
        stages.train(stage, actor=approver, round=0)

    assert Job.objects.count() == Snapshot.objects.count() == 1


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


def test_a_retired_skill_does_not_hold_the_gate_shut(worker):
    stage = StageFactory(assessing=True, skills=["A1", "A2"])
    CheckpointFactory(run=stage.run)
    stage.run.skills.filter(key="A2").update(status=SkillStatus.RETIRED)
    found = evidence(stage)
    found["stage"] = found["stage"][:1]

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


@pytest.mark.parametrize("status", ["reviewing", "deciding"])
def test_rolling_back_gives_the_student_before_the_stage_back(approver, status):
    stage = StageFactory(status=status, round=1)
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


@pytest.mark.parametrize("status", ["planned", "writing", "training", "assessing", "mastered"])
def test_a_stage_at_work_or_settled_is_not_rolled_back(approver, status):
    with pytest.raises(MoveRefused):
        stages.roll_back(StageFactory(status=status), actor=approver, round=0, reason="no")
