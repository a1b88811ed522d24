"""What the student gets wrong on diagnostic probes weighs what its next items are about."""

from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum.engine.steering import errors_of, planned_aims, to_ask
from curriculum.models import Answer, Item
from curriculum.services import items, runs, stages
from distill import domains
from tests.curriculum.small import PROBES, diagnosed, work
from tests.factories import (
    AnswerFactory,
    CheckpointFactory,
    GateFactory,
    ItemFactory,
    ProbeFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
    evidence,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """A4 is taught, in its first round; the student as it came is the current one."""
    run = RunFactory(teaching=True, domain="foundations")
    CheckpointFactory(run=run)
    SkillFactory(run=run, key="A4", deficient=True)
    return run


def say(run, student, wrong, n, *, split="diagnose"):
    """`n` answers of the student to 452 - 137 and the like that say `wrong` instead of 315."""
    skill = run.skills.get(key="A4")
    for _ in range(n):
        probe = ProbeFactory(
            skill=skill, split=split, question="What is 452 - 137?", reference="315"
        )
        AnswerFactory(probe=probe, checkpoint=student, text=f"Answer: {wrong}", grade=0.0)


def test_the_kinds_are_those_of_the_diagnosis_until_the_student_is_asked_again(run):
    base = run.checkpoints.get()
    say(run, base, 325, 4)
    assert errors_of(run, ["A4"]) == {"A4": {"borrow_missed": 4}}

    run.checkpoints.update(is_current=False)
    now = CheckpointFactory(run=run, parent=base)
    assert errors_of(run, ["A4"]) == {"A4": {"borrow_missed": 4}}

    say(run, now, 215, 3)  # too few to stand for all that it says
    assert errors_of(run, ["A4"]) == {"A4": {"borrow_missed": 4}}
    say(run, now, 215, 4)
    assert errors_of(run, ["A4"]).keys() == {"A4"}
    assert errors_of(run, ["A4"])["A4"]["needless_carry"] >= 4


def test_answers_to_gate_and_final_probes_are_never_looked_at(run):
    for split in ("gate", "final"):
        say(run, run.checkpoints.get(), 325, 4, split=split)

    assert errors_of(run, ["A4"]) == {}


def test_only_skills_whose_errors_leave_a_choice_are_asked_again():
    assert to_ask(domains.load("foundations"), ["A4", "B3", "S1", "N1"], 0) == ["A4"]


def test_the_gate_page_says_what_the_next_round_would_be_aimed_at(client, run, approver):
    say(run, run.checkpoints.get(), 325, 5)
    stage = StageFactory(run=run, deciding=True, skills=["A4"])
    found = evidence(stage, "not_yet")
    found["stage"][0]["ratio"] = 0.2
    gate = GateFactory(stage=stage, evidence=found)
    client.force_login(approver.user)

    [(key, n, says)] = planned_aims(run, {"A4": 100})
    html = client.get(reverse("curriculum:stage-gate", args=[stage.pk])).content.decode()

    assert gate.round == 0
    assert (key, n) == ("A4", 50)
    assert "Aimed at errors" in html
    assert f"“{says}”" in html


def test_where_the_student_tries_questions_the_gate_page_foretells_no_aims(client, run, approver):
    say(run, run.checkpoints.get(), 325, 5)
    run.settings["writing"]["tried"] = 3
    run.save(update_fields=["settings"])
    stage = StageFactory(run=run, deciding=True, skills=["A4"])
    found = evidence(stage, "not_yet")
    found["stage"][0]["ratio"] = 0.2
    GateFactory(stage=stage, evidence=found)
    client.force_login(approver.user)

    html = client.get(reverse("curriculum:stage-gate", args=[stage.pk])).content.decode()

    assert planned_aims(run, {"A4": 100}) == []
    assert "Aimed at errors" not in html
    assert "Tried first" in html


@pytest.mark.parametrize("origin", [None, 7])
def test_a_gate_is_shown_where_the_domain_is_gone(client, run, approver, origin):
    say(run, run.checkpoints.get(), 325, 5)
    stage = StageFactory(run=run, deciding=True, skills=["A4"])
    found = evidence(stage, "not_yet")
    found["stage"][0]["ratio"] = 0.2
    GateFactory(stage=stage, evidence=found)
    type(run).objects.update(domain="domains/gone.yaml", origin=origin)
    client.force_login(approver.user)

    html = client.get(reverse("curriculum:stage-gate", args=[stage.pk])).text

    assert "Aimed at errors" not in html
    assert ("One more round <small" in html) == (origin is None)


def test_a_skill_that_the_domain_has_no_more_is_foretold_no_aim(run):
    say(run, run.checkpoints.get(), 325, 5)
    run.skills.update(key="A99")

    assert planned_aims(run, {"A99": 100}) == []


def test_the_review_page_says_what_an_item_was_chosen_for(client, run, approver):
    stage = StageFactory(run=run, reviewing=True, skills=["A4"])
    ItemFactory(stage=stage, aims=["borrow_missed"])
    client.force_login(approver.user)

    html = client.get(reverse("curriculum:stage-review", args=[stage.pk])).content.decode()

    assert "Chosen for" in html
    assert "forgets the borrow" in html


def test_an_item_chosen_for_nothing_claims_nothing(client, run, approver):
    stage = StageFactory(run=run, reviewing=True, skills=["A4"])
    ItemFactory(stage=stage)
    client.force_login(approver.user)

    html = client.get(reverse("curriculum:stage-review", args=[stage.pk])).content.decode()

    assert "Chosen for" not in html


def test_items_are_written_for_the_errors_and_say_so(approver, settings, tmp_path):
    settings.IOA_HOME = tmp_path
    run = diagnosed(approver, skills=["A4"])
    answers = Answer.objects.filter(checkpoint__run=run).select_related("probe")
    for answer in answers:
        a, sign, b = answer.probe.question.split("What is ")[-1].rstrip("?").split()[:3]
        borrows = sign in "-−" and int(a[-1]) < int(b[-1])
        turned = int(answer.probe.reference) + 10
        Answer.objects.filter(pk=answer.pk).update(
            text=f"Answer: {turned if borrows else answer.probe.reference}", grade=not borrows
        )
    kinds = errors_of(run, ["A4"])["A4"]
    runs.sign_diagnosis(run, actor=approver)
    runs.sign_curriculum(run, actor=approver)
    stage = stages.open(run.stages.get(), actor=approver)
    work(run)

    aims = list(Item.objects.filter(stage=stage).values_list("aims", flat=True))
    assert kinds == {"borrow_missed": kinds["borrow_missed"]}
    assert kinds["borrow_missed"] >= 3
    assert aims.count(["borrow_missed"]) in range(len(aims) // 2 - 2, len(aims) // 2 + 1)


def test_where_a_remedy_is_due_the_student_is_asked_what_it_gets_wrong_by_now(
    approver, settings, tmp_path
):
    settings.IOA_HOME = tmp_path
    run = diagnosed(approver, skills=["A4"])
    runs.sign_diagnosis(run, actor=approver)
    runs.sign_curriculum(run, actor=approver)
    stage = stages.open(run.stages.get(), actor=approver)
    work(run)
    stage.refresh_from_db()
    items.approve_all(stage, actor=approver, round=0)
    stages.train(stage, actor=approver, round=0)
    work(run)
    work(run)

    gate = stage.gates.get()
    assert not gate.allows_advance
    asked = Answer.objects.filter(checkpoint=gate.checkpoint, probe__split="diagnose")
    assert asked.count() == PROBES
    assert not gate.checkpoint.scores.filter(split="diagnose").exists()
