"""Words for a teacher, changed in the browser: see the difference, preview, try, roll back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from curriculum.models import PromptTemplate, TeacherCall
from distill.backends.base import Prompt
from distill.settings import Sampling
from tests.distill.serving import completion, serving
from tests.distill.writers import Tutor


@pytest.fixture
def teacher(settings, tmp_path):
    """A model on a server that writes sums, and answers what it is asked with their sum."""

    def worked_out(prompt):
        total = sum(_numbers(prompt.text.rsplit("Question:")[-1]))
        return f"It is {total}\nAnswer: {total}"

    writer = Tutor(answer=worked_out)

    def answer(asked):
        (reply,) = writer.generate([Prompt(asked.words, Sampling(seed=asked.body.get("seed", 0)))])
        usage = {"prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.reply_tokens}
        return completion(reply.text, usage=usage)

    settings.IOA_HOME = tmp_path
    with serving() as server:
        server.answer = answer
        settings.IOA_TEACHERS = [f"openai:Big@{server.url}"]
        yield settings.IOA_TEACHERS[0]


def _numbers(text):
    return [int(word) for word in text.replace("?", "").split() if word.isdigit()]


def test_a_template_is_changed_compared_previewed_tried_and_rolled_back(school, visit, teacher):
    run = school.diagnosed(teacher=teacher)
    page = visit(school.ada)
    page.goto(f"/runs/{run.pk}/prompts/?name=decompose")
    editor = page.locator("#prompt-source")
    was = editor.input_value()

    editor.fill(was.replace("One to six steps", "One to four steps"))
    page.click("#prompt-preview-button")
    expect(page.locator("#prompt-preview")).to_contain_text("One to four steps")
    expect(page.locator("#prompt-preview")).to_contain_text("the student said")
    expect(editor).to_have_value(was.replace("One to six steps", "One to four steps"))
    assert not PromptTemplate.objects.exists()

    page.click("#prompt-try")
    expect(page.locator("#prompt-trial")).to_contain_text("Waiting for a worker.")
    editor.fill(was.replace("One to six steps", "One to four short steps"))  # meanwhile
    school.work(run)
    expect(page.locator("#prompt-trial .tried")).to_have_count(3)
    expect(editor).to_have_value(was.replace("One to six steps", "One to four short steps"))
    assert TeacherCall.objects.get().purpose == "try"

    page.fill("#prompt-note", "six are too many")
    page.click("#prompt-save")
    expect(page.locator("#prompts del").first).to_have_text("six")
    expect(page.locator("#prompts ins").first).to_have_text("four short")
    expect(page.locator("#prompts tbody")).to_contain_text("six are too many")

    page.get_by_role("button", name="Roll back to built in").click()
    expect(page.locator("#prompts tbody")).to_contain_text("as in version 0")
    expect(editor).to_have_value(was)
    assert [row.number for row in PromptTemplate.objects.all()] == [1, 2]


def test_examples_are_tried_while_others_are_typed(school, visit, teacher):
    run = school.diagnosed(teacher=teacher)
    run.settings["writing"]["questions_of_domain"] = True
    run.save()
    page = visit(school.ada)
    page.goto(f"/runs/{run.pk}/examples/?skill=A2")
    solution = page.locator("#solution-1")
    was = solution.input_value()

    page.click("#examples-try")
    expect(page.locator("#examples-trial")).to_contain_text("Waiting for a worker.")
    solution.fill("Half a thought")
    school.work(run)
    expect(page.locator("#examples-trial .tried")).to_have_count(12)
    expect(page.locator("#examples-trial table")).to_contain_text("12 of 12")
    expect(page.locator("#examples-trial")).to_contain_text("would give them up")
    expect(solution).to_have_value("Half a thought")
    assert {call.purpose for call in TeacherCall.objects.all()} == {"try"}
    page.locator("#examples-trial summary").nth(1).click()
    expect(page.locator("#examples-trial .tried[open] .said").last).to_be_visible()

    solution.fill(was)
    page.click("#examples-save")
    expect(page.locator("#notices")).to_contain_text("nothing has been changed")


def test_all_of_it_works_without_a_script(school, visit, teacher):
    run = school.diagnosed(teacher=teacher)
    page = visit(school.ada, java_script_enabled=False)
    page.goto(f"/runs/{run.pk}/prompts/?name=decompose")

    page.fill("#prompt-source", "Say it slowly.")
    page.click("#prompt-preview-button")
    expect(page.locator("#prompt-preview")).to_contain_text("- Say it slowly.")
    page.go_back()
    page.fill("#prompt-source", "Say it slowly.")
    page.click("#prompt-try")
    expect(page.locator("#prompt-trial")).to_contain_text("Waiting for a worker.")
    assert page.input_value("#prompt-source").strip() == "Say it slowly."
    school.work(run)
    page.reload()
    expect(page.locator("#prompt-trial .tried")).to_have_count(3)
    page.click("#prompt-save")
    expect(page.locator("#notices")).to_contain_text("Saved")
    page.get_by_role("button", name="Roll back to built in").click()
    expect(page.locator("#notices")).to_contain_text("Rolled back")
