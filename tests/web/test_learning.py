"""How a student learnt, on the report page: from the first gate on, roll-backs left out."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.models import Score
from curriculum.views.learning import learning
from tests.factories import (
    CheckpointFactory,
    ItemFactory,
    RunFactory,
    ScoreFactory,
    SkillFactory,
    SnapshotFactory,
    StageFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(db):
    """Two skills; a round of 30 items with new ones of A, one of 20 with A repeated, and before
    that one of 50 that was rolled back.
    """
    run = RunFactory(teaching=True)
    stage = StageFactory(run=run, training=True)
    a, b = (SkillFactory(run=run, key=key) for key in "AB")
    base = CheckpointFactory(run=run)
    first = _trained(stage, 0, 30, base, new=a)
    _trained(stage, 1, 50, first, new=b, a=(a, 0.2), b=(b, 0.2))
    last = _trained(stage, 2, 20, first, new=b, repeated=a)
    run.checkpoints.update(is_current=False)
    run.checkpoints.filter(pk=last.pk).update(is_current=True)
    for skill in (a, b):
        ScoreFactory(skill=skill, mean=0.8)  # of the teacher
        ScoreFactory(skill=skill, checkpoint=base, mean=0.1)
    ScoreFactory(skill=a, checkpoint=first, split="gate", mean=0.9)
    ScoreFactory(skill=b, checkpoint=first, mean=0.3)  # ahead
    ScoreFactory(skill=a, checkpoint=last, split="gate", mean=0.7)
    ScoreFactory(skill=b, checkpoint=last, split="gate", mean=1.0, low=0.9, high=1.0)
    ScoreFactory(skill=b, checkpoint=last, split="final", mean=0.5)
    return run


def _trained(stage, round_, n_items, parent, *, new, repeated=None, **scores):
    snapshot = SnapshotFactory(stage=stage, round=round_, n_items=n_items)
    for position, (skill, is_rehearsal) in enumerate([(new, False), (repeated, True)]):
        if skill is not None:
            item = ItemFactory(stage=stage, skill=skill, round=round_)
            snapshot.entries.create(
                item=item, version=1, position=position, is_rehearsal=is_rehearsal
            )
    made = CheckpointFactory(
        run=stage.run, parent=parent, stage=stage, round=round_, snapshot=snapshot, is_current=False
    )
    for skill, mean in scores.values():
        ScoreFactory(skill=skill, checkpoint=made, split="gate", mean=mean)
    return made


def test_each_skill_has_a_curve_over_the_items_of_the_way_to_the_current_student(run):
    found = learning(run)

    assert [(c.name, c.items) for c in found.columns] == [("base", 0), ("s1r0", 30), ("s1r2", 50)]
    a, b = found.curves
    assert [mark.score.mean for mark in a.cells] == [0.1, 0.9, 0.7]
    assert [mark.score.mean for mark in b.cells] == [0.1, 0.3, 1.0]
    assert [mark.is_taught for mark in a.cells] == [False, True, False]
    assert [mark.is_taught for mark in b.cells] == [False, False, True]


def test_places_are_in_proportion_to_items_and_grades(run):
    b = learning(run).curves[1]

    assert [mark.x for mark in b.cells] == [
        b.left,
        round(b.left + (b.right - b.left) * 30 / 50),
        b.right,
    ]
    assert b.cells[2].y == b.top
    assert b.cells[2].low == round(b.top + 0.1 * (b.bottom - b.top))
    assert b.threshold == round(b.top + (1 - 0.9 * 0.8) * (b.bottom - b.top))
    assert b.says == "B: 10% after 0 items, 30% after 30 items, 100% after 50 items"


def test_what_was_not_asked_of_a_student_is_a_gap(run):
    Score.objects.filter(skill__key="B", split="diagnose", checkpoint__round=0).exclude(
        checkpoint__parent=None
    ).delete()

    b = learning(run).curves[1]

    assert [mark and mark.score.mean for mark in b.cells] == [0.1, None, 1.0]
    assert b.path.count("L") == 1


def test_a_skill_that_was_asked_once_has_no_curve(run):
    c = SkillFactory(run=run, key="C", is_transfer=True)
    ScoreFactory(skill=c, checkpoint=run.checkpoints.get(parent=None))

    assert [curve.skill.key for curve in learning(run).curves] == ["A", "B"]


def test_before_the_first_gate_there_is_nothing_to_draw(db):
    run = RunFactory(teaching=True)
    skill = SkillFactory(run=run)
    ScoreFactory(skill=skill)
    ScoreFactory(skill=skill, checkpoint=CheckpointFactory(run=run))

    assert learning(run).curves == []


def test_the_page_shows_them_while_the_run_is_under_way(client, viewer, run):
    page = client.get(reverse("curriculum:run-report", args=[run.pk])).text

    assert "How it learnt" in page
    assert "B: 10% after 0 items, 30% after 30 items, 100% after 50 items" in page
    assert "The rest of this page is made after the last stage is settled" in page
    assert "No report yet" not in page


def test_it_takes_as_many_queries_whatever_there_is(run, django_assert_num_queries):
    with django_assert_num_queries(5):
        learning(run)
