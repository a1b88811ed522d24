"""What one more round would be is what it then is; what it may gain stands on this run alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from curriculum import engine
from curriculum.engine.items import evidence_so_far
from curriculum.engine.outlook import cases_of
from curriculum.engine.rounds import counts, teaches
from curriculum.models import SnapshotItem
from curriculum.services import gates
from curriculum.states import JobKind
from tests.factories import (
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    JobFactory,
    ScoreFactory,
    SnapshotFactory,
    StageFactory,
    evidence,
)

pytestmark = pytest.mark.django_db


def verdicts(stage, **ratios):
    """Evidence in which skills from 0.9 on are mastered."""
    found = evidence(stage)
    for verdict in found["stage"]:
        verdict["ratio"] = ratios[verdict["skill"]]
        verdict["answer"] = "mastered" if verdict["ratio"] >= 0.9 else "not_yet"
    return found


def skill_of(stage, key):
    return stage.run.skills.get(key=key)


def trained(stage, number, n_rehearsal=0, **n_new):
    """The round's snapshot, of so many new items of each skill."""
    total = sum(n_new.values()) + n_rehearsal
    snapshot = SnapshotFactory(stage=stage, round=number, n_items=total, n_rehearsal=n_rehearsal)
    skills = [skill_of(stage, key) for key, n in n_new.items() for _ in range(n)]
    items = [ItemFactory(stage=stage, round=number, skill=s, approved=True) for s in skills]
    SnapshotItem.objects.bulk_create(
        SnapshotItem(snapshot=snapshot, item=item, version=1, position=i)
        for i, item in enumerate(items)
    )
    return snapshot


@pytest.fixture
def stage():
    """Two skills that the diagnosis found at 0.2; round 0 taught three and two items of them."""
    stage = StageFactory(deciding=True, skills=["A", "B"])
    stage.run.skills.update(gap=0.8, is_deficient=True, is_teachable=True)
    base = CheckpointFactory(run=stage.run)
    for skill in stage.run.skills.all():
        ScoreFactory(skill=skill, mean=1.0)
        ScoreFactory(skill=skill, checkpoint=base, mean=0.2)
    stage.run.settings["budget"] |= {"items_per_round": 20}
    stage.run.save()
    trained(stage, 0, A=3, B=2)
    return stage


def test_what_would_begin_small_after_two_failed_rounds_is_told(stage):
    first = GateFactory(stage=stage, evidence=verdicts(stage, A=0.95, B=0.6), decision="remedy")
    assert engine.next_round(first).begins_small == []

    stage.round = 1
    stage.save()
    second = GateFactory(stage=stage, round=1, evidence=verdicts(stage, A=0.5, B=0.7))

    assert engine.next_round(second).begins_small == ["B"]


def test_a_remedy_writes_and_rehearses_what_was_shown_before(stage, approver):
    gate = GateFactory(stage=stage, evidence=verdicts(stage, A=0.95, B=0.6))
    said = engine.next_round(gate)

    after = gates.remedy(gate, actor=approver, round=0)
    new = counts(after, teaches(after, evidence_so_far(after)))
    items = [
        ItemFactory(stage=after, round=1, skill=skill_of(after, key), approved=True)
        for key, n in new.items()
        for _ in range(n)
    ]
    mixed = engine.mixture(after, items)

    assert said.new == new == {"B": 12}
    assert said.rehearsal == {"A": 3}  # its share would be eight of twenty: there are only three
    assert (said.n_new, said.n_items) == (12, len(mixed))
    assert sum(is_rehearsal for _, is_rehearsal in mixed) == said.rehearsal_count


def test_looking_ahead_changes_nothing(stage):
    gate = GateFactory(stage=stage, evidence=verdicts(stage, A=0.5, B=0.6))

    engine.next_round(gate)

    assert gate.stage.round == 0
    stage.refresh_from_db()
    assert (stage.round, stage.status) == (0, "deciding")


def test_a_spent_budget_has_no_next_round(stage):
    stage.run.settings["budget"]["items"] = 5
    stage.run.save()

    assert engine.next_round(GateFactory(stage=stage, evidence=verdicts(stage, A=0, B=0))) is None


def test_the_first_round_is_measured_from_the_diagnosis_and_a_remedy_from_the_gate(stage):
    GateFactory(stage=stage, evidence=verdicts(stage, A=0.95, B=0.6), decision="remedy")
    trained(stage, 1, B=4)
    GateFactory(stage=stage, round=1, evidence=verdicts(stage, A=0.9, B=0.8))

    found = [(c.skill, c.before, c.after, c.n_new, c.is_remedy) for c in cases_of(stage.run)]

    assert found == [
        ("A", pytest.approx(0.2), 0.95, 3, False),
        ("B", pytest.approx(0.2), 0.6, 2, False),
        ("B", 0.6, 0.8, 4, True),  # A sat already: what it did since is no case
    ]


def test_after_a_roll_back_a_round_is_a_first_one_again(stage):
    GateFactory(stage=stage, evidence=verdicts(stage, A=0.5, B=0.6), decision="roll_back")
    trained(stage, 1, A=4)
    GateFactory(stage=stage, round=1, evidence=verdicts(stage, A=0.7, B=0.8))

    assert [(c.skill, c.is_remedy) for c in cases_of(stage.run)][2:] == [("A", False)]


def test_a_gain_is_expected_of_skills_that_do_not_sit_by_two_cases_at_least(stage):
    gate = GateFactory(stage=stage, evidence=verdicts(stage, A=0.95, B=0.6))
    both = engine.next_round(gate)

    SnapshotItem.objects.filter(item__skill__key="A").delete()
    one = engine.next_round(gate)

    assert list(both.expected) == ["B"]
    assert both.expected["B"].middle > 0.6
    assert (both.n_cases, both.are_remedies) == (2, False)
    assert (one.n_cases, one.expected) == (0, {})
    assert one.new == {"B": 20}  # and nothing to rehearse


def timed(stage, number, **seconds):
    now = timezone.now()
    return [
        JobFactory(
            run=stage.run,
            stage=stage,
            round=number,
            kind=kind,
            succeeded=True,
            started_at=now - timedelta(seconds=took),
            finished_at=now,
        )
        for kind, took in seconds.items()
    ]


def test_the_cost_stands_on_rounds_that_were_timed_from_end_to_end(stage):
    base = stage.run.checkpoints.get()
    CheckpointFactory(
        run=stage.run,
        parent=base,
        stage=stage,
        is_current=False,
        snapshot=stage.snapshots.get(),
        train_tokens=500,
    )
    gate = GateFactory(stage=stage, evidence=verdicts(stage, A=0.95, B=0.6))
    assert engine.next_round(gate).cost is None

    jobs = timed(stage, 0, write=5, train=10, assess=7)
    found = engine.next_round(gate).cost  # 12 new of 15 items; then 5 were written, 5 trained on

    assert found.seconds.middle == pytest.approx(12 + 30 + 7)
    assert found.train_tokens == 1500
    assert found.n_rounds == 1

    jobs[1].attempt = 2  # the second try's time is not all the time
    jobs[1].save()
    assert engine.next_round(gate).cost is None
    assert jobs[1].kind == JobKind.TRAIN
