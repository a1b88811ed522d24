from __future__ import annotations

import pytest
from django.urls import reverse

from curriculum import engine
from curriculum.models import Job, PromptTemplate, PromptTrial, TeacherCall
from curriculum.states import JobKind
from curriculum.views import calls
from curriculum.views.prompt_reads import changes
from tests.factories import (
    CallFactory,
    CheckpointFactory,
    ItemFactory,
    JobFactory,
    PromptTemplateFactory,
    RunFactory,
    SkillFactory,
    StageFactory,
)
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def run():
    run = RunFactory(teacher="openai:big@http://localhost/v1")
    CheckpointFactory(run=run)
    SkillFactory(run=run, key="A2", title="add without carrying")
    return run


def page(run, query=""):
    return f"/runs/{run.pk}/prompts/{query}"


def post(client, run, verb, **form):
    url = reverse(f"curriculum:prompt-{verb}", args=[run.pk])
    return client.post(url, {"name": "decompose", "seen": 0, **form}, headers=HTMX)


def test_every_template_is_there_with_the_words_in_use(client, viewer, run):
    for name in engine.PROMPT_NAMES:
        text = client.get(page(run, f"?name={name}")).content.decode()
        assert f"<code>{name}</code>" in text

    assert client.get(page(run, "?name=settings")).status_code == 404


def test_a_template_that_an_archive_brought_and_no_prompt_is_made_of_is_left_out(
    client, viewer, run
):
    PromptTemplateFactory(run=run, name="verse")

    assert client.get(page(run)).status_code == 200


def test_who_may_not_change_them_sees_them_and_no_editor(client, reviewer, run):
    text = client.get(page(run, "?name=decompose")).text

    assert "works the answer out with the numbers of this very question" in text
    assert "An approver can change it." in text
    assert "<textarea" not in text


def test_for_a_program_it_says_that_no_words_are_asked(client, approver):
    run = RunFactory()
    CheckpointFactory(run=run)

    text = client.get(page(run)).text

    assert "it is asked with no words" in text
    assert "<textarea" not in text
    assert "/prompts/" not in client.get(run.get_absolute_url()).text


def test_what_is_saved_stands_in_the_editor_with_who_and_how_it_was(client, approver, run):
    response = post(client, run, "change", source="Say it slowly.", note="too fast")

    assert "Saved: the teacher is asked with these words" in response.text
    assert "Say it slowly." in response.text
    assert "Ada Approver" in response.text
    assert "too fast" in response.text
    assert "<ins>Say</ins>" in response.text or "<ins>Say it slowly." in response.text
    assert "Not saved yet" not in response.text


def test_words_that_cannot_be_used_stay_in_the_editor_with_a_sentence(client, approver, run):
    response = post(client, run, "change", source="Slowly {{ nobody }}.")

    assert response.status_code == 422
    assert "This template cannot be used" in response.text
    assert "Slowly {{ nobody }}." in response.text
    assert "Not saved yet" in response.text
    assert not PromptTemplate.objects.exists()


def test_who_was_overtaken_keeps_their_words_and_sees_those_of_the_other(client, approver, run):
    PromptTemplateFactory(run=run, source="Their words.\n")

    response = post(client, run, "change", source="My words.")

    assert response.status_code == 409
    assert "has just been changed" in response.text
    assert "<del>Their</del><ins>My</ins>" in response.text
    assert 'name="seen" value="1"' in response.text


def test_versions_can_be_compared_and_rolled_back(client, approver, run):
    PromptTemplateFactory(run=run, source="One two three.\n")
    PromptTemplateFactory(run=run, number=2, source="One four three.\n")

    assert "<del>two</del><ins>four</ins>" in client.get(page(run, "?name=decompose")).text
    assert "From built in to version 2" in (
        client.get(page(run, "?name=decompose&from=0&to=2")).text
    )
    assert client.get(page(run, "?name=decompose&from=x&to=99")).status_code == 200

    response = post(client, run, "roll-back", number=1, seen=2)

    assert "Version 3" in response.text
    assert PromptTemplate.objects.get(number=3).source == "One two three.\n"


def test_what_models_and_people_write_is_never_markup(client, approver, run):
    PromptTemplateFactory(run=run, source=f"{HOSTILE}\n", note=HOSTILE)
    job = JobFactory(
        run=run,
        kind=JobKind.TRY,
        succeeded=True,
        asked={"name": "decompose", "source": HOSTILE, "skill": "A2"},
    )
    item = {
        "question": HOSTILE,
        "solution": HOSTILE,
        "answer": HOSTILE,
        "checks": [{"id": HOSTILE, "version": 1, "passed": False, "detail": HOSTILE}],
    }
    call = CallFactory(run=run, prompt=HOSTILE, reply=HOSTILE, teacher=HOSTILE)
    PromptTrial.objects.create(job=job, call=call, items=[item], faults=[HOSTILE])

    for query in ("?name=decompose", "?name=decompose&trial=1", "now/"):
        text = client.get(page(run, query)).text
        assert HOSTILE not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_preview_shows_the_whole_prompt_and_saves_nothing(client, approver, run):
    response = post(client, run, "preview", source="Say it slowly.", skill="A2")

    assert response.status_code == 200
    assert 'id="prompt-preview"' in response.text
    assert "- Say it slowly." in response.text
    assert "What is taught: &quot;add without carrying&quot;" in response.text
    assert not PromptTemplate.objects.exists()
    assert not TeacherCall.objects.exists()
    assert not Job.objects.exists()


def test_a_preview_works_without_a_script_and_for_who_only_looks(client, viewer, run):
    url = reverse("curriculum:prompt-preview", args=[run.pk])

    response = client.get(url, {"name": "decompose", "skill": "A2"})

    assert response.status_code == 200
    assert "<html" in response.text
    assert "one small step each" in response.text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"source": "{{ nobody }}"}, "cannot be used"),
        ({"skill": "A99"}, "Choose a skill of this run."),
        ({"name": "../settings"}, "not one of the available choices"),
    ],
)
def test_a_preview_that_cannot_be_made_says_why(client, approver, run, form, says):
    response = post(client, run, "preview", **form)

    assert response.status_code == 422
    assert says in response.text


def test_a_trial_is_followed_where_it_stands_and_leaves_the_editor_alone(client, approver, run):
    response = post(client, run, "try", source="Say it slowly.", skill="A2")

    assert "Queued: the teacher is asked for 3 items. Nothing is saved." in response.text
    assert "Say it slowly." in response.text
    assert 'hx-trigger="every 2s"' in response.text
    job = Job.objects.get()
    assert job.asked == {"name": "decompose", "source": "Say it slowly.\n", "skill": "A2"}

    now = client.get(page(run, "now/"))
    assert "Waiting for a worker." in now.text
    assert "<textarea" not in now.text


def test_without_a_script_the_words_that_are_tried_stay_in_the_editor(client, approver, run):
    url = reverse("curriculum:prompt-try", args=[run.pk])

    response = client.post(
        url, {"name": "decompose", "source": "Say it slowly.", "skill": "A2"}, follow=True
    )

    assert response.redirect_chain[0][0] == f"{page(run)}?name=decompose&trial=1"
    assert "Say it slowly.</textarea>" in response.text.replace("\n</textarea>", "</textarea>")
    assert "Not saved yet" in response.text


def test_one_that_failed_says_why_and_can_be_tried_again(client, approver, run):
    job = JobFactory(run=run, kind=JobKind.TRY, failed=True, asked={"name": "items", "skill": "A2"})

    text = client.get(page(run)).text

    assert "The disk is full." in text
    assert reverse("curriculum:job-retry", args=[job.pk]) in text


def test_differences_are_of_words_and_of_lines_where_much_has_changed():
    assert changes("a b\nc d\n", "a b\nc e\n") == [
        ("same", "a b\n"),
        ("same", "c "),
        ("gone", "d"),
        ("new", "e"),
    ]
    long = "x " * 4000
    assert changes(long, "y") == [("gone", long), ("new", "y")]
    assert changes("a\r\n", "a") == [("same", "a")]


def test_the_review_shows_what_the_teacher_was_told_and_said(client, reviewer):
    stage = StageFactory(reviewing=True)
    told = 'because: "too hard for now"'
    call = CallFactory(
        run=stage.run,
        stage=stage,
        prompt=f"Avoid this, {told}",
        prompt_version="1-abc123",
        reply=f"{HOSTILE} and so on",
    )
    ItemFactory(stage=stage, call=call)

    text = client.get(f"/stages/{stage.pk}/review/").text

    assert "because: &quot;too hard for now&quot;" in text
    assert "1-abc123" in text
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; and so on" in text
    assert "7 read, 5 written" in text


def test_an_item_of_a_program_has_no_request_to_show(client, reviewer):
    item = ItemFactory()

    text = client.get(f"/stages/{item.stage_id}/review/").text

    assert "What the teacher was asked" not in text


def test_a_reply_without_end_is_cut_off_and_says_so():
    call = CallFactory(reply="x" * (calls.MOST_SHOWN + 7))

    shown = calls.shown(call)

    assert len(shown["reply"]) == calls.MOST_SHOWN
    assert shown["reply_left"] == 7


def test_words_that_change_side_by_side_are_told_as_one():
    assert changes("At most four steps.", "Two to three steps.") == [
        ("gone", "At most four"),
        ("new", "Two to three"),
        ("same", " steps."),
    ]
    assert changes("a b c", "a c") in (
        [("same", "a "), ("gone", "b "), ("same", "c")],
        [("same", "a"), ("gone", " b"), ("same", " c")],
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [("a b c", "x b y"), ("a  b", "a b"), ("", "a b"), ("a b", ""), ("a b\nc d", "e f\nc g h")],
)
def test_a_difference_holds_both_texts_whole(old, new):
    parts = changes(old, new)

    assert "".join(text for kind, text in parts if kind != "new") == old
    assert "".join(text for kind, text in parts if kind != "gone") == new
