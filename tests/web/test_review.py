from __future__ import annotations

import re

import pytest
from django.urls import reverse

from curriculum.models import Item
from curriculum.states import Verdict
from curriculum.views.review_reads import difference
from tests.factories import (
    AnswerFactory,
    CheckpointFactory,
    ItemFactory,
    ProbeFactory,
    ScoreFactory,
    StageFactory,
)
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return StageFactory(reviewing=True, skills=["A1", "A2"])


def queue(stage, query=""):
    return f"/stages/{stage.pk}/review/{query}"


def post(client, item, verb, **form):
    url = reverse(f"curriculum:item-{verb}", args=[item.pk])
    return client.post(url, {"version": item.version, **form}, headers=HTMX)


def test_a_verdict_brings_the_next_item_of_the_queue(client, reviewer, stage):
    first, second = ItemFactory.create_batch(2, stage=stage)

    response = post(client, first, "approve")

    assert f'id="item-{second.pk}"' in response.text
    assert "<strong>1</strong> waiting" in response.text
    first.refresh_from_db()
    assert first.verdict == Verdict.APPROVED


def test_after_the_last_verdict_the_training_can_start(client, approver, stage):
    item = ItemFactory(stage=stage)

    response = post(client, item, "approve")

    assert "Every item has a verdict" in response.text
    assert "Train on 1 approved items" in response.text


def test_a_reviewer_is_told_that_an_approver_starts_the_training(client, reviewer, stage):
    ItemFactory(stage=stage, approved=True)

    response = client.get(queue(stage))

    assert "This needs an approver." in response.text


def test_a_rejection_has_to_say_why(client, reviewer, stage):
    item = ItemFactory(stage=stage)

    response = post(client, item, "reject", reason=" ")

    assert response.status_code == 422
    assert 'id="reject-error"' in response.text
    assert f'id="item-{item.pk}"' in response.text
    item.refresh_from_db()
    assert item.verdict == Verdict.WAITING


def test_what_a_failed_check_says_stands_where_the_verdict_is_given(client, reviewer, stage):
    failed = {"id": "answer", "version": 1, "passed": False, "detail": "It ends in <b>3</b>."}
    item = ItemFactory(stage=stage, is_flagged=True, failed=" answer ", checks=[failed])

    shown = client.get(queue(stage)).text

    says = "It ends in &lt;b&gt;3&lt;/b&gt;."
    assert shown.index('id="failed-checks"') < shown.index(says) < shown.index('id="approve"')
    said = post(client, item, "approve").text
    assert f'notice warning">Approved although a check failed. {says}' in said


def test_an_item_that_passed_is_approved_without_a_word_of_checks(client, reviewer, stage):
    item = ItemFactory(stage=stage)

    assert "failed-checks" not in client.get(queue(stage)).text
    assert 'notice success">Approved.<' in post(client, item, "approve").text


@pytest.mark.parametrize(
    ("solution", "notice"),
    [
        ("Answer: 8", 'warning">Saved as a new version. It fails a check: answer not right.'),
        ("So. Answer: 7", 'success">Saved as a new version. It passes every check.'),
    ],
)
def test_an_edit_tells_how_its_checks_came_out(client, reviewer, stage, solution, notice):
    item = ItemFactory(stage=stage, question="What is 5 + 2?", answer="7")

    words = {"question": item.question, "answer": item.answer}
    response = post(client, item, "edit", **words, solution=solution)

    assert notice in response.text


def test_an_edit_that_no_program_can_work_out_says_so(client, reviewer, stage):
    item = ItemFactory(stage=stage, question="Tom has 5 hens and gets 2. How many?", answer="7")

    words = {"question": item.question, "answer": "8"}
    shown = post(client, item, "edit", **words, solution="Answer: 8").text

    assert "It passes every check; whether its answer is right, no program can tell." in shown
    assert "ends in its answer" in shown
    assert "answer right" not in shown


def test_approving_all_says_how_many_answers_only_a_person_has_told(client, reviewer, stage):
    item = ItemFactory(stage=stage, question="Tom has 5 hens and gets 2. How many?", answer="7")
    says = "no program can tell whether the answer is right"
    assert says not in client.get(queue(stage)).text

    words = {"question": item.question, "answer": "8"}
    post(client, item, "edit", **words, solution="Answer: 8")

    assert f"Of <strong>1</strong> {says}" in client.get(queue(stage)).text


def test_several_checks_that_fail_are_named_as_the_list_names_them(client, reviewer, stage):
    item = ItemFactory(stage=stage, question="What is 5 + 2?", answer="7")

    words = {"question": item.question, "answer": "8"}
    shown = post(client, item, "edit", **words, solution="Eight, as 5 + 2 = 8.").text

    assert (
        "It fails 3 checks: not in the run&#x27;s one form, a false step, answer not right."
        in shown
    )


def test_an_edit_stays_on_the_item_and_shows_what_changed(client, reviewer, stage):
    item = ItemFactory(stage=stage, question="What is 1 + 1?", solution="Answer: 3")

    response = post(
        client, item, "edit", question="What is 1 + 1?", solution="Answer: 2", answer="5"
    )

    assert f'id="item-{item.pk}"' in response.text
    assert "<del>3</del><ins>2</ins>" in response.text
    assert "version 2" in response.text


def test_an_edit_without_words_keeps_the_form_open_with_what_was_typed(client, reviewer, stage):
    item = ItemFactory(stage=stage)

    response = post(client, item, "edit", question="", solution="Kept words", answer="5")

    assert response.status_code == 422
    assert "The question may not be empty." in response.text
    assert "Kept words" in response.text


def test_a_wrong_answer_can_be_corrected_and_the_item_is_clean_again(client, reviewer, stage):
    words = {"question": "What is 1 + 1?", "solution": "Answer: 2", "answer": "3"}
    item = ItemFactory(stage=stage, **words)

    form = client.get(
        f"{reverse('curriculum:stage-review', args=[stage.pk])}?item={item.pk}&edit=1"
    )
    response = post(client, item, "edit", **words | {"answer": "2"})

    assert 'name="answer" class="mono" value="3"' in form.text
    assert "<del>3</del><ins>2</ins>" in response.text
    item.refresh_from_db()
    assert (item.answer, item.is_flagged, item.version) == ("2", False, 2)


def test_a_verdict_on_an_older_version_is_refused(client, reviewer, stage):
    item = ItemFactory(stage=stage, version=2)

    response = post(client, item, "approve", version=1)

    assert response.status_code == 409
    assert Item.objects.get().verdict == Verdict.WAITING


def test_undo_comes_back_to_the_item_decided_last(client, reviewer, stage):
    first, _ = ItemFactory.create_batch(2, stage=stage)
    after = post(client, first, "approve").text
    assert reverse("curriculum:item-undo", args=[first.pk]) in after

    response = post(client, first, "undo")

    assert f'id="item-{first.pk}"' in response.text
    assert "<strong>2</strong> waiting" in response.text


def test_a_leak_cannot_be_approved_and_says_so(client, reviewer, stage):
    item = ItemFactory(stage=stage, leak=True)

    page = client.get(queue(stage)).text
    response = post(client, item, "approve")

    assert "leak: never trained on" in page
    assert response.status_code == 409


def test_approve_all_leaves_the_flagged_and_the_other_skills(client, reviewer, stage):
    a1, a2 = [place.skill for place in stage.stage_skills.all()]
    clean = ItemFactory(stage=stage, skill=a1)
    ItemFactory(stage=stage, skill=a1, flagged=True)
    ItemFactory(stage=stage, skill=a2)

    client.post(f"/stages/{stage.pk}/approve-all/", {"round": 0, "skill": "A1"})

    approved = Item.objects.filter(verdict=Verdict.APPROVED)
    assert list(approved) == [clean]


def test_the_filter_narrows_the_queue_and_its_count(client, reviewer, stage):
    a1, a2 = [place.skill for place in stage.stage_skills.all()]
    ItemFactory(stage=stage, skill=a1)
    wanted = ItemFactory(stage=stage, skill=a2, flagged=True)

    response = client.get(queue(stage, "?skill=A2&checks=flagged"))

    assert f'id="item-{wanted.pk}"' in response.text
    assert "1 of 1" in response.text


@pytest.mark.parametrize(
    "query",
    [
        "?round=x&item=y&after=z",
        "?verdict=nonsense",
        "?checks=%00",
        "?item=999999",
        "?item=99999999999999999999",
        "?skill=Q",
    ],
)
def test_a_strange_address_shows_a_queue_all_the_same(client, reviewer, stage, query):
    ItemFactory(stage=stage)

    assert client.get(queue(stage, query)).status_code == 200


def test_an_item_of_another_stage_is_not_shown_in_this_queue(client, reviewer, stage):
    ItemFactory(stage=stage)
    other = ItemFactory()

    response = client.get(queue(stage, f"?item={other.pk}"))

    assert f'id="item-{other.pk}"' not in response.text


def test_an_earlier_round_can_be_read_and_not_decided(client, approver, stage):
    item = ItemFactory(stage=stage, round=0)
    stage.__class__.objects.filter(pk=stage.pk).update(round=1)

    response = client.get(queue(stage, f"?round=0&verdict=all&item={item.pk}"))

    assert f'id="item-{item.pk}"' in response.text
    assert 'data-key="a"' not in response.text


def test_the_difference_of_two_texts_names_words_that_went_and_came():
    assert difference("a b c", "a x c") == [
        ("same", "a "),
        ("gone", "b"),
        ("new", "x"),
        ("same", " c"),
    ]


def test_what_the_student_said_to_the_very_question_stands_beside_it_as_words(
    client, reviewer, stage
):
    hostile = "<script>alert(1)</script> 63"
    item = ItemFactory(stage=stage, said=hostile, aims=["no_carry"], answer="73")

    page = client.get(f"/stages/{stage.pk}/review/?item={item.pk}").text

    assert "What the student said to this question" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; 63" in page
    assert hostile not in page
    assert "so it went wrong here" in page
    page = client.get(f"/items/{item.pk}/provenance/").text
    assert "It tried this question, before it became an item" in page
    assert hostile not in page


def test_an_item_that_nobody_tried_says_nothing_of_it(client, reviewer, stage):
    item = ItemFactory(stage=stage)

    for address in (f"/stages/{stage.pk}/review/?item={item.pk}", f"/items/{item.pk}/provenance/"):
        page = client.get(address).text
        assert "said to this question" not in page
        assert "tried this question" not in page


def test_the_answers_beside_an_item_are_those_of_the_student_it_was_written_for(
    client, reviewer, stage
):
    skill = stage.run.skills.first()
    probe = ProbeFactory(skill=skill)
    base = CheckpointFactory(run=stage.run, is_current=False)
    taught = CheckpointFactory(run=stage.run, parent=base)
    AnswerFactory(probe=probe, checkpoint=base, text="as it came", grade=0.0)
    AnswerFactory(probe=probe, checkpoint=taught, text="as it was then", grade=0.0)
    item = ItemFactory(stage=stage, skill=skill)
    later = CheckpointFactory(run=stage.run, parent=taught, is_current=False)
    AnswerFactory(probe=probe, checkpoint=later, text="since it was taught it", grade=0.0)

    page = client.get(queue(stage, f"?item={item.pk}")).text

    assert "as it was then" in page
    assert "as it came" not in page
    assert "since it was taught it" not in page


def test_a_student_that_was_asked_nothing_said_nothing(client, reviewer, stage):
    item = ItemFactory(stage=stage)
    AnswerFactory(probe=ProbeFactory(skill=item.skill), text="the teacher's words", grade=0.0)

    page = client.get(queue(stage, f"?item={item.pk}")).text

    assert "the teacher&#x27;s words" not in page
    assert "What the student said itself" not in page


def test_the_student_of_a_remedy_is_shown_as_its_gate_found_it(client, reviewer, stage):
    skill = stage.stage_skills.first().skill
    base = CheckpointFactory(run=stage.run, is_current=False)
    then = CheckpointFactory(run=stage.run, stage=stage, parent=base)
    ScoreFactory(skill=skill, checkpoint=base, split="diagnose", mean=0.03)
    ScoreFactory(skill=skill, checkpoint=then, split="diagnose", mean=0.11, n=8)
    ScoreFactory(skill=skill, checkpoint=then, split="gate", mean=0.41, n=32)
    item = ItemFactory(stage=stage, skill=skill)

    page = client.get(f"/stages/{stage.pk}/review/?item={item.pk}").text

    words = re.sub(r"<[^>]+>|\s+", " ", page)
    assert re.search(r"Student then +41%.*of 32 probes, after stage 1, round 0", words)


def test_approving_together_says_of_flagged_ones_only_where_some_wait(client, reviewer, stage):
    url = f"/stages/{stage.pk}/approve-all/"
    skill = stage.stage_skills.first().skill
    stage.items.all().delete()
    ItemFactory(stage=stage, skill=skill)

    assert "Still waiting" not in client.post(url, {"round": 0, "expected": 1}, headers=HTMX).text

    ItemFactory(stage=stage, skill=skill)
    ItemFactory(stage=stage, is_flagged=True)
    page = client.post(url, {"round": 0, "expected": 1}, headers=HTMX).text
    assert "Still waiting for you, as a check failed: 1." in page
