from __future__ import annotations

import pytest

from curriculum.errors import (
    BudgetSpent,
    NothingApproved,
    Overtaken,
    RunOver,
    StageNotReady,
    UnreviewedItems,
    WrongMoment,
)
from curriculum.models import (
    AuditEntry,
    Item,
    Job,
    Snapshot,
    Stage,
    StageSkill,
)
from curriculum.services import stages
from curriculum.states import JobKind, StageStatus
from tests.factories import (
    CheckpointFactory,
    GateFactory,
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

    with pytest.raises(BudgetSpent, match="3,000 of 3,000 items"):
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
    with pytest.raises(Overtaken, match="has just been changed"):  # by a page loaded since
        stages.train(stage, actor=approver, round=0)

    assert Job.objects.count() == Snapshot.objects.count() == 1


def test_a_remedy_rehearses_what_sits_in_its_own_stage(approver):
    stage = StageFactory(reviewing=True, round=1, skills=["A", "B"])
    trained = {
        key: ItemFactory(stage=stage, round=0, approved=True, skill=stage.run.skills.get(key=key))
        for key in "AB"
    }
    before = SnapshotFactory(stage=stage, round=0, n_items=2)
    for place, item in enumerate(trained.values()):
        before.entries.create(item=item, version=item.version, position=place)
    said = evidence(stage)
    said["stage"][1] |= {"answer": "not_yet", "ratio": 0.4}
    GateFactory(stage=stage, round=0, evidence=said)
    new = [
        ItemFactory(stage=stage, round=1, approved=True, skill=trained["B"].skill, key=f"n{i}")
        for i in range(3)
    ]

    stages.train(stage, actor=approver, round=1)

    frozen = stage.snapshots.get(round=1).entries
    assert frozen.count() == 4
    assert frozen.get(is_rehearsal=True).item == trained["A"]
    assert {e.item for e in frozen.filter(is_rehearsal=False)} == set(new)


@pytest.mark.parametrize("outcome", ["mastered", "waived", "forgotten"])
def test_a_later_stage_rehearses_what_settled_ones_have_taught(approver, outcome):
    earlier = StageFactory(mastered=True, skills=["A"])
    earlier.stage_skills.update(outcome=outcome)
    taught = ItemFactory(
        stage=earlier, approved=True, skill=earlier.run.skills.get(key="A"), key="old"
    )
    SnapshotFactory(stage=earlier, round=0, n_items=1).entries.create(
        item=taught, version=1, position=0
    )
    stage = StageFactory(run=earlier.run, reviewing=True, skills=["B"])
    skill = stage.run.skills.get(key="B")
    for i in range(3):
        ItemFactory(stage=stage, approved=True, skill=skill, key=f"n{i}")

    stages.train(stage, actor=approver, round=0)

    assert stage.snapshots.get().entries.get(is_rehearsal=True).item == taught
