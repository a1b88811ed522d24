"""What a teacher has said once is not paid for again."""

from __future__ import annotations

import pytest

from curriculum.engine.describe import settings_of
from curriculum.models import Answer, Probe
from distill import roster
from distill.backends.base import Reply
from tests.curriculum.small import diagnosed

pytestmark = pytest.mark.django_db


class Paid:
    """A teacher that is right, and takes seven tokens for it."""

    name = "paid"
    asked: list[str]
    limits: set[int]

    def __init__(self):
        self.asked, self.limits = [], set()

    def generate(self, prompts):
        self.asked += [p.text for p in prompts]
        self.limits |= {p.sampling.max_tokens for p in prompts}
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


def limited(run, **probing):
    run.settings["probing"] |= probing
    run.save(update_fields=["settings"])
    return run


def test_a_teacher_may_think_aloud_longer_than_the_student_answers(approver, teacher):
    run = diagnosed(approver, teacher="paid")

    assert teacher.limits == {512}
    assert settings_of(run).probing.max_answer_tokens == 96


def test_what_was_cut_off_elsewhere_is_not_taken_over(approver, teacher):
    limited(diagnosed(approver, teacher="paid"), teacher_answer_tokens=100)
    paid = len(teacher.asked)

    diagnosed(approver, teacher="paid")

    assert len(teacher.asked) == 2 * paid


@pytest.mark.parametrize("has_setting", [True, False])
def test_in_a_run_of_an_earlier_version_the_teacher_keeps_to_the_students_limit(
    approver, teacher, has_setting
):
    first = limited(diagnosed(approver, teacher="paid"), max_answer_tokens=512)
    first.settings["probing"]["teacher_answer_tokens"] = None
    if not has_setting:
        del first.settings["probing"]["teacher_answer_tokens"]
    first.save(update_fields=["settings"])
    paid = len(teacher.asked)

    second = diagnosed(approver, teacher="paid")

    assert settings_of(first).probing.limit(is_teacher=True) == 512
    assert len(teacher.asked) == paid  # at the same limit, by another setting
    assert of_teacher(second).count() == paid


def test_a_teacher_that_answers_for_nothing_is_asked(approver):
    diagnosed(approver)
    second = diagnosed(approver)

    assert not of_teacher(second).exclude(reused_from=None).exists()
