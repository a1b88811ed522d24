"""What a teacher has said once is not paid for again."""

from __future__ import annotations

import pytest

from curriculum.models import Answer, Probe
from distill import roster
from distill.backends.base import Reply
from tests.curriculum.small import diagnosed

pytestmark = pytest.mark.django_db


class Paid:
    """A teacher that is right, and takes seven tokens for it."""

    name = "paid"
    asked: list[str]

    def __init__(self):
        self.asked = []

    def generate(self, prompts):
        self.asked += [p.text for p in prompts]
        return [Reply(f"Answer: {p.reference}", 3, 4) for p in prompts]

    def close(self):
        pass


@pytest.fixture(autouse=True)
def teacher(settings, tmp_path, monkeypatch):
    settings.IOA_HOME = tmp_path
    settings.IOA_TEACHERS = ["paid", "paid-other"]
    teacher = Paid()
    really = roster.find_teacher
    monkeypatch.setattr(
        roster,
        "find_teacher",
        lambda spec, *where: teacher if spec.startswith("paid") else really(spec, *where),
    )
    return teacher


def of_teacher(run):
    return Answer.objects.filter(probe__skill__run=run, checkpoint=None)


def figures(run):
    return list(run.skills.values_list("key", "gap", "gap_low", "gap_high", "is_deficient"))


def test_another_run_with_the_same_teacher_takes_its_answers_over(approver, teacher):
    first = diagnosed(approver, teacher="paid")
    paid = len(teacher.asked)

    second = diagnosed(approver, teacher="paid")

    assert len(teacher.asked) == paid > 0
    assert of_teacher(second).count() == of_teacher(first).count() == paid
    assert set(of_teacher(second).values_list("tokens", flat=True)) == {0}
    assert set(of_teacher(first).values_list("tokens", flat=True)) == {7}
    assert all(a.reused_from.probe.key == a.probe.key for a in of_teacher(second))
    assert figures(second) == figures(first)


@pytest.mark.parametrize(
    "given", [{"teacher": "paid-other"}, {"seed": 5}], ids=["another teacher", "other questions"]
)
def test_what_was_not_said_is_asked(approver, teacher, given):
    first = diagnosed(approver, teacher="paid")
    known = set(of_teacher(first).values_list("probe__key", flat=True))
    before = len(teacher.asked)

    second = diagnosed(approver, **{"teacher": "paid", **given})

    asked = of_teacher(second).filter(reused_from=None)
    assert len(teacher.asked) - before == asked.count() > 0
    if given.get("seed"):
        assert not known & set(asked.values_list("probe__key", flat=True))


def test_to_a_question_with_another_reference_it_is_asked(approver, teacher):
    first = diagnosed(approver, teacher="paid")
    changed = Probe.objects.filter(skill__run=first, split="diagnose")[0]
    Probe.objects.filter(pk=changed.pk).update(reference="another")
    before = len(teacher.asked)

    diagnosed(approver, teacher="paid")

    assert teacher.asked[before:] == [changed.question]


def test_a_teacher_that_answers_for_nothing_is_asked(approver):
    diagnosed(approver)
    second = diagnosed(approver)

    assert not of_teacher(second).exclude(reused_from=None).exists()
