from __future__ import annotations

import pytest

from curriculum.models import (
    Assignment,
    AuditEntry,
    Checkpoint,
    GateRecord,
    Item,
    Job,
    Review,
    Run,
    Snapshot,
    Stage,
)
from curriculum.services import audit, deciding, gates, items, jobs, policy, runs, stages, undoing
from curriculum.states import (
    ActorKind,
    Autonomy,
    JobKind,
    JobStatus,
    RunStatus,
    SkillOutcome,
    StageStatus,
    Verdict,
)
from tests.factories import (
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    ReviewerFactory,
    RunFactory,
    SnapshotFactory,
    StageFactory,
    diagnosed_run,
    evidence,
)

pytestmark = pytest.mark.django_db
ONLY_GATES, NONE = Autonomy.ONLY_GATES, Autonomy.NONE


def reviewed_stage(autonomy, **traits):
    stage = StageFactory(run__autonomy=autonomy, reviewing=True, **traits)
    ItemFactory(stage=stage)
    return stage


def rules():
    entries = AuditEntry.objects.filter(actor_kind=ActorKind.POLICY).exclude(action="job.queued")
    return [(entry.action, entry.actor_name) for entry in entries.order_by("sequence")]


# --- every gate: people ------------------------------------------------------------------


def test_where_people_decide_everything_policy_decides_nothing():
    run = diagnosed_run()
    reviewed_stage(Autonomy.EVERY_GATE)
    GateFactory(mastered=True)
    StageFactory()

    for each in Run.objects.all():
        policy.act(each)

    assert run.status == RunStatus.REVIEWING_DIAGNOSIS
    assert not AuditEntry.objects.exists()


# --- only gates --------------------------------------------------------------------------


def test_clean_items_approve_themselves_and_training_starts():
    stage = reviewed_stage(ONLY_GATES)

    policy.act(stage.run)

    assert Item.objects.get().verdict == Verdict.APPROVED
    assert Review.objects.get().reviewed_as == ActorKind.POLICY
    assert Stage.objects.get().status == StageStatus.TRAINING
    assert rules() == [
        ("items.approved", "only gates: clean items"),
        ("stage.training", "only gates: train"),
        ("stage.frozen", "only gates: train"),
    ]


def test_flagged_items_wait_for_people():
    stage = reviewed_stage(ONLY_GATES)
    flagged = ItemFactory(stage=stage, flagged=True)

    policy.act(stage.run)

    assert Item.objects.get(verdict=Verdict.WAITING) == flagged
    assert Stage.objects.get().status == StageStatus.REVIEWING
    assert not Job.objects.exists()


def test_the_last_verdict_of_a_person_starts_no_training_and_can_be_taken_back(approver):
    stage = reviewed_stage(ONLY_GATES)
    flagged = ItemFactory(stage=stage, flagged=True)
    policy.act(stage.run)

    items.reject(flagged, actor=approver, version=1, reason="by mistake")
    undoing.undo(undoing.last_action(stage, 0, approver.user), actor=approver)

    flagged.refresh_from_db()
    assert flagged.verdict == Verdict.WAITING
    assert Stage.objects.get().status == StageStatus.REVIEWING
    assert not Job.objects.exists()


def test_what_several_people_look_at_is_left_to_them():
    stage = reviewed_stage(ONLY_GATES)
    for _ in range(2):
        Assignment.objects.create(item=stage.items.get(), reviewer=ReviewerFactory())

    policy.act(stage.run)

    assert Item.objects.get().verdict == Verdict.WAITING
    assert Stage.objects.get().status == StageStatus.REVIEWING


def test_a_verdict_that_a_person_took_back_is_not_given_again(approver):
    stage = StageFactory(run__autonomy=ONLY_GATES, reviewing=True)
    item, _ = ItemFactory(stage=stage), ItemFactory(stage=stage, flagged=True)
    policy.act(stage.run)
    item.refresh_from_db()
    assert item.verdict == Verdict.APPROVED

    items.undo(item, actor=approver, version=1)
    policy.act(stage.run)

    item.refresh_from_db()
    assert item.verdict == Verdict.WAITING


def test_people_sign_and_decide_at_gates():
    diagnosed_run(autonomy=ONLY_GATES)
    RunFactory(autonomy=ONLY_GATES, reviewing_curriculum=True)
    GateFactory(mastered=True, stage__run__autonomy=ONLY_GATES)

    for run in Run.objects.all():
        policy.act(run)

    assert not AuditEntry.objects.exists()


def test_after_a_person_has_signed_the_first_stage_opens(approver):
    run = RunFactory(autonomy=ONLY_GATES, reviewing_curriculum=True)
    StageFactory(run=run)

    runs.sign_curriculum(run, actor=approver)

    assert Stage.objects.get().status == StageStatus.WRITING
    assert rules() == [("stage.writing", "only gates: next stage")]


@pytest.mark.parametrize("decision", [gates.advance, gates.waive])
def test_after_a_person_has_decided_the_next_stage_opens(approver, decision):
    gate = GateFactory(mastered=True, stage__run__autonomy=ONLY_GATES)
    following = StageFactory(run=gate.stage.run)

    decision(gate, actor=approver, round=0, reason="I looked")

    following.refresh_from_db()
    assert following.status == StageStatus.WRITING


def test_a_stage_a_person_rolled_back_waits_for_a_person(approver):
    stage = reviewed_stage(ONLY_GATES)

    gates.start_over(stage, actor=approver, round=0, reason="nonsense")

    assert Stage.objects.get().status == StageStatus.PLANNED


# --- none: autopilot ---------------------------------------------------------------------


def test_autopilot_signs_and_opens_the_first_stage(worker):
    run = diagnosed_run(autonomy=NONE)

    policy.act(run)

    assert Run.objects.get().status == RunStatus.TEACHING
    assert Stage.objects.get(position=1).status == StageStatus.WRITING
    assert rules() == [
        ("run.reviewing_curriculum", "autopilot: diagnosis"),
        ("run.teaching", "autopilot: curriculum"),
        ("stage.writing", "autopilot: next stage"),
    ]


def test_autopilot_rejects_what_failed_a_check_and_says_which():
    stage = reviewed_stage(NONE)
    flagged = ItemFactory(stage=stage, flagged=True)
    leak = ItemFactory(stage=stage, leak=True)

    policy.act(stage.run)

    assert set(Item.objects.filter(verdict=Verdict.REJECTED)) == {flagged, leak}
    assert Review.objects.get(item=flagged).reason == "failed check: answer"
    assert Snapshot.objects.get().n_items == 1
    assert ("items.rejected", "autopilot: flagged items") in rules()


def test_where_no_item_passes_autopilot_leaves_everything_to_a_person():
    stage = StageFactory(run__autonomy=NONE, reviewing=True)
    ItemFactory(stage=stage, flagged=True)

    policy.act(stage.run)

    assert Stage.objects.get().status == StageStatus.REVIEWING
    assert Item.objects.get().verdict == Verdict.WAITING
    assert not AuditEntry.objects.exists()


def test_autopilot_advances_when_the_evidence_allows_it():
    gate = GateFactory(mastered=True, stage__run__autonomy=NONE)

    policy.act(gate.stage.run)

    gate.refresh_from_db()
    assert (gate.decision, gate.decided_as, gate.decided_by) == ("advance", "policy", None)
    assert Job.objects.get().kind == JobKind.REPORT


@pytest.mark.parametrize("is_at_gate", [True, False])
def test_autopilot_begins_again_what_a_person_rolled_back(approver, is_at_gate):
    if is_at_gate:
        gate = GateFactory(stage__run__autonomy=NONE)
        stage = gates.roll_back(gate, actor=approver, round=0, reason="nonsense")
    else:
        stage = reviewed_stage(NONE)
        stage = gates.start_over(stage, actor=approver, round=0, reason="nonsense")

    assert (stage.status, stage.round, stage.first_round) == (StageStatus.WRITING, 1, 1)
    assert Job.objects.get().kind == JobKind.WRITE
    assert rules() == [("stage.writing", "autopilot: next stage")]


def test_autopilot_remedies_what_is_not_mastered():
    gate = GateFactory(stage__run__autonomy=NONE)

    policy.act(gate.stage.run)

    stage = Stage.objects.get()
    assert (stage.status, stage.round) == (StageStatus.WRITING, 1)
    assert rules() == [("stage.writing", "autopilot: remedy")]


def after_a_remedy(before, now):
    stage = StageFactory(run__autonomy=NONE, deciding=True, round=1, skills=["N1"])
    for round_, ratio in ((0, before), (1, now)):
        found = evidence(stage, "not_yet")
        found["stage"][0]["ratio"] = ratio
        decision = "remedy" if round_ == 0 else ""
        gate = GateFactory(stage=stage, round=round_, evidence=found, decision=decision)
    return gate


def test_a_remedy_that_raised_nothing_is_the_last_while_other_stages_wait():
    gate = after_a_remedy(0.66, 0.69)
    StageFactory(run=gate.stage.run)

    policy.act(gate.stage.run)

    entry = AuditEntry.objects.get(action="stage.waived")
    assert entry.note == (
        "The last round changed the ratios it was for by +0.03 in the mean, less than +0.05: what "
        "is left of the budget goes to the stages that wait."
    )
    assert entry.actor_name == "autopilot: waive"


@pytest.mark.parametrize(
    ("now", "others"), [(0.72, True), (0.60, False)], ids=["it rose", "none waits"]
)
def test_a_remedy_that_helped_or_that_nothing_waits_for_is_followed_by_another(now, others):
    gate = after_a_remedy(0.66, now)
    if others:
        StageFactory(run=gate.stage.run)

    policy.act(gate.stage.run)

    assert Stage.objects.get(pk=gate.stage_id).round == 2


def test_at_the_cap_autopilot_waives_and_says_so():
    gate = GateFactory(stage__run__autonomy=NONE, stage__round=4)

    policy.act(gate.stage.run)

    entry = AuditEntry.objects.get(action="stage.waived")
    assert entry.actor_name == "autopilot: waive"
    assert "has had its 5 rounds" in entry.note


def test_on_a_spent_budget_autopilot_waives_and_concludes():
    gate = GateFactory(stage__run__autonomy=NONE)
    SnapshotFactory(stage=gate.stage, n_items=3000)
    left = StageFactory(run=gate.stage.run)

    policy.act(gate.stage.run)

    left.refresh_from_db()
    assert left.status == StageStatus.PLANNED
    assert Job.objects.get().kind == JobKind.REPORT
    assert "budget is spent" in AuditEntry.objects.get(action="stage.waived").note
    assert "budget is spent" in AuditEntry.objects.get(action="run.concluded").note


@pytest.mark.parametrize(
    "stage", ["writing", "training", "assessing"], ids=lambda status: f"while {status}"
)
def test_policy_waits_for_the_worker(stage):
    run = StageFactory(run__autonomy=NONE, status=stage).run

    policy.act(run)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("status", ["draft", "diagnosing", "finished", "stopped"])
def test_policy_starts_nothing_by_itself(status):
    policy.act(RunFactory(autonomy=NONE, status=status))

    assert not AuditEntry.objects.exists()


def test_asking_policy_twice_decides_once():
    gate = GateFactory(mastered=True, stage__run__autonomy=NONE)
    run = gate.stage.run

    policy.act(run)
    entries = AuditEntry.objects.count()
    policy.act(run)

    assert AuditEntry.objects.count() == entries
    assert Job.objects.count() == 1


def test_switching_to_autopilot_decides_what_waits(approver):
    stage = reviewed_stage(Autonomy.EVERY_GATE)

    deciding.set_autonomy(stage.run, actor=approver, autonomy=NONE)

    assert Stage.objects.get().status == StageStatus.TRAINING


def finish(stage, kind):
    """What the worker would do at the end of the stage's job of that kind."""
    job = Job.objects.get(stage=stage, round=stage.round, kind=kind)
    jobs.succeed(jobs.start(job.pk, job.attempt))
    stage.refresh_from_db()
    policy.act(stage.run)
    stage.refresh_from_db()


def test_autopilot_takes_a_run_through_a_remedy_to_the_report(worker):
    run = RunFactory(teaching=True, autonomy=NONE)
    base = CheckpointFactory(run=run)
    stage = StageFactory(run=run, skills=["A1"])
    policy.act(run)

    for round, answer in enumerate([SkillOutcome.NOT_YET, SkillOutcome.MASTERED]):
        stage.refresh_from_db()
        ItemFactory(stage=stage)
        stages.submit(stage, actor=worker)
        finish(stage, JobKind.WRITE)
        made = CheckpointFactory(run=run, parent=base, stage=stage, round=round, is_current=False)
        stages.trained(stage, actor=worker, checkpoint=made)
        finish(stage, JobKind.TRAIN)
        stages.assessed(stage, actor=worker, evidence=evidence(stage, answer))
        finish(stage, JobKind.ASSESS)

    run.refresh_from_db()
    runs.finish(run, actor=worker, report={"retained": 1.0})
    stage.refresh_from_db()
    assert stage.status == StageStatus.MASTERED
    assert [gate.decision for gate in GateRecord.objects.all()] == ["remedy", "advance"]
    assert Checkpoint.objects.get(is_current=True).round == 1
    assert audit.verify(run)[0] == AuditEntry.objects.count()
    people = AuditEntry.objects.filter(actor_kind=ActorKind.PERSON)
    assert not people.exists()


def test_the_end_of_work_aside_starts_no_training_of_what_people_judged(approver):
    stage = reviewed_stage(ONLY_GATES)

    policy.act(stage.run, is_aside=True)

    assert Item.objects.get().verdict == Verdict.WAITING
    assert Stage.objects.get().status == StageStatus.REVIEWING


def test_a_diagnosis_is_signed_beside_a_trial_that_changes_nothing_of_it():
    run = diagnosed_run(autonomy=NONE)
    JobFactory(run=run, kind=JobKind.EXAMPLES)

    policy.act(run)

    run.refresh_from_db()
    assert run.status != RunStatus.REVIEWING_DIAGNOSIS


def test_a_diagnosis_waits_for_what_changes_it():
    run = diagnosed_run(autonomy=NONE)
    JobFactory(run=run, kind=JobKind.PROBE)

    policy.act(run)

    run.refresh_from_db()
    assert run.status == RunStatus.REVIEWING_DIAGNOSIS


def test_when_a_run_ends_work_aside_is_cancelled_before():
    run = RunFactory(teaching=True)
    aside = JobFactory(run=run, kind=JobKind.EXAMPLES)
    report = JobFactory(run=run, kind=JobKind.REPORT, running=True)

    runs.finish(run, actor=audit.Actor.worker(), report={"skills": []})

    aside.refresh_from_db()
    report.refresh_from_db()
    assert (aside.status, report.status) == (JobStatus.CANCELLED, JobStatus.RUNNING)
    assert AuditEntry.objects.order_by("-sequence").first().action == "run.finished"
