"""What is on record: checkpoints, scores, the audit log, and where things came from."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router

from curriculum.access import Role
from curriculum.api.guard import find_row, find_run, require_role
from curriculum.api.items import find_item
from curriculum.api.operations import Cursor, Id, Limit, get
from curriculum.api.paging import page
from curriculum.api.schemas import (
    CheckpointOut,
    EntryOut,
    HeadOut,
    Page,
    ProvenanceOut,
    ScoreOut,
)
from curriculum.errors import ChainBroken
from curriculum.models import Checkpoint, Score
from curriculum.services import chain
from curriculum.services.chain import Owner
from curriculum.views import origin_reads, prov, provenance_reads

router = Router(tags=["records"])
Form = Literal["plain", "prov"]


@get(router, "/runs/{run_id}/checkpoints", scope="read", returns=Page[CheckpointOut])
def list_checkpoints(
    request: HttpRequest, run_id: Id, limit: Limit = 50, cursor: Cursor = ""
) -> dict[str, Any]:
    """The students of a run: the base, and what came of each training."""
    run = find_run(request, run_id)
    return page(Checkpoint.objects.filter(run=run), limit=limit, cursor=cursor)


@get(router, "/checkpoints/{checkpoint_id}", scope="read", returns=CheckpointOut)
def get_checkpoint(request: HttpRequest, checkpoint_id: Id) -> Checkpoint:
    """A student: base model plus adapter."""
    return _find_checkpoint(request, checkpoint_id)


@get(router, "/checkpoints/{checkpoint_id}/provenance", scope="read", returns=ProvenanceOut)
def get_checkpoint_provenance(
    request: HttpRequest, checkpoint_id: Id, form: Form = "plain"
) -> dict[str, Any]:
    """What it was trained on, and who decided that. `prov`: as W3C PROV-JSON."""
    said = provenance_reads.of_checkpoint(_find_checkpoint(request, checkpoint_id))
    return prov.of_checkpoint(said) if form == "prov" else said


@get(router, "/items/{item_id}/provenance", scope="read", returns=ProvenanceOut)
def get_item_provenance(request: HttpRequest, item_id: Id, form: Form = "plain") -> dict[str, Any]:
    """Why the item exists, who wrote and judged it, and what was trained on it."""
    said = provenance_reads.of_item(find_item(request, item_id))
    return prov.of_item(said) if form == "prov" else said


@get(router, "/runs/{run_id}/scores", scope="read", returns=Page[ScoreOut])
def list_scores(
    request: HttpRequest, run_id: Id, limit: Limit = 50, cursor: Cursor = ""
) -> dict[str, Any]:
    """Mean grades with their intervals, of the teacher and of every student."""
    run = find_run(request, run_id)
    found = Score.objects.filter(skill__run=run).select_related("skill")
    return page(found, limit=limit, cursor=cursor)


@get(router, "/runs/{run_id}/audit", scope="read", returns=Page[EntryOut])
def list_audit(
    request: HttpRequest, run_id: Id, limit: Limit = 50, cursor: Cursor = ""
) -> dict[str, Any]:
    """The run's log, from its first entry."""
    return _entries(find_run(request, run_id), limit, cursor)


@get(router, "/runs/{run_id}/audit/head", scope="read", returns=HeadOut)
def verify_audit(request: HttpRequest, run_id: Id) -> dict[str, Any]:
    """Read the run's log once, and say whether it is as it was written."""
    return _verified(find_run(request, run_id))


@get(router, "/audit", scope="read", returns=Page[EntryOut])
def list_house_audit(
    request: HttpRequest, limit: Limit = 50, cursor: Cursor = ""
) -> dict[str, Any]:
    """The log of the house: accounts, tokens, anchors. For administrators."""
    require_role(request, Role.ADMIN)
    return _entries(chain.house(), limit, cursor)


def _entries(owner: Owner, limit: int, cursor: str) -> dict[str, Any]:
    said = page(chain.entries_of(owner), limit=limit, cursor=cursor, by="sequence")
    about = origin_reads.subjects(owner, said["items"])
    for entry in said["items"]:
        entry.about = about[entry.pk]
    return said


@get(router, "/audit/head", scope="read", returns=HeadOut)
def verify_house_audit(request: HttpRequest) -> dict[str, Any]:
    """Whether the log of the house is as it was written. For administrators."""
    require_role(request, Role.ADMIN)
    return _verified(chain.house())


def _verified(owner: Owner) -> dict[str, Any]:
    said: dict[str, Any] = {"chain": chain.name_of_chain(owner), "is_whole": True, "says": ""}
    try:
        said["entries"], said["head"] = chain.verify(owner)
    except ChainBroken as exc:
        n, head = chain.end_of(owner)
        said |= {"is_whole": False, "says": str(exc), "entries": n, "head": head}
    return said


def _find_checkpoint(request: HttpRequest, pk: int) -> Checkpoint:
    rows = Checkpoint.objects.select_related("run", "stage", "snapshot__stage", "parent")
    return find_row(request, rows, pk, "checkpoint")
