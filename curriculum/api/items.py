"""Items: to see, to judge one by one, and to change."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router, Status

from curriculum.access import Role
from curriculum.api.guard import actor, find_row
from curriculum.api.item_schemas import ItemEdit, ItemIn, ItemOut, RejectIn, VersionIn, WordIn
from curriculum.api.operations import Cursor, Id, Limit, get, patch, post
from curriculum.api.paging import page
from curriculum.api.problems import Refused
from curriculum.api.schemas import MOST_INT, Page
from curriculum.api.stages import find_stage
from curriculum.models import Item
from curriculum.review_forms import LONGEST_TAG, TAG_TOO_LONG, as_tag
from curriculum.services import items, reviewing
from curriculum.services.audit import canonical
from curriculum.services.matching import Queue

router = Router(tags=["items"])
Etag = Annotated[str, Header(alias="If-Match", max_length=2000)]


def find_item(request: HttpRequest, pk: int, role: Role = Role.VIEWER) -> Item:
    """See `find_row`."""
    rows = Item.objects.select_related("stage__run", "skill").prefetch_related("tags")
    return find_row(request, rows, pk, "item", role, run="stage__run")


@get(router, "/stages/{stage_id}/items", scope="read", returns=Page[ItemOut])
def list_items(
    request: HttpRequest,
    stage_id: Id,
    round: Annotated[int | None, Query(ge=0, le=MOST_INT)] = None,
    verdict: Literal["waiting", "approved", "rejected", "all"] = "all",
    checks: Literal["", "flagged", "passed"] = "",
    skill: Annotated[str, Query(max_length=40)] = "",
    failed: Annotated[str, Query(max_length=40)] = "",
    origin: Annotated[str, Query(max_length=80)] = "",
    tag: Annotated[str, Query(max_length=40)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """The items of a round in the order written; of the last round, where none is named."""
    stage = find_stage(request, stage_id)
    chosen = {"skill": skill, "failed": failed, "origin": origin, "tag": tag, "q": q}
    clean = {name: words.replace("\x00", "") for name, words in chosen.items()}
    which = stage.round if round is None else round
    queue = Queue(which, verdict=verdict, checks=checks, **clean)
    found = queue.items(stage).select_related("skill").prefetch_related("tags")
    return page(found, limit=limit, cursor=cursor)


@post(router, "/stages/{stage_id}/items", scope="review", returns=ItemOut, status=201)
def write_item(request: HttpRequest, stage_id: Id, said: ItemIn) -> Status[Item]:
    """Write an item yourself: checked as any other, and waiting as any other."""
    stage = find_stage(request, stage_id, Role.REVIEWER)
    place = stage.stage_skills.filter(skill__key=said.skill).select_related("skill").first()
    if place is None:
        raise Refused(422, f"This stage does not teach the skill “{said.skill}”.")
    item = items.write(
        stage, actor=actor(request), skill=place.skill, **said.model_dump(exclude={"skill"})
    )
    return Status(201, item)


@get(router, "/items/{item_id}", scope="read", returns=ItemOut, also=[304], extra=None)
def get_item(
    request: HttpRequest,
    response: HttpResponse,
    item_id: Id,
    seen: Annotated[str, Header(alias="If-None-Match", max_length=2000)] = "",
) -> Any:
    """An item. Its ETag is what a change to it has to name."""
    item = find_item(request, item_id)
    response["ETag"] = etag_of(item)
    if _names(seen, etag_of(item)):
        return Status(304, None)
    return item


@patch(router, "/items/{item_id}", scope="review", returns=ItemOut)
def edit_item(
    request: HttpRequest, response: HttpResponse, item_id: Id, said: ItemEdit, seen: Etag = ""
) -> Item:
    """Change the words of an item, if it still is as you saw it: If-Match says how.

    The old words are kept, the checks run again, and it waits for a verdict again.
    """
    item = find_item(request, item_id, Role.REVIEWER)
    if not seen:
        raise Refused(
            428, "Say in If-Match which ETag you have seen, so that nobody is overwritten."
        )
    with transaction.atomic():
        reviewing.begin(item.stage, round=item.round)  # nobody else changes it from here
        item = find_item(request, item_id, Role.REVIEWER)
        if not _names(seen, etag_of(item)):
            raise Refused(
                412,
                "This item has been changed since you looked. Get it again before you change it.",
                headers={"ETag": etag_of(item)},
                now={"version": item.version, "verdict": item.get_verdict_display()},
            )
        item = items.edit(
            item,
            actor=actor(request),
            version=item.version,
            question=item.question if said.question is None else said.question,
            solution=item.solution if said.solution is None else said.solution,
            answer=said.answer,
        )
    response["ETag"] = etag_of(item)
    return item


@post(router, "/items/{item_id}/approve", scope="review", returns=ItemOut)
def approve_item(request: HttpRequest, item_id: Id, said: VersionIn) -> Item:
    """Let this version be trained on. A leak never may be."""
    item = find_item(request, item_id, Role.REVIEWER)
    return items.approve(item, actor=actor(request), version=said.version)


@post(router, "/items/{item_id}/reject", scope="review", returns=ItemOut)
def reject_item(request: HttpRequest, item_id: Id, said: RejectIn) -> Item:
    """Keep this version out of the training, and say why."""
    item = find_item(request, item_id, Role.REVIEWER)
    return items.reject(item, actor=actor(request), version=said.version, reason=said.reason)


@post(router, "/items/{item_id}/undo", scope="review", returns=ItemOut)
def undo_item(request: HttpRequest, item_id: Id, said: VersionIn) -> Item:
    """Take the verdict back: the item waits again."""
    item = find_item(request, item_id, Role.REVIEWER)
    return items.undo(item, actor=actor(request), version=said.version)


@post(router, "/items/{item_id}/tag", scope="review", returns=ItemOut)
def tag_item(request: HttpRequest, item_id: Id, said: WordIn) -> Item:
    """Put a word on the item."""
    item = find_item(request, item_id, Role.REVIEWER)
    items.tag(item, actor=actor(request), word=_tag(said))
    return find_item(request, item_id)


@post(router, "/items/{item_id}/untag", scope="review", returns=ItemOut)
def untag_item(request: HttpRequest, item_id: Id, said: WordIn) -> Item:
    """Take a word off the item."""
    item = find_item(request, item_id, Role.REVIEWER)
    items.untag(item, actor=actor(request), word=_tag(said))
    return find_item(request, item_id)


def etag_of(item: Item) -> str:
    """Strong: of all that can change about an item."""
    tags = sorted(tag.word for tag in item.tags.all())
    said = [item.pk, item.version, item.verdict, item.question, item.solution, item.checks, tags]
    return f'"{hashlib.sha256(canonical(said).encode()).hexdigest()[:32]}"'


def _names(header: str, etag: str) -> bool:
    return etag in (each.strip() for each in header.split(","))


def _tag(said: WordIn) -> str:
    word = as_tag(said.word)
    if not word:
        raise Refused(422, "Write a word to tag with.")
    if len(word) > LONGEST_TAG:
        raise Refused(422, TAG_TOO_LONG)
    return word
