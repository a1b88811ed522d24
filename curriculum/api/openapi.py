"""What the OpenAPI document says beyond what ninja knows: media types, headers, scopes."""

from __future__ import annotations

from typing import Any

from curriculum.api.problems import MEDIA

Json = dict[str, Any]
JSONL = "application/jsonl"

KEY: Json = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "required": False,
    "description": "Of your choice, e.g. a UUID. The same request under the same key within 24 "
    "hours is done once, and answered the same (with Idempotent-Replayed: true).",
}
REQUEST_ID: Json = {
    "description": "Names the request in logs and in the audit log.",
    "schema": {"type": "string"},
}
HEADERS: dict[int, Json] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "In seconds.", "schema": {"type": "string"}}},
}
ETAG: Json = {"ETag": {"description": "What a change has to name.", "schema": {"type": "string"}}}
WITH_ETAG = {"get_item": (200, 304), "edit_item": (200,)}
SAYS = {
    200: "Done, or found",
    201: "Made",
    304: "It is as you have seen it",
    400: "The body could not be read",
    401: "No token, or one that opens nothing",
    403: "The token lacks the scope, or its person the role",
    404: "Not there, or not yours to see",
    409: "Not as things stand; look again",
    412: "Changed since you looked",
    413: "Too large",
    422: "Not valid, and which value",
    428: "If-Match is missing",
    429: "Too many requests of this token",
}


def complete(document: Any) -> Any:
    parts = document["components"]
    parts["securitySchemes"]["Token"] = {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "ioa_…",
    }
    parts["parameters"] = {"Key": KEY}
    refusals: Json = {}
    for operations in document["paths"].values():
        for operation in operations.values():
            _complete(operation, refusals)
    parts["responses"] = dict(sorted(refusals.items()))
    return document


def _complete(operation: Json, refusals: Json) -> None:
    """`refusals`: the answers from 400 on, by their status, are the same everywhere."""
    name, scope = operation["operationId"], operation["x-scope"]
    operation["security"] = [{"Token": [scope] if scope else []}]
    if operation.pop("x-keyed"):
        operation["parameters"].append({"$ref": "#/components/parameters/Key"})
    for status, response in operation["responses"].items():
        headers = {"X-Request-ID": REQUEST_ID, **HEADERS.get(int(status), {})}
        if int(status) in WITH_ETAG.get(name, ()):
            headers |= ETAG
        response["headers"] = headers
        if JSONL not in response.get("content", {}):
            response["description"] = SAYS[int(status)]
        if int(status) >= 400:
            response["content"] = {MEDIA: response["content"]["application/json"]}
            refusals[str(status)] = response
            operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
