"""What is left of a plan, planned again: by policy, or as a proposal that a person decides on."""

from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.engine.passed import mastered_so_far
from curriculum.errors import Overtaken, RunOver, WrongMoment
from curriculum.models import AuditEntry, Run, Score, Stage
from curriculum.services import audit, deciding, gates, items, policy, replanning, runs, stages
from curriculum.services.planned import stages_of
from curriculum.states import ActorKind, JobKind, StageStatus
from distill.assessment.gate import Was
from tests.curriculum.small import diagnosed, work
from tests.factories import GateFactory, StageFactory, evidence, measured_run

pytestmark = pytest.mark.django_db

AS_IT_WAS = [["A1"], ["A2", "A3"]]
AS_PROPOSED = [["A1"], ["A2"], ["A3"]]


def taught(run):
    return [stage["skills"] for stage in stages_of(run)]


def last_entry(run):
    return AuditEntry.objects.filter(run=run).order_by("sequence").last()


# --- what is proposed ------------------------------------------------------------------------


def test_what_was_measured_since_proposes_another_plan_of_what_has_not_begun():
    run = measured_run()

    rest = replanning.proposal(run)

    assert (rest.n_kept, [keys for *_, keys in rest.stages]) == (1, [["A2"], ["A3"]])
    assert rest.measured == {"A2": (0.0, 0.6), "A3": (0.0, 0.0)}
    assert taught(run) == AS_IT_WAS


@pytest.mark.parametrize("now", [{}, {"A2": 0.0, "A3": 0.0}, {"A2": 0.6, "A3": 0.6}])
def test_nothing_is_proposed_that_would_change_nothing(now):
    assert replanning.proposal(measured_run(now=now)) is None


def test_what_has_begun_or_was_rolled_back_is_never_moved():
    run = measured_run()
    run.stages.filter(position=2).update(round=1, first_round=1)

    assert replanning.proposal(run) is None


def test_where_a_later_stage_was_begun_first_the_order_is_left_to_the_person():
    run = measured_run()
    StageFactory(run=run, reviewing=True)

    assert replanning.proposal(run) is None


def test_a_concluded_run_proposes_nothing(approver):
    run = measured_run()
    runs.conclude(run, actor=approver, reason="Enough for now.")

    assert replanning.proposal(run) is None


# --- a person decides ------------------------------------------------------------------------


def test_accepting_plans_the_rest_again_and_keeps_both_plans_on_record(approver):
    run = measured_run()
    first = run.stages.get(position=1)
    seen = replanning.proposal(run)

    replanning.accept(run, actor=approver, seen=seen.digest)

    assert taught(run) == AS_PROPOSED
    assert run.stages.get(position=1) == first
    entry = last_entry(run)
    assert (entry.action, entry.actor) == ("run.rest_replanned", approver.user)
    assert [s["skills"] for s in entry.was["stages"]] == AS_IT_WAS
    assert [s["skills"] for s in entry.became["stages"]] == AS_PROPOSED
    assert entry.evidence["measured"] == {"A2": [0.0, 0.6], "A3": [0.0, 0.0]}
    assert entry.evidence["checkpoint"] == seen.checkpoint
    assert replanning.proposal(run) is None
    audit.verify(run)


def test_keeping_changes_no_stage_and_the_same_measurement_proposes_no_more(approver):
    run = measured_run()
    seen = replanning.proposal(run)

    replanning.keep(run, actor=approver, seen=seen.digest)

    assert taught(run) == AS_IT_WAS
    assert replanning.proposal(run) is None
    entry = last_entry(run)
    assert [s["skills"] for s in entry.evidence["proposed"]] == AS_PROPOSED
    before = run.checkpoints.get(is_current=True)
    run.checkpoints.filter(pk=before.pk).update(is_current=False)
    later = run.checkpoints.create(parent=before, is_current=True)
    before.scores.update(checkpoint=later)
    assert replanning.proposal(run) is not None


@pytest.mark.parametrize("decide", [replanning.accept, replanning.keep])
def test_a_proposal_that_is_not_the_one_on_the_screen_is_refused(decide, approver):
    run = measured_run()
    seen = replanning.proposal(run).digest
    run.skills.get(key="A3").scores.filter(checkpoint__is_current=True).update(mean=0.8)

    with pytest.raises(Overtaken):
        decide(run, actor=approver, seen=seen)

    assert taught(run) == AS_IT_WAS
    assert last_entry(run) is None


@pytest.mark.parametrize("decide", [replanning.accept, replanning.keep])
@pytest.mark.parametrize(
    ("status", "error"), [("stopped", RunOver), ("reviewing_curriculum", WrongMoment)]
)
def test_only_while_a_run_is_taught(decide, status, error, approver):
    run = measured_run()
    seen = replanning.proposal(run).digest
    Run.objects.filter(pk=run.pk).update(status=status)
    run.refresh_from_db()

    with pytest.raises(error):
        decide(run, actor=approver, seen=seen)


def test_where_all_that_is_left_sits_teaching_is_done_and_the_report_is_next(approver):
    run = measured_run(now={"A2": 1.0, "A3": 1.0})
    rest = replanning.proposal(run)
    assert rest.left == ["A2", "A3"]

    replanning.accept(run, actor=approver, seen=rest.digest)

    assert taught(run) == [["A1"]]
    assert run.jobs.get().kind == JobKind.REPORT
    assert any(notice.startswith("A2 leaves the plan") for notice in run.notices)


# --- policy decides --------------------------------------------------------------------------


def settle(run, actor=None):
    """Stage 1 is about to be let pass."""
    stage = run.stages.get(position=1)
    Stage.objects.filter(pk=stage.pk).update(status=StageStatus.DECIDING)
    stage.refresh_from_db()
    return GateFactory(stage=stage, mastered=True, evidence=evidence(stage))


@pytest.mark.parametrize("autonomy", ["none", "only_gates"])
def test_policy_plans_the_rest_before_it_opens_the_next_stage(autonomy, approver):
    run = measured_run(autonomy=autonomy)

    gates.advance(settle(run), actor=approver, round=0)

    assert taught(run) == AS_PROPOSED
    assert run.stages.get(position=2).status == StageStatus.WRITING
    entry = AuditEntry.objects.get(run=run, action="run.rest_replanned")
    assert entry.actor_kind == ActorKind.POLICY
    assert entry.actor_name.endswith(": plan the rest")
    assert entry.evidence["measured"]["A2"] == [0.0, 0.6]


def test_where_people_decide_everything_it_stays_a_proposal(approver):
    run = measured_run()

    gates.advance(settle(run), actor=approver, round=0)

    assert taught(run) == AS_IT_WAS
    assert replanning.proposal(run) is not None


def test_policy_leaves_a_plan_that_a_person_has_changed_by_hand(approver):
    run = measured_run(now={}, status="reviewing_curriculum")
    stages.merge(run.stages.get(position=2), into=run.stages.get(position=1), actor=approver)
    assert replanning.is_changed_by_hand(run)

    run = measured_run(autonomy="none")
    audit.write(run, actor=approver, action="stage.split", subject=run)
    gates.advance(settle(run), actor=approver, round=0)

    assert taught(run) == AS_IT_WAS
    assert run.stages.get(position=2).status == StageStatus.WRITING


def test_a_plan_made_after_that_is_policys_again(approver):
    run = measured_run(autonomy="none")
    audit.write(run, actor=approver, action="stage.split", subject=run)
    audit.write(run, actor=approver, action="run.replanned", subject=run)

    policy.act(run)

    assert taught(run) == AS_PROPOSED


def test_what_a_person_has_kept_policy_does_not_take_away(approver):
    run = measured_run()
    replanning.keep(run, actor=approver, seen=replanning.proposal(run).digest)

    deciding.set_autonomy(run, actor=approver, autonomy="none")
    policy.act(run)

    assert taught(run) == AS_IT_WAS


def test_on_autopilot_a_run_ends_when_what_is_left_sits(approver):
    run = measured_run(now={"A2": 1.0, "A3": 1.0}, autonomy="none")

    gates.advance(settle(run), actor=approver, round=0)

    assert taught(run) == [["A1"]]
    assert [job.kind for job in run.jobs.all()] == [JobKind.REPORT]


# --- a whole run -----------------------------------------------------------------------------


def test_what_left_the_plan_is_asked_for_at_every_gate_after_it(approver):
    run = measured_run(now={"A2": 1.0, "A3": 0.0})

    replanning.accept(run, actor=approver, seen=replanning.proposal(run).digest)

    assert taught(run) == [["A1"], ["A3"]]
    assert mastered_so_far(run) == {"A2": Was(1.0, 64)}


@pytest.mark.slow
def test_all_that_is_left_is_measured_when_a_stage_may_advance(approver, settings, tmp_path):
    settings.IOA_HOME = tmp_path
    chosen = engine.default_settings()
    chosen["budget"] |= {"items_per_round": 120}
    chosen["probing"] |= {"diagnose_probes": 12, "gate_probes": 24, "batch_size": 24}
    run = diagnosed(approver, skills=["A1", "A2", "A3"], settings=chosen)
    runs.sign_diagnosis(run, actor=approver)
    runs.sign_curriculum(run, actor=approver)
    assert taught(run) == [["A1"], ["A2"], ["A3"]]
    stage = stages.open(run.stages.first(), actor=approver)
    work(run)
    stage.refresh_from_db()
    items.approve_all(stage, actor=approver, round=0)
    stages.train(stage, actor=approver, round=0)
    work(run)
    work(run)

    gate = stage.gates.get()
    assert gate.allows_advance
    now = Score.objects.filter(checkpoint=gate.checkpoint, split="diagnose")
    assert sorted(now.values_list("skill__key", flat=True)) == ["A2", "A3"]
