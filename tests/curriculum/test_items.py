from __future__ import annotations

import pytest

from curriculum.errors import (
    BadDomain,
    EmptyWords,
    LeakNeverApproved,
    NothingChanged,
    Overtaken,
    ReasonRequired,
    RunOver,
    WrongMoment,
)
from curriculum.models import AuditEntry, Item, Review, ReviewAction, Revision, Run, Stage
from curriculum.models.items import marks_of
from curriculum.services import audit, items, undoing
from curriculum.services.audit import Actor
from curriculum.states import ActorKind, RunStatus, Verdict
from distill.domains import question_key
from tests.factories import (
    ItemFactory,
    ProbeFactory,
    ReviewerFactory,
    SkillFactory,
    StageFactory,
    StageSkillFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1"])


@pytest.fixture
def item(stage):
    return ItemFactory(stage=stage, question="What is 2 + 3?", answer="5", solution="Answer: 5")


def test_an_approval_says_who_and_on_which_version(item, approver):
    items.approve(item, actor=approver, version=1)

    review = Review.objects.get()
    assert item.verdict == Verdict.APPROVED
    assert (review.reviewer, review.reviewed_as, review.version) == (approver.user, "person", 1)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("item.approved", f"item:{item.pk}")


def test_a_rejection_keeps_its_reason(item, approver):
    items.reject(item, actor=approver, version=1, reason="two steps in one line")

    assert item.verdict == Verdict.REJECTED
    assert Review.objects.get().reason == "two steps in one line"
    assert AuditEntry.objects.get().note == "two steps in one line"


def test_a_rejection_says_why(item, approver):
    with pytest.raises(ReasonRequired, match="a rejection stays on record"):
        items.reject(item, actor=approver, version=1, reason=" ")

    assert Item.objects.get().verdict == Verdict.WAITING


def test_a_second_approval_is_refused_and_leaves_no_trace(item, approver):
    other = Item.objects.get()
    items.approve(item, actor=approver, version=1)

    for seen in (item, other):
        with pytest.raises(Overtaken):
            items.approve(seen, actor=approver, version=1)

    assert Review.objects.count() == AuditEntry.objects.count() == 1


def test_whoever_rejects_what_another_has_just_approved_is_told(item, approver):
    other = Item.objects.get()
    items.approve(item, actor=approver, version=1)

    with pytest.raises(Overtaken, match="Look again before you decide"):
        items.reject(other, actor=approver, version=1, reason="no")

    assert Item.objects.get().verdict == Verdict.APPROVED


@pytest.mark.parametrize("version", [0, 2])
def test_a_verdict_is_for_the_version_that_was_seen(item, approver, version):
    with pytest.raises(Overtaken):
        items.approve(item, actor=approver, version=version)

    assert not Review.objects.exists()


def test_a_leak_is_never_approved(stage, approver):
    leak = ItemFactory(stage=stage, leak=True)

    with pytest.raises(LeakNeverApproved, match="used for measuring"):
        items.approve(leak, actor=approver, version=1)

    assert items.approve_all(stage, actor=approver, round=0) == 0
    assert Item.objects.get().verdict == Verdict.WAITING


def test_a_person_may_approve_what_failed_another_check(stage, approver):
    flagged = ItemFactory(stage=stage, flagged=True)

    items.approve(flagged, actor=approver, version=1)

    assert AuditEntry.objects.get().evidence["flagged"] is True


def test_a_verdict_can_be_undone_and_given_again(item, approver):
    items.approve(item, actor=approver, version=1)
    items.undo(item, actor=approver, version=1)
    assert item.verdict == Verdict.WAITING

    with pytest.raises(Overtaken):
        items.undo(item, actor=approver, version=1)
    items.reject(item, actor=approver, version=1, reason="after all")

    assert [r.verdict for r in Review.objects.all()] == ["approved", "", "rejected"]
    assert audit.verify(item.stage.run)[0] == 3


def test_an_edit_keeps_the_old_words_and_waits_again(item, approver):
    items.approve(item, actor=approver, version=1)

    items.edit(
        item,
        actor=approver,
        version=1,
        question=" What is 2 + 4? ",
        solution="2 and 4 make 6. Answer: 6",
    )

    assert (item.version, item.verdict, item.question) == (2, Verdict.WAITING, "What is 2 + 4?")
    old = Revision.objects.get()
    assert (old.version, old.question, old.solution) == (1, "What is 2 + 3?", "Answer: 5")
    assert old.actor == approver.user
    entry = AuditEntry.objects.get(action="item.edited")
    assert entry.was["question"] == "What is 2 + 3?"
    assert entry.became["solution"] == "2 and 4 make 6. Answer: 6"
    assert (entry.was["verdict"], entry.became["verdict"]) == ("approved", "")


def test_an_edit_by_who_has_not_seen_the_verdict_is_refused_and_says_what_it_is(item, approver):
    waits, approved = Verdict.WAITING, Verdict.APPROVED
    new = {"version": 1, "question": "What is 2 + 4?", "solution": "Answer: 6", "answer": "6"}
    other = Actor.person(ReviewerFactory(first_name="Bob", last_name="Reviewer"))
    items.approve(Item.objects.get(pk=item.pk), actor=other, version=1)

    with pytest.raises(Overtaken, match=r"changed: Bob Reviewer approved it\. Look again"):
        items.edit(Item.objects.get(pk=item.pk), actor=approver, seen=waits, **new)
    items.undo(Item.objects.get(pk=item.pk), actor=other, version=1)
    with pytest.raises(Overtaken, match="its verdict was taken back"):
        items.edit(Item.objects.get(pk=item.pk), actor=approver, seen=approved, **new)
    second = ItemFactory(stage=item.stage)
    items.approve_all(item.stage, actor=Actor.policy("clean"), round=0)
    with pytest.raises(Overtaken, match="policy approved it"):
        items.edit(Item.objects.get(pk=second.pk), actor=approver, seen=waits, **new)

    assert not Revision.objects.exists()
    items.edit(Item.objects.get(pk=second.pk), actor=approver, seen=approved, **new)
    assert Item.objects.get(pk=second.pk).version == 2


def test_the_answer_may_be_changed_alone_and_comes_back_with_an_undo(item, approver):
    words = {"question": item.question, "solution": "Answer: 6"}
    items.edit(item, actor=approver, version=1, **words, answer=" 6 ")

    assert (item.answer, item.solution) == ("6", "Answer: 6")
    assert Revision.objects.get().answer == "5"
    entry = AuditEntry.objects.get(action="item.edited")
    assert (entry.was["answer"], entry.became["answer"]) == ("5", "6")

    undoing.undo(ReviewAction.objects.get(), actor=approver)

    item.refresh_from_db()
    assert (item.version, item.answer, item.solution) == (3, "5", "Answer: 5")


def test_an_edit_that_says_nothing_of_the_answer_leaves_it(item, approver):
    items.edit(item, actor=approver, version=1, question=item.question, solution="Well. Answer: 5")

    assert item.answer == "5"
    assert "answer" not in AuditEntry.objects.get(action="item.edited").became
    with pytest.raises(EmptyWords):
        items.edit(item, actor=approver, version=2, question="x", solution="y", answer=" ")


def test_checks_run_again_on_new_words(item, approver):
    items.edit(item, actor=approver, version=1, question=item.question, solution="no idea")

    assert item.is_flagged
    assert any(not check["passed"] and check["detail"] for check in item.checks)
    assert AuditEntry.objects.get().evidence["failed"]


def test_an_edit_that_repeats_a_probe_is_a_leak_from_then_on(item, approver):
    question = "What is 4 + 4?"
    ProbeFactory(skill=item.skill, key=question_key(question), question=question, split="gate")

    items.edit(item, actor=approver, version=1, question=question, solution="Answer: 8")

    assert item.is_leak
    with pytest.raises(LeakNeverApproved):
        items.approve(item, actor=approver, version=2)


def test_new_words_go_through_the_same_checks_as_when_they_were_written(item, approver):
    items.edit(item, actor=approver, version=1, question="What is 1 + 4?", solution="Answer: 5")

    assert [(check["id"], check["passed"]) for check in item.checks] == [
        (id, True)
        for id in (
            "parses",
            "safety",
            "fits",
            "template",
            "skill",
            "steps",
            "answer",
            "duplicate",
            "leak",
        )
    ]


@pytest.mark.parametrize(
    ("question", "solution", "answer", "failed"),
    [
        ("What is 2 + 4?", "Answer: 7", "7", "answer"),
        ("Tom has 9 apples and eats 2. How many?", "9 - 2 = 8. Answer: 8", "8", "steps"),
        ("What is 2 + 4?", "Answer: 6", "6 or 7, no: 6", "answer"),
    ],
)
def test_what_a_person_typed_is_worked_out(item, approver, question, solution, answer, failed):
    words = {"question": question, "solution": solution, "answer": answer}
    items.edit(item, actor=approver, version=1, **words)
    new = items.write(item.stage, actor=approver, round=0, skill=item.skill, **words)

    assert failed in item.failed.split()
    assert failed in new.failed.split()


@pytest.mark.parametrize(
    ("question", "solution", "answer"),
    [
        ("Tom has 9 apples and eats 2. How many?", "Answer: 8", "8"),
        ("What is 17 ÷ 5?", "Answer: 3 remainder 2", "3 remainder 2"),
    ],
)
def test_nobody_calls_an_answer_right_that_one_person_gave_twice(
    item, approver, question, solution, answer
):
    words = {"question": question, "solution": solution, "answer": answer}
    items.edit(item, actor=approver, version=1, **words)

    passed = {check["id"] for check in item.checks if check["passed"]}
    assert "ending" in passed
    assert "answer" not in passed


def test_what_vouched_for_an_answer_stands_while_question_and_answer_do(stage, approver):
    vouched = [{"id": "answer", "version": 3, "passed": True, "detail": ""}]
    question = "Tom has 9 apples and eats 2. How many?"
    item = ItemFactory(stage=stage, question=question, answer="7", checks=vouched)

    items.edit(item, actor=approver, version=1, question=question, solution="So. Answer: 7")
    assert "answer" in {check["id"] for check in item.checks}

    items.edit(
        item, actor=approver, version=2, question=f"{question} Say!", solution="So. Answer: 7"
    )
    assert "ending" in {check["id"] for check in item.checks}


def test_an_edit_that_holds_thirteen_words_of_a_probe_is_a_leak(item, approver):
    probe = (
        "A weaver ties 4 knots in each of 6 ribbons and then unties 5 of them before supper. "
        "How many knots are left?"
    )
    ProbeFactory(skill=item.skill, key=question_key(probe), question=probe, split="gate")
    solution = "As when A WEAVER ties 4 knots in each of 6 ribbons, and then unties: 5. Answer: 5"

    items.edit(item, actor=approver, version=1, question=item.question, solution=solution)

    assert item.is_leak
    assert "13 words in a row" in item.checks[-1]["detail"]


def test_an_edit_that_repeats_a_registered_benchmark_is_a_leak(item, approver, settings, tmp_path):
    settings.IOA_HOME = tmp_path
    (tmp_path / "benchmarks").mkdir()
    file = tmp_path / "benchmarks" / "unseen.jsonl"
    file.write_text('{"question": "What is 3 + 4 * 2?", "answer": "11"}\n')

    items.edit(item, actor=approver, version=1, question="what IS 3+4*2", solution="Answer: 11")

    assert item.is_leak
    assert "unseen.jsonl, line 1" in item.checks[-1]["detail"]


def test_no_edit_is_saved_past_a_benchmark_that_cannot_be_read(item, approver, settings, tmp_path):
    settings.IOA_HOME = tmp_path
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "broken.jsonl").write_text("{")

    with pytest.raises(BadDomain, match="broken.jsonl, line 1"):
        items.edit(item, actor=approver, version=1, question="What?", solution="Answer: 5")

    assert Item.objects.get(pk=item.pk).version == 1


def test_an_edit_is_compared_with_the_items_of_earlier_rounds(item, approver):
    ItemFactory(stage=item.stage, round=item.round + 1, question="What is 1 + 4?")

    items.edit(item, actor=approver, version=1, question="What is 1 + 4 ?", solution="Answer: 5")

    assert [check["id"] for check in item.checks if not check["passed"]] == ["duplicate"]


def test_an_approval_of_the_old_words_comes_too_late(item, approver):
    other = Item.objects.get()
    items.edit(item, actor=approver, version=1, question="What is 2 + 4?", solution="Answer: 6")

    with pytest.raises(Overtaken):
        items.approve(other, actor=approver, version=1)
    with pytest.raises(Overtaken):
        items.edit(other, actor=approver, version=1, question="x", solution="y")

    assert Revision.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"question": " "}, EmptyWords),
        ({"solution": "\n"}, EmptyWords),
        ({}, NothingChanged),
    ],
)
def test_an_edit_has_words_and_changes_some(item, approver, words, error):
    given = {"question": item.question, "solution": item.solution, **words}

    with pytest.raises(error):
        items.edit(item, actor=approver, version=1, **given)

    assert not AuditEntry.objects.exists()


def test_all_that_wait_and_are_clean_are_approved_together(stage, approver):
    clean = [ItemFactory(stage=stage), ItemFactory(stage=stage)]
    ItemFactory(stage=stage, flagged=True)
    ItemFactory(stage=stage, rejected=True)
    ItemFactory(stage=stage, round=1)

    assert items.approve_all(stage, actor=approver, round=0) == 2

    approved = Item.objects.filter(verdict=Verdict.APPROVED)
    assert set(approved) == set(clean)
    assert Review.objects.count() == 2
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.became["n"]) == ("items.approved", 2)
    assert sorted(entry.evidence["items"]) == [[i.pk, 1] for i in clean]


def test_approving_together_can_be_for_one_skill(stage, approver):
    other = StageSkillFactory(stage=stage, skill=SkillFactory(run=stage.run, key="A2")).skill
    ItemFactory(stage=stage)
    mine = ItemFactory(stage=stage, skill=other)

    assert items.approve_all(stage, actor=approver, round=0, skill=other) == 1
    assert Item.objects.get(verdict=Verdict.APPROVED) == mine


def test_approving_nothing_together_leaves_no_entry(stage, approver):
    assert items.approve_all(stage, actor=approver, round=0) == 0
    assert not AuditEntry.objects.exists()


def test_flagged_items_are_rejected_together_with_the_checks_they_failed(stage):
    flagged = ItemFactory(stage=stage, flagged=True)
    ItemFactory(stage=stage, leak=True)
    ItemFactory(stage=stage)
    rule = Actor.policy("autopilot: flagged items")

    assert items.reject_flagged(stage, actor=rule, round=0) == 2

    review = Review.objects.get(item=flagged)
    assert (review.reason, review.reviewed_as) == ("failed check: answer", ActorKind.POLICY)
    assert review.reviewer is None
    assert AuditEntry.objects.get().note == "failed check: answer; failed check: leak"


@pytest.mark.parametrize(
    "status", ["planned", "writing", "training", "assessing", "deciding", "mastered", "waived"]
)
def test_items_are_reviewed_only_while_their_stage_is_in_review(item, approver, status):
    Stage.objects.update(status=status)

    for change in every_change(item, approver):
        with pytest.raises(WrongMoment, match="only while the stage is “in review”"):
            change()

    assert not AuditEntry.objects.exists()


def test_items_of_an_earlier_round_stay_as_they_are(item, approver):
    Stage.objects.update(round=1)

    for change in every_change(item, approver):
        with pytest.raises(Overtaken):
            change()


def test_items_of_a_run_that_is_over_stay_as_they_are(item, approver):
    Run.objects.update(status=RunStatus.STOPPED)

    for change in every_change(Item.objects.get(), approver):
        with pytest.raises(RunOver):
            change()


def every_change(item, actor):
    return [
        lambda: items.approve(item, actor=actor, version=1),
        lambda: items.reject(item, actor=actor, version=1, reason="no"),
        lambda: items.edit(item, actor=actor, version=1, question="What?", solution="That."),
        lambda: items.approve_all(item.stage, actor=actor, round=0),
        lambda: items.reject_flagged(item.stage, actor=actor, round=0),
    ]


@pytest.mark.parametrize(
    ("failed", "marks"),
    [
        ([], {"failed": "", "is_flagged": False, "is_leak": False}),
        (["steps"], {"failed": " steps ", "is_flagged": True, "is_leak": False}),
        (["leak", "answer"], {"failed": " answer leak ", "is_flagged": True, "is_leak": True}),
    ],
)
def test_what_its_checks_say_of_an_item_is_read_off_them(failed, marks):
    passed = {"id": "answers", "version": 1, "passed": True, "detail": ""}
    checks = [passed, *(passed | {"id": name, "passed": False} for name in failed)]

    assert marks_of(checks) == marks
