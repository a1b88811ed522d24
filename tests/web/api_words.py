"""Situations of what a teacher is asked with, in which the API's operations on it work."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse

from curriculum.models import ExampleTrial, Job, PromptTrial, Run, Skill
from curriculum.states import JobKind
from tests.factories import (
    CallFactory,
    JobFactory,
    PromptTemplateFactory,
    RunFactory,
    SkillFactory,
)

Situation = tuple[dict[str, Any], dict[str, Any] | None]  # of the path, and the body
EXAMPLE = {"question": "What is 57 - 23?", "solution": "57 - 20 = 37\n37 - 3 = 34\nAnswer: 34"}
HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}"


def run_in_words() -> Run:
    """A run whose teacher is a language model, with one skill."""
    run = RunFactory(teacher="openai:big@http://localhost/v1", domain="foundations")
    run.settings["writing"]["questions_of_domain"] = True
    run.save()
    SkillFactory(run=run, key="B2")
    return run


def shown(said: dict[str, Any] | None = None) -> Situation:
    """A skill whose questions the domain puts to a model."""
    return {"skill_id": run_in_words().skills.get().pk}, said


def tried() -> Situation:
    path, _ = shown()
    run = Skill.objects.get(pk=path["skill_id"]).run
    asked = {"skill": "B2", "examples": [EXAMPLE]}
    job = JobFactory(run=run, kind=JobKind.EXAMPLES, succeeded=True, asked=asked)
    ExampleTrial.objects.create(job=job, answers=[])
    return path, None


def template(said: dict[str, Any] | None = None, **more: Any) -> Situation:
    """The template `decompose`, whose first version somebody has written."""
    run = run_in_words()
    PromptTemplateFactory(run=run)
    return {"run_id": run.pk, "name": "decompose", **more}, said


def tried_template() -> Situation:
    path, _ = template()
    tried_words(Run.objects.get(pk=path["run_id"]))
    return path, None


def tried_words(run: Run, words: str = "Slowly.\n", job: Job | None = None) -> PromptTrial:
    """What came of a trial of `decompose`, or of `job`: `words` wherever a person or a model has
    a say.
    """
    asked = {"name": "decompose", "source": words, "skill": "B2"}
    check = {"id": "steps", "version": 1, "passed": False, "detail": words}
    item = {"question": words, "solution": words, "answer": words, "checks": [check]}
    return PromptTrial.objects.create(
        job=job or JobFactory(run=run, kind=JobKind.TRY, succeeded=True, asked=asked),
        call=CallFactory(run=run, skill=run.skills.get(key="B2"), prompt=words, reply=words),
        items=[item],
        faults=[words],
    )


def refused(response: HttpResponse, status: int, says: str) -> None:
    """Of an operation on them: an answer with this status, and a sentence that says so much."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert says in json.loads(response.content)["detail"]
