"""What can be taught here, and adding to it."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Form, Router, Status
from ninja.files import UploadedFile

from curriculum import engine
from curriculum.access import Role
from curriculum.api.guard import actor, require_role
from curriculum.api.operations import get, post
from curriculum.api.plan_schemas import DomainOut
from curriculum.api.received import as_file
from curriculum.api.replies import AFTER
from curriculum.services import domains

router = Router(tags=["domains"])


def _told(name: str) -> dict[str, Any]:
    look = engine.look_at_domain(name)
    return {
        "name": name,
        "title": look.title,
        "version": look.version,
        "skills": list(look.skills),
        "faults": list(look.faults),
    }


@get(router, "/domains", scope="read", returns=list[DomainOut])
def list_domains(request: HttpRequest) -> list[dict[str, Any]]:
    """The domains that a run can be made of: what is built in, then files by name."""
    require_role(request, Role.VIEWER)
    return [_told(name) for name, _ in engine.domains()]


@post(router, "/domains", scope="import", returns=DomainOut, status=201, keeps=AFTER)
def add_domain(
    request: HttpRequest,
    file: Annotated[UploadedFile, File(description="A domain file, YAML or JSON Lines.")],
    name: Annotated[str, Form(max_length=40, description="Small letters, digits, - and _.")],
) -> Status[dict[str, Any]]:
    """Keep a domain file: all of it, or nothing. One that is there is never written over.

    docs/domains.md has the form. Tables, whose columns somebody has to name, are for the pages.
    """
    require_role(request, Role.APPROVER)
    with as_file(file) as path:
        spec = domains.add(path, actor=actor(request), name=name)
    return Status(201, _told(spec))
