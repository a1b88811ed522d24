from __future__ import annotations

import pytest

from curriculum.errors import (
    BadPlan,
    CycleRefused,
    EmptyWords,
    NothingChanged,
    Overtaken,
    ReasonRequired,
    RunOver,
    WrongMoment,
)
from curriculum.models import AuditEntry, Evidence, Prerequisite, Run, Skill
from curriculum.services import audit, skills
from curriculum.states import SkillStatus
from tests.curriculum.small import diagnosed
from tests.factories import PrerequisiteFactory, RunFactory, SkillFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    return RunFactory(reviewing_diagnosis=True)


@pytest.fixture
def chain(run):
    """a → b → c"""
    a, b, c = (SkillFactory(run=run, key=key) for key in "abc")
    PrerequisiteFactory(run=run, source=a, target=b)
    PrerequisiteFactory(run=run, source=b, target=c)
    return a, b, c


def test_words_of_a_skill_change_and_the_old_ones_stay_on_record(run, approver):
    skill = SkillFactory(run=run, title="sums", statement="adds")

    skills.edit(skill, actor=approver, title=" Sums to 20 ", statement="adds to 20")

    assert (skill.title, skill.statement) == ("Sums to 20", "adds to 20")
    assert AuditEntry.objects.get().was == {"title": "sums", "statement": "adds"}


def test_a_title_turns_nothing_around_that_stands_beside_it(run, approver):
    skill = SkillFactory(run=run, title="sums")

    skills.edit(skill, actor=approver, title="\u202eSums\u202c", statement="adds\nthem \u2067")

    assert (skill.title, skill.statement) == ("Sums", "adds\nthem")


def test_a_skill_keeps_a_title(run, approver):
    with pytest.raises(EmptyWords, match="title may not be empty"):
        skills.edit(SkillFactory(run=run), actor=approver, title=" ", statement="x")


def test_an_edit_that_changes_nothing_is_not_recorded(run, approver):
    skill = SkillFactory(run=run, statement="adds")

    with pytest.raises(NothingChanged):
        skills.edit(skill, actor=approver, title=skill.title, statement="adds")

    assert not AuditEntry.objects.exists()


def test_the_second_of_two_edits_is_refused(run, approver):
    skill = SkillFactory(run=run)
    other = Skill.objects.get()
    skills.edit(skill, actor=approver, title="first", statement="")

    with pytest.raises(Overtaken):
        skills.edit(other, actor=approver, title="second", statement="")

    assert Skill.objects.get().title == "first"


def test_a_skill_is_retired_and_restored(run, approver):
    skill = SkillFactory(run=run)

    skills.retire(skill, actor=approver, reason="not in our syllabus")
    assert skill.status == SkillStatus.RETIRED
    with pytest.raises(Overtaken):
        skills.retire(skill, actor=approver)

    skills.restore(skill, actor=approver)
    assert skill.status == SkillStatus.ACTIVE
    assert [e.action for e in AuditEntry.objects.all()] == ["skill.retired", "skill.restored"]


@pytest.mark.parametrize("status", ["diagnosing", "teaching"])
def test_what_is_measured_or_taught_does_not_change(status, approver):
    run = RunFactory(status=status)
    skill, other = SkillFactory(run=run), SkillFactory(run=run)
    edge = PrerequisiteFactory(run=run, source=skill, target=other)

    for change in (
        lambda: skills.edit(skill, actor=approver, title="new", statement=""),
        lambda: skills.retire(skill, actor=approver),
        lambda: skills.add_edge(run, source=other, target=skill, actor=approver),
        lambda: skills.confirm_edge(edge, actor=approver),
        lambda: skills.refuse_edge(edge, actor=approver, reason="no"),
    ):
        with pytest.raises(WrongMoment, match="can be changed only while the run is “draft”"):
            change()

    assert not AuditEntry.objects.exists()


def test_an_edge_is_added_with_a_name_and_a_reason(run, chain, approver):
    a, _, c = chain

    edge = skills.add_edge(run, source=a, target=c, actor=approver, reason="seen in class")

    said = Evidence.objects.get(prerequisite=edge)
    assert (said.kind, said.actor, said.reason) == ("confirmed", approver.user, "seen in class")
    assert AuditEntry.objects.get().subject_name == "a → c"


def test_a_new_edge_was_nothing_before_and_one_taken_up_again_was_refused(run, chain, approver):
    a, _, c = chain

    edge = skills.add_edge(run, source=a, target=c, actor=approver, reason="seen in class")
    skills.refuse_edge(edge, actor=approver, reason="not so")
    skills.add_edge(run, source=a, target=c, actor=approver, reason="it is")

    added = AuditEntry.objects.filter(action="edge.added").order_by("sequence")
    assert [entry.was for entry in added] == [{}, {"is_active": False}]


def test_an_edge_that_closes_a_circle_is_refused_and_the_circle_is_named(run, chain, approver):
    a, _, c = chain

    with pytest.raises(CycleRefused) as caught:
        skills.add_edge(run, source=c, target=a, actor=approver)

    assert sorted(caught.value.cycle[:-1]) == ["a", "b", "c"]
    assert caught.value.cycle[0] == caught.value.cycle[-1]
    assert all(key in str(caught.value) for key in "abc")
    assert Prerequisite.objects.count() == 2
    assert not AuditEntry.objects.exists()


def test_a_skill_is_no_prerequisite_of_itself(run, chain, approver):
    with pytest.raises(CycleRefused, match="a → a"):
        skills.add_edge(run, source=chain[0], target=chain[0], actor=approver)


def test_an_edge_that_is_there_is_not_added_again(run, chain, approver):
    with pytest.raises(BadPlan, match="b builds on a already"):
        skills.add_edge(run, source=chain[0], target=chain[1], actor=approver)


def test_an_edge_joins_skills_of_one_run(run, chain, approver):
    with pytest.raises(BadPlan):
        skills.add_edge(run, source=chain[0], target=SkillFactory(), actor=approver)


def test_a_refused_edge_stays_on_record_and_opens_the_circle(run, chain, approver):
    a, b, c = chain
    edge = Prerequisite.objects.get(source=a, target=b)

    skills.refuse_edge(edge, actor=approver, reason="they are separate")

    assert not edge.is_active
    assert Evidence.objects.get(prerequisite=edge).kind == "refused"
    skills.add_edge(run, source=c, target=a, actor=approver)
    with pytest.raises(CycleRefused):
        skills.confirm_edge(edge, actor=approver)


def test_a_refusal_says_why(run, chain, approver):
    with pytest.raises(ReasonRequired):
        skills.refuse_edge(Prerequisite.objects.first(), actor=approver, reason=" ")


def test_a_refused_edge_can_be_confirmed_or_added_again(run, chain, approver):
    a, b, _ = chain
    edge = Prerequisite.objects.get(source=a, target=b)
    skills.refuse_edge(edge, actor=approver, reason="no")

    skills.confirm_edge(edge, actor=approver, reason="yes after all")
    assert edge.is_active
    skills.refuse_edge(edge, actor=approver, reason="no")
    again = skills.add_edge(run, source=a, target=b, actor=approver)

    assert (again.pk, again.is_active) == (edge.pk, True)
    assert audit.verify(run)[0] == 4


def test_two_refusals_are_one(run, chain, approver):
    edge = Prerequisite.objects.first()
    other = Prerequisite.objects.first()
    skills.refuse_edge(edge, actor=approver, reason="no")

    with pytest.raises(Overtaken):
        skills.refuse_edge(other, actor=approver, reason="no")


def test_nothing_changes_in_a_run_that_is_over(approver):
    skill = SkillFactory(run=RunFactory(stopped=True))

    with pytest.raises(RunOver):
        skills.retire(skill, actor=approver)


def test_nothing_changes_in_a_run_that_moved_on_meanwhile(run, approver):
    skill = SkillFactory(run=run)
    Run.objects.update(status="diagnosing")

    with pytest.raises(Overtaken):
        skills.retire(skill, actor=approver)


def test_a_skill_is_as_severe_as_what_it_blocks_by_the_edges_that_hold(approver):
    run = diagnosed(approver, skills=["A1", "A2"])
    edge = run.prerequisites.get(source__key="A1", target__key="A2")
    blocking = run.skills.get(key="A1").severity

    skills.refuse_edge(edge, actor=approver, reason="they learn it at once")
    assert run.skills.get(key="A1").severity == pytest.approx(blocking - 0.3)  # 1 - alpha

    edge.refresh_from_db()
    skills.confirm_edge(edge, actor=approver)
    assert run.skills.get(key="A1").severity == pytest.approx(blocking)
