"""How a language model is to write the solutions of a skill: shown, changed, and tried."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from curriculum import engine
from curriculum.access import Role
from curriculum.api.guard import actor, find_row
from curriculum.api.jobs import with_eta
from curriculum.api.operations import Id, get, post
from curriculum.api.problems import Refused
from curriculum.api.schemas import In, JobOut, NoteIn
from curriculum.models import Job, Skill
from curriculum.services import prompts
from curriculum.views.example_reads import last_trial

router = Router(tags=["examples"])
Words = Annotated[str, Field(min_length=1, max_length=2000)]


class ExampleIn(In):
    question: Words
    solution: Annotated[Words, Field(description="A step a line, the last “Answer: …”.")]


Shown = Annotated[list[ExampleIn], Field(max_length=engine.MOST_EXAMPLES)]


class ExamplesIn(NoteIn):
    """`seen`: of the examples when you looked. Left out: whatever is there is replaced."""

    examples: Shown
    seen: Annotated[str, Field(max_length=64)] = ""


class TrialIn(In):
    examples: Shown | None = None  # null: those that are saved


class ExampleOut(Schema):
    question: str
    solution: str


class ExamplesOut(Schema):
    examples: list[ExampleOut]
    seen: str = Field(alias="examples_digest")  # changes with them


class TriedAnswerOut(Schema):
    question: str
    answer: str  # the domain's
    said: str  # by the teacher
    shown: bool  # with the examples before it; else in the teacher's own words
    # alike: right, as the examples are; usable: right, in fewer steps or without examples
    outcome: engine.Outcome
    fault: str


class TrialOut(Schema):
    job: JobOut
    examples: list[ExampleOut]
    answers: list[TriedAnswerOut]  # []: not there yet, or it failed


def _find(request: HttpRequest, pk: int, role: Role = Role.VIEWER) -> Skill:
    return find_row(request, Skill.objects.select_related("run"), pk, "skill", role)


def _rows(examples: list[ExampleIn]) -> list[dict[str, str]]:
    return [each.model_dump() for each in examples]


@get(router, "/skills/{skill_id}/examples", scope="read", returns=ExamplesOut)
def get_examples(request: HttpRequest, skill_id: Id) -> Skill:
    """How solutions of the skill are to be written, where the teacher is a language model."""
    return _find(request, skill_id)


@post(router, "/skills/{skill_id}/examples", scope="approve", returns=ExamplesOut)
def set_examples(request: HttpRequest, skill_id: Id, said: ExamplesIn) -> Skill:
    """Show the teacher these from its next request on; none: no more."""
    return prompts.show_examples(
        _find(request, skill_id, Role.APPROVER),
        actor=actor(request),
        examples=_rows(said.examples),
        seen=said.seen,
        note=said.note,
    )


@post(router, "/skills/{skill_id}/examples/try", scope="approve", returns=JobOut)
def try_examples(request: HttpRequest, skill_id: Id, said: TrialIn) -> Job:
    """Have the teacher answer some of the skill's questions with them and without.

    None of it is trained on, and the examples are not saved by it.
    The answers are `tried_examples`, once the job has succeeded.
    """
    skill = _find(request, skill_id, Role.APPROVER)
    examples = skill.examples if said.examples is None else _rows(said.examples)
    job = prompts.begin_examples_trial(skill, actor=actor(request), examples=examples)
    return with_eta(job)


@get(router, "/skills/{skill_id}/examples/tried", scope="read", returns=TrialOut)
def tried_examples(request: HttpRequest, skill_id: Id) -> dict[str, Any]:
    """What the last trial came to. 404 where nothing was tried."""
    job, answers = last_trial(_find(request, skill_id))
    if job is None:
        raise Refused(404, "No examples of this skill have been tried.")
    return {"job": with_eta(job), "examples": job.asked["examples"], "answers": answers}
