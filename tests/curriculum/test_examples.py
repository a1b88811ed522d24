"""How solutions of a skill are to be written: from the domain, changed by people, shown."""

from __future__ import annotations

import pytest

from curriculum import engine
from curriculum.engine.authoring import learner_of
from curriculum.engine.describe import load_domain
from curriculum.errors import BadPrompt, NothingChanged, Overtaken, RunOver
from curriculum.models import AuditEntry, Skill
from curriculum.services import prompts, runs
from distill.adapter.writing import Order
from distill.records import Example
from tests.factories import RunFactory, SkillFactory

pytestmark = pytest.mark.django_db

QUESTION = "What is 57 - 23?"
GOOD = {"question": QUESTION, "solution": "57 - 20 = 37\n37 - 3 = 34\nAnswer: 34"}


@pytest.fixture
def skill():
    run = RunFactory(teacher="openai:big@http://localhost/v1", domain="foundations")
    return SkillFactory(run=run, key="B2")


def show(skill, actor, *examples, **more):
    return prompts.show_examples(skill, actor=actor, examples=examples or [GOOD], **more)


def test_a_new_run_has_those_of_its_domain(approver):
    run = runs.create(
        actor=approver,
        name="Twos",
        domain="foundations",
        teacher="procedural",
        student="simulated",
        skills=["B2"],
    )

    skill = run.skills.get()
    assert len(skill.examples) == 3
    assert skill.examples == engine.examples_of_domain(skill)


def test_the_teacher_is_shown_what_people_said_and_the_log_has_the_words(skill, approver):
    show(skill, approver, note="tens first")

    skill.refresh_from_db()
    told = learner_of(skill, Order("B2", 3), load_domain("foundations"))
    assert told.skill.examples == (Example(**GOOD),)
    entry = AuditEntry.objects.get(action="skill.examples")
    assert (entry.was, entry.became) == ({"examples": []}, {"examples": [GOOD]})
    assert entry.note == "tens first"


def test_line_ends_of_a_form_are_those_of_a_file(skill, approver):
    show(
        skill, approver, {"question": f" {QUESTION}\r\n", "solution": "57 - 20 = 37\r\nAnswer: 34"}
    )

    skill.refresh_from_db()
    assert skill.examples == [{"question": QUESTION, "solution": "57 - 20 = 37\nAnswer: 34"}]


def test_none_is_asked_in_its_own_words_again(skill, approver):
    show(skill, approver)

    prompts.show_examples(skill, actor=approver, examples=[])

    assert Skill.objects.get().examples == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"question": ""}, "Example 1: There is no question."),
        ({"solution": ""}, "Example 1: The solution has a step a line"),
        ({"solution": "57 - 20 = 37\n37 - 3 = 34"}, "ends in a line “Answer: …”"),
        ({"solution": "57 - 20 = 38\nAnswer: 34"}, "says 57 - 20 = 38, which is not so"),
        ({"solution": "57 - 20 = 37\nAnswer: 33"}, "The answer is 34, not 33."),
        ({"solution": "x" * 2000}, "at most 2,000 characters"),
        (
            {"question": "What is 52 - 27?", "solution": "52 - 20 = 32\nAnswer: 25"},
            "is one of “Sub",
        ),
        ({"question": "What is 94 - 82?", "solution": "90 - 80 = 10\nAnswer: 12"}, "Example 1: "),
    ],
)
def test_what_is_wrong_or_measured_with_is_refused(skill, approver, change, says):
    with pytest.raises(BadPrompt, match="Example 1: ") as caught:
        show(skill, approver, GOOD | change)

    assert says in str(caught.value)
    assert Skill.objects.get().examples == []
    assert not AuditEntry.objects.exists()


def test_no_more_than_five(skill, approver):
    with pytest.raises(BadPrompt, match="at most 5 examples; these are 6"):
        show(skill, approver, *[GOOD] * 6)


def test_what_somebody_has_changed_meanwhile_is_refused(skill, approver):
    seen = skill.examples_digest
    show(skill, approver, seen=seen)

    with pytest.raises(Overtaken):
        prompts.show_examples(skill, actor=approver, examples=[], seen=seen)
    with pytest.raises(NothingChanged):
        show(skill, approver)


def test_a_generator_is_shown_none_and_a_run_that_is_over_none_more(approver):
    by_program = SkillFactory(run=RunFactory(teacher="procedural", domain="foundations"), key="B2")
    over = SkillFactory(run=RunFactory(status="stopped", teacher="openai:b@http://localhost/v1"))

    with pytest.raises(BadPrompt, match="a program"):
        show(by_program, approver)
    with pytest.raises(RunOver):
        show(over, approver)


def test_the_words_that_the_teacher_gets_have_them_before_the_question(skill, approver):
    assert engine.asked_alone(skill) == ""  # this run's teacher puts its own questions

    skill.run.settings["writing"]["questions_of_domain"] = True
    skill.run.save()
    show(skill, approver)

    skill.refresh_from_db()
    words = engine.asked_alone(skill)
    assert words.index(GOOD["solution"]) < words.rindex("Question:")
