"""A question that was trained on says nothing of what was learnt."""

from __future__ import annotations

import pytest

from curriculum.engine.describe import load_domain
from curriculum.models import Answer, GateRecord, Item, Probe
from distill.domains import question_key
from distill.records import Split
from tests.curriculum.small import assessing, work
from tests.factories import ViewerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.IOA_HOME = tmp_path


@pytest.fixture
def stage(approver):
    """It was trained on a question that the gate would ask first; who edited it could not know."""
    stage = assessing(approver)
    probe = first_at_the_gate(stage)
    Item.objects.filter(pk=Item.objects.earliest("pk").pk).update(question=probe.question)
    return stage


def first_at_the_gate(stage):
    domain = load_domain(stage.run.domain)
    return domain.probes("A2", Split.GATE, 1, seed=stage.run.seed)[0]


def test_the_gate_does_not_ask_it(stage):
    trained = question_key(first_at_the_gate(stage).question)

    work(stage.run)

    asked = set(Answer.objects.filter(probe__split="gate").values_list("probe__key", flat=True))
    assert len(asked) == GateRecord.objects.get().evidence["stage"][0]["n"] > 0
    assert trained not in asked
    assert GateRecord.objects.get().evidence["void"] == []


def test_nor_do_the_words_an_item_had_before_an_edit_come_back(stage):
    item = Item.objects.earliest("pk")
    item.revisions.create(version=1, question=item.question, solution=item.solution)
    Item.objects.filter(pk=item.pk).update(question="What is 1 + 1 + 1?", version=2)

    work(stage.run)

    assert not Answer.objects.filter(probe__key=first_at_the_gate(stage).id).exists()


def test_an_answer_that_is_there_all_the_same_is_void_and_the_page_says_so(stage, client):
    probe = first_at_the_gate(stage)
    row = Probe.objects.create(
        skill=stage.run.skills.get(key="A2"),
        key=probe.id,
        split="gate",
        question=probe.question,
        reference=probe.reference,
        grader=probe.grader,
    )
    current = stage.run.checkpoints.get(is_current=True)
    Answer.objects.create(
        probe=row, checkpoint=current, text="It is.", grade=1.0, grader="number@1"
    )

    work(stage.run)

    gate = GateRecord.objects.get()
    assert gate.evidence["void"] == [["A2", 1]]
    assert gate.evidence["stage"][0]["n"] == current.answers.filter(probe__split="gate").count() - 1
    client.force_login(ViewerFactory())
    text = client.get(f"/stages/{stage.pk}/gate/").text
    assert "1 answer of A2 does not count" in text
