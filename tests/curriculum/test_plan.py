from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.errors import BadPlan, OrderBroken, WrongMoment
from curriculum.models import AuditEntry, Evidence, Score, Stage
from curriculum.services import audit, planned, runs, skills, stages
from tests.curriculum.small import diagnosed
from tests.factories import (
    PrerequisiteFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
    StageSkillFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """Stages [a b], [c], [d]; a → c → d."""
    run = RunFactory(reviewing_curriculum=True)
    for keys in ("ab", "c", "d"):
        StageFactory(run=run, skills=list(keys))
    PrerequisiteFactory(run=run, source=skill(run, "a"), target=skill(run, "c"))
    PrerequisiteFactory(run=run, source=skill(run, "c"), target=skill(run, "d"))
    return run


def skill(run, key):
    return run.skills.get(key=key)


def at(run, position):
    return run.stages.get(position=position)


def taught(run):
    return ["".join(stage["skills"]) for stage in planned.stages_of(run)]


def test_a_skill_moves_to_another_stage(run, approver):
    stages.move_skill(skill(run, "b"), to_stage=at(run, 3), actor=approver)

    assert sorted(taught(run)[2]) == ["b", "d"]
    entry = AuditEntry.objects.get()
    assert entry.action == "skill.moved"
    assert entry.was["stages"][0]["skills"] == ["a", "b"]
    assert entry.became["stages"][0]["skills"] == ["a"]


def test_a_stage_is_called_by_the_skills_it_has(run, approver):
    Stage.objects.filter(run=run).update(title="As planned")

    stages.move_skill(skill(run, "b"), to_stage=at(run, 3), actor=approver)

    titles = [at(run, position).title for position in (1, 2, 3)]
    assert titles == ["skill a", "As planned", "skill b, skill d"]
    assert AuditEntry.objects.get().became["stages"][0]["title"] == "skill a"


def last_entry(run):
    return AuditEntry.objects.filter(run=run).order_by("sequence").last()


def test_an_earlier_plan_comes_back_as_it_was_and_is_a_change_like_any_other(run, approver):
    Stage.objects.filter(run=run, position=1).update(title="skill a, skill b")
    for position, key in ((2, "c"), (3, "d")):
        Stage.objects.filter(run=run, position=position).update(title=f"skill {key}")
    before = planned.stages_of(run)
    stages.move_skill(skill(run, "b"), to_stage=at(run, 3), actor=approver)
    moved = last_entry(run).sequence
    stages.split(at(run, 3), skills=[skill(run, "b")], actor=approver)

    stages.go_back(run, entry=moved, actor=approver)

    assert planned.stages_of(run) == before
    entry = last_entry(run)
    assert (entry.action, entry.became["stages"]) == ("stage.restored", before)
    assert len(entry.was["stages"]) == 4

    stages.go_back(run, entry=entry.sequence, actor=approver)

    assert len(taught(run)) == 4


def test_stages_are_called_by_the_words_of_now_also_those_that_come_back(run, approver):
    stages.split(at(run, 1), skills=[skill(run, "b")], actor=approver)
    split = last_entry(run).sequence

    skills.edit(skill(run, "b"), actor=approver, title="halves", statement="")
    assert [stage.title for stage in run.stages.all()][:2] == ["skill a", "halves"]

    stages.go_back(run, entry=split, actor=approver)

    assert at(run, 1).title == "skill a, halves"


def test_a_bridge_comes_back_as_one(run, approver):
    bridge = StageFactory(run=run, skills=[], is_bridge=True, position=9)
    StageSkillFactory(stage=bridge, skill=skill(run, "b"))
    stages.reorder(run, order=[bridge.pk, *[at(run, n).pk for n in (1, 2, 3)]], actor=approver)
    stages.split(at(run, 2), skills=[skill(run, "b")], actor=approver)

    stages.go_back(run, entry=last_entry(run).sequence, actor=approver)

    assert [s.is_bridge for s in run.stages.order_by("position")] == [True, False, False, False]


def test_a_plan_does_not_come_back_with_a_skill_that_is_not_taught_any_more(run, approver):
    stages.move_skill(skill(run, "b"), to_stage=at(run, 3), actor=approver)
    entry, left = last_entry(run).sequence, taught(run)
    run.skills.filter(key="b").update(status="retired")

    with pytest.raises(BadPlan, match="b is not taught any more"):
        stages.go_back(run, entry=entry, actor=approver)
    with pytest.raises(BadPlan, match="No stages were changed there"):
        stages.go_back(run, entry=99, actor=approver)

    assert taught(run) == left


def test_a_stage_is_as_difficult_as_the_skills_it_has(approver):
    run = diagnosed(approver, skills=["A2", "S2"])
    runs.sign_diagnosis(run, actor=approver)
    both = engine.difficulty(run, [["A2"], ["S2"]])
    stage = run.stages.first()
    if run.stages.count() == 1:
        stages.split(stage, skills=[skill(run, "S2")], actor=approver)

    found = {s.stage_skills.get().skill.key: s.difficulty for s in run.stages.all()}
    assert found == dict(zip(("A2", "S2"), both, strict=True))

    whole = stages.merge(at(run, 2), into=at(run, 1), actor=approver)

    assert whole.difficulty == pytest.approx(sum(both) / 2)


def test_a_stage_left_without_skills_is_closed_up(run, approver):
    PrerequisiteFactory._meta.model.objects.all().delete()

    stages.move_skill(skill(run, "c"), to_stage=at(run, 1), actor=approver)

    assert list(run.stages.values_list("position", flat=True)) == [1, 2]
    assert taught(run)[1] == "d"


def test_a_skill_that_was_not_planned_can_be_put_in(run, approver):
    extra = SkillFactory(run=run, key="x")

    stages.move_skill(extra, to_stage=at(run, 2), actor=approver)

    assert taught(run)[1] == "cx"


@pytest.mark.parametrize(
    ("change", "edge"),
    [
        (lambda run, by: stages.move_skill(skill(run, "a"), to_stage=at(run, 3), actor=by), "ac"),
        (lambda run, by: stages.move_skill(skill(run, "d"), to_stage=at(run, 1), actor=by), "cd"),
        (lambda run, by: stages.merge(at(run, 2), into=at(run, 3), actor=by), "cd"),
        (
            lambda run, by: stages.reorder(run, order=[at(run, n).pk for n in (2, 1, 3)], actor=by),
            "ac",
        ),
    ],
    ids=["later", "earlier", "merge", "reorder"],
)
def test_a_change_that_breaks_the_order_names_the_edge_and_changes_nothing(
    run, approver, change, edge
):
    before = taught(run)

    with pytest.raises(OrderBroken) as caught:
        change(run, approver)

    assert (caught.value.source, caught.value.target) == tuple(edge)
    assert f"{edge[1]} builds on {edge[0]}" in str(caught.value)
    assert taught(run) == before
    assert not AuditEntry.objects.exists()


def test_an_order_that_was_broken_before_does_not_forbid_other_changes(run, approver):
    PrerequisiteFactory(run=run, source=skill(run, "d"), target=skill(run, "b"))

    stages.split(at(run, 1), skills=[skill(run, "b")], actor=approver)

    assert taught(run) == ["a", "b", "c", "d"]


def test_an_edge_that_was_measured_away_orders_nothing(run, approver):
    edge = run.prerequisites.get(source__key="c")
    Evidence.objects.create(prerequisite=edge, kind="declared", strength=1.0, n=0)
    Evidence.objects.create(prerequisite=edge, kind="tested", strength=0.0, n=64)

    stages.reorder(run, order=[at(run, n).pk for n in (1, 3, 2)], actor=approver)
    run.refresh_from_db()
    runs.sign_curriculum(run, actor=approver)

    first = stages.open(at(run, 1), actor=approver)
    Stage.objects.filter(pk=first.pk).update(status="mastered")
    assert stages.open(at(run, 2), actor=approver).status == "writing"


def test_a_refused_edge_orders_nothing(run, approver):
    run.prerequisites.filter(source__key="c").update(is_active=False)

    stages.merge(at(run, 3), into=at(run, 2), actor=approver)

    assert taught(run) == ["ab", "cd"]


def test_a_stage_is_split_in_two(run, approver):
    new = stages.split(at(run, 1), skills=[skill(run, "b").pk], actor=approver)

    assert taught(run) == ["a", "b", "c", "d"]
    assert (new.position, new.title) == (2, "skill b")
    assert list(run.stages.values_list("position", flat=True)) == [1, 2, 3, 4]


@pytest.mark.parametrize("keys", ["", "ab", "c", "ac"])
def test_a_split_takes_some_of_the_skills_but_not_all(run, approver, keys):
    chosen = [skill(run, key) for key in keys]

    with pytest.raises(BadPlan, match="some of its skills, but not all"):
        stages.split(at(run, 1), skills=chosen, actor=approver)

    assert taught(run) == ["ab", "c", "d"]


def test_stages_are_merged_where_no_edge_forbids_it(run, approver):
    run.prerequisites.filter(source__key="a").update(is_active=False)

    merged = stages.merge(at(run, 1), into=at(run, 2), actor=approver)

    assert merged.position == 1
    assert [sorted(keys) for keys in taught(run)] == [["a", "b", "c"], ["d"]]


def test_a_stage_is_not_merged_into_itself_or_another_run(run, approver):
    for other in (at(run, 1), StageFactory(run=RunFactory(reviewing_curriculum=True))):
        with pytest.raises(BadPlan):
            stages.merge(other, into=at(run, 1), actor=approver)


def test_stages_change_places(run, approver):
    StageFactory(run=run, skills=["e"])
    order = [at(run, n).pk for n in (1, 4, 2, 3)]

    stages.reorder(run, order=order, actor=approver)

    assert taught(run) == ["ab", "e", "c", "d"]
    assert AuditEntry.objects.get().action == "stage.reordered"


def test_an_order_has_to_name_every_stage_once(run, approver):
    keys = list(run.stages.values_list("pk", flat=True))

    nobodys = max(keys) + 1

    for order in (keys[:2], [*keys, keys[0]], [keys[0], keys[0], keys[1]], [*keys[:2], nobodys]):
        with pytest.raises(BadPlan):
            stages.reorder(run, order=order, actor=approver)


def test_a_skill_is_moved_within_its_run_and_to_another_stage(run, approver):
    with pytest.raises(BadPlan):
        stages.move_skill(skill(run, "a"), to_stage=at(run, 1), actor=approver)
    with pytest.raises(BadPlan):
        stages.move_skill(SkillFactory(), to_stage=at(run, 1), actor=approver)


def test_of_a_bridged_skill_the_full_stage_moves(run, approver):
    StageFactory(run=run, skills=["d"])
    target = StageFactory(run=run, skills=["e"])

    stages.move_skill(skill(run, "d"), to_stage=target, actor=approver)

    assert [sorted(keys) for keys in taught(run)] == [["a", "b"], ["c"], ["d"], ["d", "e"]]


def test_the_plan_stands_once_it_is_signed(run, approver):
    run.status = "teaching"
    run.save(update_fields=["status"])

    for change in (
        lambda: stages.move_skill(skill(run, "b"), to_stage=at(run, 2), actor=approver),
        lambda: stages.split(at(run, 1), skills=[skill(run, "b")], actor=approver),
        lambda: stages.merge(at(run, 1), into=at(run, 2), actor=approver),
        lambda: stages.reorder(run, order=[], actor=approver),
    ):
        with pytest.raises(WrongMoment, match="Stages can be changed only while"):
            change()

    assert Stage.objects.count() == 3


def test_every_change_keeps_the_log_whole(run, approver):
    new = stages.split(at(run, 1), skills=[skill(run, "b")], actor=approver)
    stages.merge(Stage.objects.get(pk=new.pk), into=at(run, 1), actor=approver)
    stages.move_skill(skill(run, "b"), to_stage=at(run, 2), actor=approver)

    assert audit.verify(run)[0] == 3


def test_what_would_be_said_of_a_move_is_said_and_nothing_moves(run):
    before = taught(run)

    broken, steps = stages.objections(skill(run, "d"), to_stage=at(run, 1))

    assert broken == ["d builds on c, so c has to be taught in an earlier stage."]
    assert stages.objections(skill(run, "b"), to_stage=at(run, 3)) == ([], [])
    there, _ = stages.objections(skill(run, "b"), to_stage=at(run, 1))
    assert there == [f"{skill(run, 'b')} is in this stage already."]
    assert taught(run) == before
    assert not AuditEntry.objects.exists()


def test_a_step_that_a_move_would_make_too_large_is_told_before(approver):
    run = diagnosed(approver, skills=["A2", "S1"])
    runs.sign_diagnosis(run, actor=approver)
    run.skills.filter(key="A2").update(gap=0.2)
    for key, mean in {"A2": 0.8, "S1": 0.0}.items():
        Score.objects.filter(skill__key=key, checkpoint__isnull=False).update(mean=mean)
    run.stages.all().delete()
    both = StageFactory(run=run, skills=["A2", "S1"])
    behind = StageFactory(run=run, skills=[])

    broken, steps = stages.objections(run.skills.get(key="S1"), to_stage=behind)

    assert broken == []
    assert len(steps) == 1
    assert "over the bound of 0.15" in steps[0]
    assert both.stage_skills.count() == 2
