"""Who approved what a stage was trained on may not sign its gate, where a run has that rule."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from curriculum.errors import BadSettings, Overtaken, RunOver, SecondPersonNeeded
from curriculum.models import AuditEntry, GateRecord, Item, Run, Stage
from curriculum.services import (
    audit,
    deciding,
    exchange,
    gates,
    items,
    policy,
    runs,
    signers,
    stages,
)
from curriculum.services.audit import Actor
from curriculum.states import Autonomy, RunStatus, StageStatus
from tests.factories import (
    ApproverFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    ReviewerFactory,
    RunFactory,
    StageFactory,
    evidence,
)

pytestmark = pytest.mark.django_db
PASSES = [gates.advance, gates.waive]


@pytest.fixture
def other(db):
    return Actor.person(ApproverFactory(first_name="Carol", last_name="Second"))


def reviewing(**traits):
    stage = StageFactory(run__two_people=True, reviewing=True, skills=["A1"], **traits)
    CheckpointFactory(run=stage.run)
    return stage


def at_gate(stage):
    """The stage's round, as if it had been assessed: everything is mastered."""
    Stage.objects.filter(pk=stage.pk).update(status=StageStatus.DECIDING)
    stage = Stage.objects.get(pk=stage.pk)
    return GateFactory(stage=stage, mastered=True)


def trained_by(actor, *, approved_by=None):
    stage = reviewing()
    ItemFactory.create_batch(2, stage=stage)
    items.approve_all(stage, actor=approved_by or actor, round=0)
    return at_gate(stages.train(stage, actor=actor, round=0))


def sign(service, gate, actor):
    return service(gate, actor=actor, round=gate.round, reason="I looked")


@pytest.mark.parametrize("service", PASSES)
def test_who_approved_the_items_may_not_let_the_stage_pass(approver, other, service):
    gate = trained_by(approver)
    entries = AuditEntry.objects.count()

    with pytest.raises(SecondPersonNeeded) as refused:
        sign(service, gate, approver)

    assert str(refused.value) == (
        "You approved 2 items and started the training of this stage, so under the two-person "
        "rule somebody else has to sign. Carol Second may."
    )
    assert refused.value.http_status == 409
    assert Stage.objects.get().status == StageStatus.DECIDING
    assert GateRecord.objects.get().decision == ""
    assert AuditEntry.objects.count() == entries
    assert audit.verify(Run.objects.get())[0] == entries


@pytest.mark.parametrize("service", PASSES)
def test_somebody_else_may(approver, other, service):
    gate = trained_by(approver)

    assert sign(service, gate, other).is_settled
    assert gate.decided_by == other.user


@pytest.mark.parametrize("service", PASSES)
def test_without_the_rule_one_person_may_do_both(approver, service):
    gate = trained_by(approver)
    Run.objects.update(two_people=False)

    assert sign(service, GateRecord.objects.get(pk=gate.pk), approver).is_settled


@pytest.mark.parametrize("service", [gates.remedy, gates.roll_back])
def test_another_round_and_a_step_back_need_no_second_person(approver, service):
    gate = trained_by(approver)

    assert not sign(service, gate, approver).is_settled


def test_approving_one_item_is_enough(approver, other):
    stage = reviewing()
    one, two = ItemFactory.create_batch(2, stage=stage)
    items.approve(one, actor=approver, version=1)
    items.approve(two, actor=other, version=1)
    gate = at_gate(stages.train(stage, actor=other, round=0))

    with pytest.raises(SecondPersonNeeded, match=r"^You approved 1 item of this stage.*Nobody"):
        sign(gates.advance, gate, approver)


def test_starting_the_training_is_enough(approver, other):
    gate = trained_by(approver, approved_by=other)

    with pytest.raises(SecondPersonNeeded, match="^You started the training of this stage"):
        sign(gates.advance, gate, approver)


def test_changing_the_words_of_an_approved_item_is_enough(approver, other):
    stage = reviewing()
    item = ItemFactory(stage=stage)
    item = items.edit(
        item, actor=approver, version=1, question="What is 1 + 1?", solution="Answer: 2"
    )
    items.approve(item, actor=other, version=2)
    gate = at_gate(stages.train(stage, actor=other, round=0))

    with pytest.raises(SecondPersonNeeded, match="^You changed the words of 1 item of this"):
        sign(gates.advance, gate, approver)


def test_a_verdict_that_was_taken_back_or_was_a_rejection_bars_nobody(approver, other):
    stage = reviewing()
    undone, rejected, edited = ItemFactory.create_batch(3, stage=stage)
    items.undo(items.approve(undone, actor=approver, version=1), actor=approver, version=1)
    items.approve(Item.objects.get(pk=undone.pk), actor=other, version=1)
    items.reject(rejected, actor=approver, version=1, reason="no")
    items.edit(edited, actor=approver, version=1, question="What is 1 + 1?", solution="Answer: 2")
    items.reject(Item.objects.get(pk=edited.pk), actor=other, version=2, reason="no")
    gate = at_gate(stages.train(stage, actor=other, round=0))

    assert sign(gates.advance, gate, approver).is_settled


def test_every_round_since_the_stage_was_begun_counts_and_none_before(approver, other):
    stage = reviewing()
    ItemFactory(stage=stage)
    items.approve_all(stage, actor=approver, round=0)
    stages.train(stage, actor=approver, round=0)
    Stage.objects.update(round=1, status=StageStatus.REVIEWING)
    stage = Stage.objects.get()
    ItemFactory(stage=stage)
    items.approve_all(stage, actor=other, round=1)
    gate = at_gate(stages.train(stage, actor=other, round=1))

    with pytest.raises(SecondPersonNeeded):
        sign(gates.advance, gate, approver)

    Stage.objects.update(first_round=1)  # what the first round did was rolled back

    gate = GateRecord.objects.get(pk=gate.pk)
    assert sign(gates.advance, gate, approver).is_settled


def test_items_that_another_stage_rehearses_were_signed_at_its_own_gate(approver, other):
    first = trained_by(approver).stage
    Stage.objects.update(status=StageStatus.MASTERED)
    second = StageFactory(run=first.run, reviewing=True, skills=["A2"])
    ItemFactory(stage=second)
    items.approve_all(second, actor=other, round=0)
    gate = at_gate(stages.train(second, actor=other, round=0))

    assert sign(gates.advance, gate, approver).is_settled


def test_what_policy_approved_is_nobodys_so_anybody_may_sign(approver):
    stage = reviewing(run__autonomy=Autonomy.ONLY_GATES)
    ItemFactory(stage=stage)
    policy.act(stage.run)
    stage.refresh_from_db()
    assert stage.status == StageStatus.TRAINING

    assert sign(gates.advance, at_gate(stage), approver).is_settled


def test_policy_itself_may_not_sign(approver):
    gate = trained_by(approver)

    with pytest.raises(SecondPersonNeeded, match="a person has to sign"):
        sign(gates.advance, gate, Actor.policy("autopilot: advance"))

    assert Stage.objects.get().status == StageStatus.DECIDING


def test_the_rule_is_read_when_the_gate_is_signed_not_when_the_page_was_shown(approver):
    gate = trained_by(approver)
    Run.objects.update(two_people=False)
    seen = GateRecord.objects.select_related("stage__run").get(pk=gate.pk)
    Run.objects.update(two_people=True)

    with pytest.raises(SecondPersonNeeded):
        sign(gates.advance, seen, approver)


# --- Switching it --------------------------------------------------------------------------


def test_switching_it_stands_in_the_log(approver):
    run = deciding.set_two_people(RunFactory(), actor=approver, on=True)

    entry = AuditEntry.objects.get()
    assert run.two_people
    assert (entry.action, entry.was, entry.became) == (
        "run.two_people",
        {"two_people": False},
        {"two_people": True},
    )


def test_whom_it_bars_may_not_switch_it_off_and_another_may(approver, other):
    gate = trained_by(approver)
    run = gate.stage.run
    entries = AuditEntry.objects.count()

    with pytest.raises(SecondPersonNeeded, match="another approver may switch it off"):
        deciding.set_two_people(run, actor=approver, on=False)

    run.refresh_from_db()
    assert run.two_people
    assert AuditEntry.objects.count() == entries
    assert not deciding.set_two_people(run, actor=other, on=False).two_people


def test_after_the_gate_who_approved_may_switch_it_off(approver, other):
    gate = trained_by(approver)
    StageFactory(run=gate.stage.run)
    sign(gates.advance, gate, other)

    assert not deciding.set_two_people(Run.objects.get(), actor=approver, on=False).two_people


def test_autopilot_and_the_rule_exclude_each_other(approver):
    given = {"name": "Sums", "domain": "foundations", "teacher": "procedural"}
    refused = pytest.raises(BadSettings, match="on autopilot nobody does")

    with refused:
        runs.create(actor=approver, **given, student="simulated", autonomy="none", two_people=True)
    with refused:
        deciding.set_two_people(RunFactory(autonomy=Autonomy.NONE), actor=approver, on=True)
    with refused:
        deciding.set_autonomy(RunFactory(two_people=True), actor=approver, autonomy="none")

    assert not AuditEntry.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        RunFactory(autonomy=Autonomy.NONE, two_people=True)


@pytest.mark.parametrize("change", [{"autonomy": "none"}, {"two_people": True}])
def test_of_two_who_change_who_decides_the_slower_is_told(approver, change):
    run = RunFactory()
    Run.objects.update(**change)

    for service, said in [
        (deciding.set_two_people, {"on": True}),
        (deciding.set_autonomy, {"autonomy": "none"}),
    ]:
        with pytest.raises(Overtaken):
            service(run, actor=approver, **said)


def test_a_run_that_is_over_keeps_its_rule(approver):
    with pytest.raises(RunOver):
        deciding.set_two_people(RunFactory(status=RunStatus.STOPPED), actor=approver, on=True)


# --- Reading ---------------------------------------------------------------------------------


def test_who_did_what_is_told_by_stage_people_first_in_three_queries(
    approver, django_assert_num_queries
):
    stage = reviewing(run__autonomy=Autonomy.ONLY_GATES)
    ItemFactory.create_batch(3, stage=stage)
    items.approve(stage.items.first(), actor=approver, version=1)
    policy.act(stage.run)
    other = StageFactory()

    with django_assert_num_queries(3):
        found = signers.parts([stage, other])

    assert [(part.who, part.did) for part in found[stage.pk]] == [
        (approver.name, "approved 1 item"),
        ("policy", "approved 2 items and started the training"),
    ]
    assert found[other.pk] == []


def test_for_whom_a_gate_is_closed_costs_two_queries_for_any_number(
    approver, other, django_assert_num_queries
):
    mine, theirs = trained_by(approver).stage, trained_by(other).stage
    open_to_all = GateFactory(mastered=True).stage
    loaded = list(Stage.objects.select_related("run"))

    with django_assert_num_queries(2):
        assert signers.barred(approver.user, loaded) == {mine.pk}
    with django_assert_num_queries(0):
        assert signers.barred(approver.user, [open_to_all]) == set()
    assert signers.barred(other.user, loaded) == {theirs.pk}


def test_a_sentence_names_three_others_and_counts_the_rest(approver):
    gate = trained_by(approver)
    ApproverFactory.create_batch(5, first_name="Eve", last_name="")
    ReviewerFactory(first_name="Rita")

    assert signers.why_not(approver.user, gate.stage).endswith("Eve, Eve, Eve and 2 more may.")


def test_the_evidence_is_asked_before_the_second_person(approver):
    stage = StageFactory(run__two_people=True, deciding=True, skills=["A1"])
    gate = GateFactory(stage=stage, evidence=evidence(stage, "not_yet"))

    with pytest.raises(Exception, match="The evidence does not allow"):
        sign(gates.advance, gate, approver)


def test_who_wrote_what_is_trained_on_may_not_let_it_pass(approver, other):
    stage = reviewing()
    mine = items.write(
        stage,
        actor=approver,
        round=0,
        skill=stage.stage_skills.get().skill,
        question="What is 2 + 3?",
        solution="Count on: 3, 4, 5. Answer: 5",
        answer="5",
    )
    Item.objects.filter(pk=mine.pk).update(verdict="approved")
    gate = at_gate(stage)

    with pytest.raises(SecondPersonNeeded, match="You wrote or brought in 1 item of this stage"):
        sign(gates.advance, gate, approver)
    assert sign(gates.advance, GateRecord.objects.get(), other).is_settled


def test_who_brought_in_what_is_trained_on_may_not_let_it_pass(approver, other, tmp_path):
    stage = reviewing(run__domain="foundations")
    file = tmp_path / "mine.jsonl"
    file.write_text('{"question": "What is 2 + 3?", "solution": "5. Answer: 5", "answer": "5"}\n')
    columns = {name: name for name in ("question", "solution", "answer")}
    exchange.import_items(
        stage, file, columns, actor=approver, round=0, name="mine.jsonl", skill="A1"
    )
    Item.objects.update(verdict="approved")
    at_gate(stage)

    assert signers.why_not(approver.user, stage).startswith("You wrote or brought in 1 item")
    assert sign(gates.advance, GateRecord.objects.get(), other).is_settled


def test_who_leaves_a_review_to_policy_has_a_hand_in_it(approver, other):
    stage = reviewing()
    ItemFactory(stage=stage)

    deciding.set_autonomy(stage.run, actor=approver, autonomy=Autonomy.ONLY_GATES)

    gate = at_gate(Stage.objects.get(pk=stage.pk))
    with pytest.raises(SecondPersonNeeded, match="You handed policy the review of this stage"):
        sign(gates.advance, gate, approver)
    assert sign(gates.advance, GateRecord.objects.get(), other).is_settled


def test_who_may_leave_the_review_of_a_stage_that_is_not_in_review_to_policy(approver):
    stage = reviewing()
    Stage.objects.update(status=StageStatus.ASSESSING)

    deciding.set_autonomy(stage.run, actor=approver, autonomy=Autonomy.ONLY_GATES)

    assert signers.why_not(approver.user, stage) == ""
