from __future__ import annotations

import pytest

from curriculum.errors import (
    BudgetSpent,
    CapReached,
    GateRefused,
    Overtaken,
    ReasonRequired,
    RunOver,
)
from curriculum.models import AuditEntry, Checkpoint, GateRecord, Job, Run, Stage, StageSkill
from curriculum.services import audit, gates
from curriculum.states import JobKind, RunStatus, SkillOutcome, StageStatus
from tests.factories import CheckpointFactory, GateFactory, SnapshotFactory, StageFactory, evidence

pytestmark = pytest.mark.django_db
ALL = [gates.advance, gates.remedy, gates.waive, gates.roll_back]


def decide(service, gate, actor, **changes):
    return service(gate, actor=actor, **{"round": gate.round, "reason": "I looked", **changes})


def test_advancing_says_who_let_it_pass_and_on_what_evidence(approver):
    gate = GateFactory(mastered=True)

    stage = gates.advance(gate, actor=approver, round=0, reason="solid")

    assert stage.status == StageStatus.MASTERED
    assert StageSkill.objects.get().outcome == SkillOutcome.MASTERED
    assert (gate.decision, gate.decided_by, gate.decided_as) == (
        "advance",
        approver.user,
        "person",
    )
    assert gate.decided_at is not None
    entry = AuditEntry.objects.get(action="stage.mastered")
    assert (entry.evidence, entry.note) == (gate.evidence, "solid")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"answer": SkillOutcome.NOT_YET}, "not mastered: A1"),
        ({"answer": SkillOutcome.UNCLEAR}, "not mastered: A1"),
        ({"answer": SkillOutcome.MASTERED, "retention": {"A0": "forgotten"}}, "forgotten: A0"),
    ],
)
def test_nobody_advances_against_the_evidence(approver, found, words):
    stage = StageFactory(deciding=True, skills=["A1"])
    gate = GateFactory(stage=stage, evidence=evidence(stage, **found))

    with pytest.raises(GateRefused, match=words):
        gates.advance(gate, actor=approver, round=0, reason="I insist")

    assert Stage.objects.get().status == StageStatus.DECIDING
    assert GateRecord.objects.get().decision == ""
    assert not AuditEntry.objects.exists()


def test_after_the_last_stage_the_report_is_queued(approver):
    gate = GateFactory(mastered=True)
    StageFactory(run=gate.stage.run, waived=True)

    gates.advance(gate, actor=approver, round=0)

    assert Job.objects.get().kind == JobKind.REPORT
    assert Run.objects.get().status == RunStatus.TEACHING


def test_after_another_stage_a_person_opens_the_next(approver):
    gate = GateFactory(mastered=True)
    StageFactory(run=gate.stage.run)

    gates.advance(gate, actor=approver, round=0)

    assert not Job.objects.exists()
    assert Stage.objects.get(position=2).status == StageStatus.PLANNED


def test_a_remedy_writes_items_for_the_next_round(approver):
    gate = GateFactory()

    stage = gates.remedy(gate, actor=approver, round=0, reason="borrows needlessly")

    job = Job.objects.get()
    assert (stage.status, stage.round) == (StageStatus.WRITING, 1)
    assert (job.kind, job.stage, job.round) == (JobKind.WRITE, stage, 1)
    entry = AuditEntry.objects.get(action="stage.writing")
    assert (entry.was["round"], entry.became["round"]) == (0, 1)
    assert gate.decision == "remedy"


def test_a_stage_that_is_mastered_may_still_be_remedied(approver):
    assert gates.remedy(GateFactory(mastered=True), actor=approver, round=0).round == 1


@pytest.mark.parametrize(("round", "first_round"), [(4, 0), (6, 2)])
def test_after_the_last_round_a_person_has_to_choose(approver, round, first_round):
    gate = GateFactory(stage__round=round, stage__first_round=first_round)

    with pytest.raises(CapReached, match="has had its 5 rounds. Waive it"):
        gates.remedy(gate, actor=approver, round=round)

    assert Stage.objects.get().status == StageStatus.DECIDING


@pytest.mark.parametrize(("round", "first_round"), [(3, 0), (5, 2)])
def test_rounds_before_the_cap_are_remedied(approver, round, first_round):
    gate = GateFactory(stage__round=round, stage__first_round=first_round)

    assert gates.remedy(gate, actor=approver, round=round).round == round + 1


def test_no_round_is_begun_on_a_spent_budget(approver):
    gate = GateFactory()
    SnapshotFactory(stage=gate.stage, n_items=3000)

    with pytest.raises(BudgetSpent):
        gates.remedy(gate, actor=approver, round=0)

    assert Stage.objects.get().status == StageStatus.DECIDING


def test_waiving_is_shown_for_ever_after(approver):
    stage = StageFactory(deciding=True, skills=["A1", "A2"])
    stage.stage_skills.filter(skill__key="A1").update(outcome=SkillOutcome.MASTERED)

    gates.waive(GateFactory(stage=stage), actor=approver, round=0, reason="term ends")

    stage.refresh_from_db()
    assert stage.status == StageStatus.WAIVED
    outcomes = dict(StageSkill.objects.values_list("skill__key", "outcome"))
    assert outcomes == {"A1": "mastered", "A2": "waived"}
    assert AuditEntry.objects.get(action="stage.waived").note == "term ends"
    assert Job.objects.get().kind == JobKind.REPORT


@pytest.mark.parametrize("service", [gates.waive, gates.roll_back])
@pytest.mark.parametrize("reason", ["", " \n"])
def test_what_overrides_the_evidence_says_why(approver, service, reason):
    with pytest.raises(ReasonRequired):
        decide(service, GateFactory(), approver, reason=reason)

    assert not AuditEntry.objects.exists()


def test_rolling_back_gives_up_what_the_stage_did(approver):
    stage = StageFactory(deciding=True)
    base = CheckpointFactory(run=stage.run, is_current=False)
    CheckpointFactory(run=stage.run, parent=base, stage=stage)
    Stage.objects.update(started_from=base)
    stage.refresh_from_db()
    gate = GateFactory(stage=stage)

    stage = gates.roll_back(gate, actor=approver, round=0, reason="worse than before")

    assert (stage.status, stage.round, gate.decision) == (StageStatus.PLANNED, 1, "roll_back")
    assert Checkpoint.objects.get(is_current=True) == base


@pytest.mark.parametrize("service", ALL)
def test_a_decision_is_for_the_round_that_was_seen(approver, service):
    gate = GateFactory(mastered=True, stage__round=1)

    with pytest.raises(Overtaken):
        decide(service, gate, approver, round=0)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("service", ALL)
def test_the_gate_of_an_earlier_round_is_closed(approver, service):
    gate = GateFactory(mastered=True)
    Stage.objects.update(round=1)
    gate = GateRecord.objects.get()

    with pytest.raises(Overtaken, match="the stage is in round 1 by now"):
        decide(service, gate, approver)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (gates.advance, "let it pass"),
        (gates.remedy, "wants another round"),
        (gates.waive, "waived it"),
        (gates.roll_back, "rolled it back"),
    ],
)
def test_who_comes_too_late_is_told_what_was_decided_and_by_whom(approver, first, words):
    gate = GateFactory(mastered=True)
    decide(first, gate, approver)

    with pytest.raises(Overtaken, match=f"{approver.user.get_full_name()} {words}. Look again"):
        decide(gates.advance, GateRecord.objects.get(), approver)


@pytest.mark.parametrize("first", ALL)
@pytest.mark.parametrize("second", ALL)
def test_of_two_decisions_on_one_gate_the_second_is_refused(approver, first, second):
    gate = GateFactory(mastered=True)
    other = GateRecord.objects.select_related("stage__run").get()
    decide(first, gate, approver)
    entries = AuditEntry.objects.count()

    for seen in (other, GateRecord.objects.get()):
        with pytest.raises(Overtaken):
            decide(second, seen, approver)

    assert AuditEntry.objects.count() == entries
    assert audit.verify(Run.objects.get())[0] == entries


@pytest.mark.parametrize("service", ALL)
def test_nothing_is_decided_in_a_run_that_is_over(approver, service):
    gate = GateFactory(mastered=True)
    Run.objects.update(status=RunStatus.STOPPED)
    gate = GateRecord.objects.get()

    with pytest.raises(RunOver):
        decide(service, gate, approver)


# --- whose student goes on -----------------------------------------------------------------------


@pytest.fixture
def worse(approver):
    """A gate whose round lost a skill of its own and one of before that the round before had."""
    stage = StageFactory(deciding=True, skills=["A2"], round=1)
    before = StageFactory(run=stage.run, skills=["A1"], status=StageStatus.MASTERED)
    before.stage_skills.update(outcome=SkillOutcome.FORGOTTEN)
    base = CheckpointFactory(run=stage.run, is_current=False)
    trained = {"run": stage.run, "stage": stage, "parent": base}
    good = GateFactory(
        stage=stage,
        round=0,
        checkpoint=CheckpointFactory(**trained, round=0, is_current=False),
        evidence=evidence(stage, SkillOutcome.MASTERED, retention={"A1": "kept"}),
        decision="remedy",
    )
    bad = GateFactory(
        stage=stage,
        checkpoint=CheckpointFactory(**trained, round=1),
        evidence=evidence(stage, SkillOutcome.NOT_YET, retention={"A1": "forgotten"}),
    )
    return good, bad


@pytest.mark.parametrize("service", [gates.remedy, gates.waive])
def test_what_lost_more_than_it_taught_is_given_up_and_the_student_before_it_goes_on(
    approver, worse, service
):
    good, bad = worse

    decide(service, bad, approver)

    bad.refresh_from_db()
    assert bad.stands_on == good
    assert Checkpoint.objects.get(is_current=True) == good.checkpoint
    assert StageSkill.objects.get(skill__key="A2").outcome == SkillOutcome.MASTERED
    assert StageSkill.objects.get(skill__key="A1").outcome == SkillOutcome.MASTERED
    entry = AuditEntry.objects.exclude(evidence__goes_on_from=None).get()
    assert entry.evidence["goes_on_from"] == {"round": 0, "checkpoint": good.checkpoint_id}


@pytest.mark.parametrize("service", [gates.remedy, gates.waive])
def test_the_last_student_goes_on_where_it_stands_no_worse(approver, service):
    gate = GateFactory()
    student = Checkpoint.objects.get(pk=gate.checkpoint_id)

    decide(service, gate, approver)

    gate.refresh_from_db()
    student.refresh_from_db()
    assert gate.stands_on is None
    assert not Checkpoint.objects.filter(is_current=True).exclude(pk=student.pk).exists()
    assert not AuditEntry.objects.exclude(evidence__goes_on_from=None).exists()
