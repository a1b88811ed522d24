"""The skills of a run and what builds on what: to see, and to change while they are reviewed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from curriculum.access import Role
from curriculum.api.guard import actor, find_row, find_run
from curriculum.api.jobs import with_eta
from curriculum.api.operations import Cursor, Id, Limit, get, post
from curriculum.api.paging import page
from curriculum.api.plan_schemas import PrerequisiteIn, ProbeIn, SkillIn
from curriculum.api.problems import Refused
from curriculum.api.schemas import JobOut, NoteIn, Page, PrerequisiteOut, ReasonIn, SkillOut
from curriculum.models import Job, Prerequisite, Run, Skill
from curriculum.services import probing, skills

router = Router(tags=["skills"])


def skills_of(run: Run, *keys: str) -> list[Skill]:
    """The run's skills of these keys, in their order. Raises `Refused` 422."""
    found = {skill.key: skill for skill in run.skills.filter(key__in=keys)}
    for key in keys:
        if key not in found:
            raise Refused(422, f"This run has no skill “{key}”.")
    return [found[key] for key in keys]


def _find_skill(request: HttpRequest, pk: int) -> Skill:
    return find_row(request, Skill.objects.select_related("run"), pk, "skill", Role.REVIEWER)


def _find_prerequisite(request: HttpRequest, pk: int) -> Prerequisite:
    rows = Prerequisite.objects.select_related("run", "source", "target")
    return find_row(request, rows, pk, "prerequisite", Role.REVIEWER)


@get(router, "/runs/{run_id}/skills", scope="read", returns=Page[SkillOut])
def list_skills(
    request: HttpRequest, run_id: Id, limit: Limit = 50, cursor: Cursor = ""
) -> dict[str, Any]:
    """The skills, with what the last diagnosis said of each."""
    run = find_run(request, run_id)
    return page(Skill.objects.filter(run=run), limit=limit, cursor=cursor)


@get(router, "/runs/{run_id}/prerequisites", scope="read", returns=Page[PrerequisiteOut])
def list_prerequisites(
    request: HttpRequest, run_id: Id, limit: Limit = 50, cursor: Cursor = ""
) -> dict[str, Any]:
    """Which skill builds on which: `target` on `source`. Refused ones stay on record."""
    run = find_run(request, run_id)
    found = Prerequisite.objects.filter(run=run).select_related("source", "target")
    return page(found, limit=limit, cursor=cursor)


@post(router, "/runs/{run_id}/probe", scope="review", returns=JobOut)
def probe_more(request: HttpRequest, run_id: Id, said: ProbeIn) -> Job:
    """Ask on until each gap's interval is at most so wide: of the skills named, or of all."""
    run = find_run(request, run_id, Role.REVIEWER)
    keys = [skill.key for skill in skills_of(run, *said.skills)]
    job = probing.probe_more(run, actor=actor(request), width=said.width, skills=keys)
    return with_eta(job)


@post(router, "/skills/{skill_id}/edit", scope="review", returns=SkillOut)
def edit_skill(request: HttpRequest, skill_id: Id, said: SkillIn) -> Skill:
    """Change its words. What it is measured with stays."""
    skill = _find_skill(request, skill_id)
    as_it_is = {"title": skill.title, "statement": skill.statement}
    return skills.edit(skill, actor=actor(request), **as_it_is | said.model_dump(exclude_none=True))


@post(router, "/skills/{skill_id}/retire", scope="review", returns=SkillOut)
def retire_skill(request: HttpRequest, skill_id: Id, said: NoteIn) -> Skill:
    """Leave it out of what is taught. It stays on record."""
    skill = _find_skill(request, skill_id)
    return skills.retire(skill, actor=actor(request), reason=said.note)


@post(router, "/skills/{skill_id}/restore", scope="review", returns=SkillOut)
def restore_skill(request: HttpRequest, skill_id: Id, said: NoteIn) -> Skill:
    """Take it up again."""
    skill = _find_skill(request, skill_id)
    return skills.restore(skill, actor=actor(request), reason=said.note)


@post(router, "/runs/{run_id}/prerequisites", scope="review", returns=PrerequisiteOut, status=201)
def add_prerequisite(request: HttpRequest, run_id: Id, said: PrerequisiteIn) -> Status[Any]:
    """Say that `target` builds on `source`. One that closes a circle is refused."""
    run = find_run(request, run_id, Role.REVIEWER)
    source, target = skills_of(run, said.source, said.target)
    edge = skills.add_edge(
        run, source=source, target=target, actor=actor(request), reason=said.reason
    )
    return Status(201, edge)


@post(
    router,
    "/prerequisites/{prerequisite_id}/confirm",
    scope="review",
    returns=PrerequisiteOut,
)
def confirm_prerequisite(request: HttpRequest, prerequisite_id: Id, said: NoteIn) -> Prerequisite:
    """Put your name under it; one that was refused counts again."""
    edge = _find_prerequisite(request, prerequisite_id)
    return skills.confirm_edge(edge, actor=actor(request), reason=said.note)


@post(
    router,
    "/prerequisites/{prerequisite_id}/refuse",
    scope="review",
    returns=PrerequisiteOut,
)
def refuse_prerequisite(request: HttpRequest, prerequisite_id: Id, said: ReasonIn) -> Prerequisite:
    """Take it out of the order. It stays on record with the reason."""
    edge = _find_prerequisite(request, prerequisite_id)
    return skills.refuse_edge(edge, actor=actor(request), reason=said.reason)
