from __future__ import annotations

import pytest

from tests.factories import (
    AnswerFactory,
    CheckpointFactory,
    GateFactory,
    ProbeFactory,
    StageFactory,
    diagnosed_run,
    evidence,
)

pytestmark = pytest.mark.django_db


def answers(skill, checkpoint, *, split, texts):
    for n, text in enumerate(texts):
        question = {"question": f"What is 4{n} + 38?", "reference": str(78 + n)}
        probe = ProbeFactory(skill=skill, split=split, **question)
        is_right = text == str(78 + n)
        AnswerFactory(probe=probe, checkpoint=checkpoint, text=text, grade=float(is_right))


def test_the_diagnosis_says_what_wrong_answers_have_in_common(client, viewer):
    run = diagnosed_run()
    skill, base = run.skills.get(key="A2"), run.checkpoints.get()
    answers(skill, base, split="diagnose", texts=["79", "80", "80", "", "82"])

    page = client.get(f"/runs/{run.pk}/diagnosis/").content.decode()

    assert "<strong>2</strong> Is one too many or too few." in page
    assert "<strong>1</strong> Says nothing." in page


def test_how_many_were_cut_off_stands_before_the_kinds_and_counts_no_right_one(client, viewer):
    run = diagnosed_run()
    skill, base = run.skills.get(key="A2"), run.checkpoints.get()
    answers(skill, base, split="diagnose", texts=["79", "79", "80", "81", "82"])  # two right
    base.answers.filter(probe__skill=skill, text__in=["79", "81"]).update(is_cut=True)

    page = client.get(f"/runs/{run.pk}/diagnosis/").content.decode()

    assert "<strong>1</strong> Is cut off" in page
    assert page.index("Is cut off") < page.index("Is one too many")


def test_the_gate_says_it_of_this_checkpoint_alone(client, viewer):
    stage = StageFactory(deciding=True, skills=["A2"])
    base = CheckpointFactory(run=stage.run)
    trained = CheckpointFactory(run=stage.run, parent=base, stage=stage, is_current=False)
    GateFactory(stage=stage, checkpoint=trained, evidence=evidence(stage, "not_yet"))
    skill = stage.run.skills.get(key="A2")
    answers(skill, base, split="gate", texts=["", "", ""])
    answers(skill, trained, split="gate", texts=["79", "80"])

    page = client.get(f"/stages/{stage.pk}/gate/").content.decode()

    assert "<strong>2</strong> Is one too many or too few." in page
    assert "Says nothing." not in page
