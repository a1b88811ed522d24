"""The words that a run's teacher is asked with: their versions, changed, rolled back, and tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema
from pydantic import Field, WithJsonSchema

from curriculum import engine
from curriculum.access import Role
from curriculum.api.guard import actor, find_run
from curriculum.api.item_schemas import CheckOut
from curriculum.api.jobs import with_eta
from curriculum.api.operations import Id, get, post
from curriculum.api.problems import Refused
from curriculum.api.schemas import MOST_INT, In, JobOut, Long, NoteIn
from curriculum.errors import BadPrompt
from curriculum.models import Job, Run
from curriculum.services import prompts
from curriculum.services.audit import name_of
from curriculum.views import prompt_reads
from curriculum.views.prompt_reads import Version
from curriculum.views.writing_forms import NO_SKILL, chosen, taught_skills

router = Router(tags=["prompts"])
# Told and not checked: an unknown one is 404, with a sentence, as all that an address names.
NAMES = WithJsonSchema({"type": "string", "enum": [*engine.PROMPT_NAMES]})
Name = Annotated[str, NAMES, Path()]
Number = Annotated[int, Path(ge=0, le=MOST_INT, description="0: the built-in one.")]
NumberIn = Annotated[int, Field(ge=0, le=MOST_INT)]


class PromptSeenIn(NoteIn):
    """`seen`: the number of the version in use when you looked."""

    seen: NumberIn


class PromptIn(PromptSeenIn):
    source: Long


class PromptRollBackIn(PromptSeenIn):
    number: NumberIn  # of the version that is taken up again; 0: the built-in one


class PromptTrialIn(In):
    source: Long | None = None  # null: the words in use
    skill: Annotated[str, Field(max_length=40, description="Empty: the run's first.")] = ""


class PromptVersionOut(Schema):
    number: int  # 0: built in
    by: str | None  # null: it came with the program
    at: datetime | None
    note: str

    @staticmethod
    def resolve_by(obj: Any) -> str | None:
        return name_of(obj.actor) if obj.actor else None


class PromptVersionDetail(PromptVersionOut):
    source: str


class PromptOut(Schema):
    name: str
    title: str
    number: int = Field(alias="current.number")  # of the version in use
    source: str = Field(alias="current.source")
    versions: list[PromptVersionOut]  # the last first


class PromptsOut(Schema):
    """`templates`: none where the teacher is a program, which is asked with no words."""

    version: str  # of all of them together, by which items and the log name them
    templates: list[PromptOut]


class TriedItemOut(Schema):
    question: str
    solution: str
    answer: str
    checks: list[CheckOut]


class TeacherCallOut(Schema):
    teacher: str
    prompt: str
    prompt_version: str
    reply: str  # as it came
    prompt_tokens: int
    reply_tokens: int
    truncated: bool  # it ran into the most that a reply may have
    seconds: float


class PromptTrialOut(Schema):
    job: JobOut
    name: str
    source: str
    skill: str
    items: list[TriedItemOut]  # []: not there yet, it failed, or none could be read
    faults: list[str]  # what could not be read, in sentences
    call: TeacherCallOut | None  # null: not there yet, or it failed


@contextmanager
def _in_address() -> Iterator[None]:
    """What there is not is 404 where an address names it; in a body it is 422."""
    try:
        yield
    except BadPrompt as exc:
        raise Refused(404, str(exc)) from exc


def _find(request: HttpRequest, pk: int, name: str, role: Role = Role.VIEWER) -> Run:
    run = find_run(request, pk, role)
    with _in_address():
        prompts.require_name(name)
    return run


@get(router, "/runs/{run_id}/prompts", scope="read", returns=PromptsOut)
def get_prompts(request: HttpRequest, run_id: Id) -> dict[str, Any]:
    """The templates that the teacher's prompts are made of, each with its versions."""
    run = find_run(request, run_id)
    if not engine.is_asked_in_words(run):
        return {"version": "", "templates": []}
    version = engine.templates_of(run).version
    return {"version": version, "templates": prompt_reads.templates(run)}


@get(
    router,
    "/runs/{run_id}/prompts/{name}/versions/{number}",
    scope="read",
    returns=PromptVersionDetail,
)
def get_prompt_version(request: HttpRequest, run_id: Id, name: Name, number: Number) -> Version:
    """The words of one version of a template."""
    run = _find(request, run_id, name)
    if not engine.is_asked_in_words(run):
        raise Refused(404, prompts.NO_WORDS)
    with _in_address():
        return prompt_reads.version(run, name, number)


@post(router, "/runs/{run_id}/prompts/{name}", scope="approve", returns=PromptVersionDetail)
def change_prompt(request: HttpRequest, run_id: Id, name: Name, said: PromptIn) -> Version:
    """Ask the teacher with these words from its next request on, as a new version.

    409 where another version is in use than you have seen.
    422 where the words cannot be used, with the line and the reason.
    """
    row = prompts.change(
        _find(request, run_id, name, Role.APPROVER),
        actor=actor(request),
        name=name,
        source=said.source,
        seen=said.seen,
        note=said.note,
    )
    return prompt_reads.as_version(row)


@post(
    router,
    "/runs/{run_id}/prompts/{name}/roll-back",
    scope="approve",
    returns=PromptVersionDetail,
)
def roll_back_prompt(
    request: HttpRequest, run_id: Id, name: Name, said: PromptRollBackIn
) -> Version:
    """Take up an earlier version again, as a new one: nothing is lost."""
    row = prompts.roll_back(
        _find(request, run_id, name, Role.APPROVER),
        actor=actor(request),
        name=name,
        number=said.number,
        seen=said.seen,
        note=said.note,
    )
    return prompt_reads.as_version(row)


@post(router, "/runs/{run_id}/prompts/{name}/try", scope="approve", returns=JobOut)
def try_prompt(request: HttpRequest, run_id: Id, name: Name, said: PromptTrialIn) -> Job:
    """Have the teacher write some items of a skill with these words.

    None of them is trained on, and the words are not saved by it.
    What came of it is `tried_prompt`, once the job has succeeded.
    """
    run = _find(request, run_id, name, Role.APPROVER)
    skill = chosen(taught_skills(run), said.skill)
    if skill is None:
        raise Refused(422, NO_SKILL)
    source = prompt_reads.source_in_use(run, name) if said.source is None else said.source
    job = prompts.begin_trial(run, actor=actor(request), name=name, source=source, skill=skill)
    return with_eta(job)


@get(router, "/runs/{run_id}/prompts/{name}/tried", scope="read", returns=PromptTrialOut)
def tried_prompt(request: HttpRequest, run_id: Id, name: Name) -> dict[str, Any]:
    """What the last trial of the template came to. 404 where nothing was tried."""
    job = prompt_reads.last_trial(_find(request, run_id, name), name)
    if job is None:
        raise Refused(404, "No words of this template have been tried.")
    trial = prompt_reads.trial_of(job)
    return {
        "job": with_eta(job),
        **{each: job.asked[each] for each in ("name", "source", "skill")},
        "items": trial["items"] if trial else [],
        "faults": trial["faults"] if trial else [],
        "call": trial["call"]["row"] if trial else None,
    }
