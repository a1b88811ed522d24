"""Out and in: items and audit as files that are streamed, items from a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, StreamingHttpResponse
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile

from curriculum.access import Role
from curriculum.api.guard import actor, find_run
from curriculum.api.item_schemas import ImportedOut
from curriculum.api.openapi import JSONL
from curriculum.api.operations import Id, get, post
from curriculum.api.received import as_file
from curriculum.api.replies import AFTER
from curriculum.api.schemas import MOST_INT
from curriculum.api.stages import find_stage
from curriculum.exports import items, mapping, tabular
from curriculum.exports.formats import FORMATS
from curriculum.services import chain, exchange
from curriculum.states import VERDICTS

router = Router(tags=["exchange"])
AS_LINES: dict[str, Any] = {
    "responses": {
        200: {
            "description": "A JSON object a line, UTF-8",
            "content": {JSONL: {"schema": {"type": "string"}}},
        }
    }
}


@get(router, "/runs/{run_id}/items.jsonl", scope="export", returns=None, extra=AS_LINES)
def export_items(
    request: HttpRequest,
    run_id: Id,
    format: Literal["messages", "alpaca", "sharegpt", "dpo", "dpo-sharegpt"] = "messages",
    verdict: Literal["approved", "rejected", "waiting", "all"] = "approved",
    stage: Annotated[int | None, Query(ge=1, le=MOST_INT, description="Its position.")] = None,
    skill: Annotated[str, Query(max_length=40)] = "",
) -> StreamingHttpResponse:
    """The items of a run as a data set, a line each, in the order of the stages. Never a leak.

    docs/exchange.md has the formats. With `dpo` the lines are pairs that a person preferred.
    """
    run = find_run(request, run_id)
    skill = skill.replace("\x00", "")
    chosen = items.chosen(run, verdict=VERDICTS[verdict], stage=stage, skill=skill)
    made = FORMATS[format]
    rows = chosen.pairs() if made.of_pairs else chosen.rows()
    return _lines(made.write(rows), f"run-{run.pk}-{format}.jsonl")


@get(router, "/runs/{run_id}/audit.jsonl", scope="export", returns=None, extra=AS_LINES)
def export_audit(request: HttpRequest, run_id: Id) -> StreamingHttpResponse:
    """The run's log with its hashes, an entry a line, and its end; docs/audit.md."""
    run = find_run(request, run_id)
    lines = (line.encode() for line in chain.export(run))
    return _lines(lines, f"audit-run-{run.pk}.jsonl")


@post(router, "/stages/{stage_id}/import", scope="import", returns=ImportedOut, keeps=AFTER)
def import_items(
    request: HttpRequest,
    stage_id: Id,
    file: Annotated[UploadedFile, File(description="JSON Lines, CSV or Parquet, by its name.")],
    round: Annotated[int, Form(ge=0, le=MOST_INT, description="The one that was looked at.")],
    skill: Annotated[str, Form(max_length=40, description="Of rows that name none.")] = "",
) -> Any:
    """Items of a file into the round that is in review: all of them, or none.

    Which column is which field is guessed by its name; docs/exchange.md. They wait for a verdict.
    """
    stage = find_stage(request, stage_id, Role.REVIEWER)
    name = str(file.name)[:200]
    with as_file(file) as path:
        columns = mapping.guess(tabular.columns(path))
        return exchange.import_items(
            stage, path, columns, actor=actor(request), round=round, name=name, skill=skill
        )


def _lines(chunks: Any, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(chunks, content_type=JSONL)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
