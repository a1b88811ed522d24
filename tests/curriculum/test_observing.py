"""What the checkpoints of earlier runs say of prerequisites, and when they say nothing."""

from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.engine import observing as reading
from curriculum.errors import RunOver, WrongMoment
from curriculum.models import AuditEntry, Evidence, GateRecord
from curriculum.services import gates, observing
from curriculum.states import RunStatus
from tests.curriculum.small import assessing, work
from tests.distill.learners import TEN, histories
from tests.factories import PrerequisiteFactory, RunFactory, SkillFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """A graph that is right in A1 → A2, wrong in A2 → B2, and lacks the others."""
    run = RunFactory(reviewing_diagnosis=True)
    skills = {key: SkillFactory(run=run, key=key) for key in TEN}
    for source, target in (("A1", "A2"), ("A2", "B2")):
        PrerequisiteFactory(run=run, source=skills[source], target=skills[target])
    return run


@pytest.fixture
def remembered(monkeypatch):
    """Have the runs in the database remember a history that is known to the last edge."""

    def remember(run, **how):
        found = histories(TEN, seed=1, **how)
        by_run = {}
        for checkpoint in found:
            by_run.setdefault(checkpoint.run, []).append(checkpoint)
        for _ in range(len(by_run) - 1):
            RunFactory()
        lines = iter(by_run.values())
        monkeypatch.setattr(reading, "checkpoints", lambda run: next(lines, []))

    return remember


def observed(run):
    return Evidence.objects.filter(prerequisite__run=run, kind="observed")


def test_a_long_history_speaks_for_the_right_edge_and_names_what_is_missing(
    run, remembered, approver
):
    remembered(run, runs=20, checkpoints=40)

    says = observing.look_back(run, actor=approver)

    right, wrong = observed(run).order_by("prerequisite")
    assert str(right.prerequisite) == "A1 → A2"
    assert right.n >= 10
    assert right.reason.startswith("Dep = ")
    assert wrong.strength < 0.3 < right.strength
    assert "new evidence on 2 prerequisites" in says
    assert "A1 → B2" in says
    assert run.prerequisites.count() == 2  # people add them
    entry = AuditEntry.objects.get(action="run.observed")
    assert entry.note == says
    assert entry.became["edges"]["A1 → A2"] == right.strength


def test_looking_again_adds_nothing_where_nothing_else_is_seen(run, remembered, approver):
    for _ in range(2):
        remembered(run, runs=20, checkpoints=40)
        says = observing.look_back(run, actor=approver)

    assert observed(run).count() == 2
    assert "nothing new" in says


def test_too_few_checkpoints_are_counted_and_told(run, remembered, approver):
    remembered(run, runs=2, checkpoints=3)

    says = observing.look_back(run, actor=approver)

    history = AuditEntry.objects.get(action="run.observed").became
    assert history["checkpoints"] < engine.ROUNDS_NEEDED
    assert says == (
        f"Not enough evidence: {history['checkpoints']} checkpoints in 2 runs of this student on "
        "this domain; 10 are needed at least."
    )
    assert not observed(run).exists()


def test_runs_of_another_student_or_domain_say_nothing(run, approver, monkeypatch):
    RunFactory(student="another")
    RunFactory(domain="domains/other.yaml")
    asked = []
    monkeypatch.setattr(reading, "checkpoints", lambda run: asked.append(run.pk) or [])

    observing.look_back(run, actor=approver)

    assert asked == [run.pk]


@pytest.mark.parametrize(
    "status",
    [s for s in RunStatus if s not in (RunStatus.DRAFT, RunStatus.REVIEWING_DIAGNOSIS)],
)
def test_it_is_for_when_edges_can_be_changed(approver, status):
    with pytest.raises((WrongMoment, RunOver)):
        observing.look_back(RunFactory(status=status), actor=approver)

    assert not AuditEntry.objects.exists()


# --- rows as checkpoints ----------------------------------------------------------------------


def test_a_run_that_was_never_diagnosed_has_no_history():
    assert reading.checkpoints(RunFactory()) == []


@pytest.mark.slow
def test_each_assessed_round_is_a_checkpoint_with_what_it_taught(settings, tmp_path, approver):
    settings.IOA_HOME = tmp_path
    stage = assessing(approver)
    assert [c.number for c in reading.checkpoints(stage.run)] == [0]  # not assessed yet

    work(stage.run)
    base, first = reading.checkpoints(stage.run)

    assert (base.number, base.taught) == (0, frozenset())
    assert (first.number, first.taught) == (1, {"A2"})
    assert first.run == base.run == str(stage.run_id)
    assert set(base.scores) == set(first.ratios) == {"A2"}
    assert first.scores["A2"] > base.scores["A2"]


@pytest.mark.slow
def test_what_was_rolled_back_is_no_step_on_the_way(settings, tmp_path, approver):
    settings.IOA_HOME = tmp_path
    stage = assessing(approver)
    work(stage.run)

    gates.roll_back(GateRecord.objects.get(), actor=approver, round=0, reason="a test")

    assert [c.number for c in reading.checkpoints(stage.run)] == [0]
