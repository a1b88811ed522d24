"""The API as a whole: its operations, its document, and what is said where there is nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import server_error
from ninja import NinjaAPI
from ninja.parser import Parser

from curriculum.api import (
    bulk,
    domains,
    examples,
    exchange,
    gates,
    house,
    items,
    jobs,
    plan,
    problems,
    prompts,
    records,
    runs,
    skills,
    stages,
)
from curriculum.api.openapi import complete
from curriculum.api.problems import require_storable
from curriculum.services.tokens import SCOPES

ADDRESS = "/api/v1/"
DESCRIPTION = """What the pages of this installation can do, for programs. Every call shows a token
(`Authorization: Bearer ioa_…`), which a person makes under “API tokens”; it may what both its
scopes and its person's role allow. Errors are RFC 9457 problems with a sentence. Lists come in
pages: ask again with `next` as `cursor`. A POST may carry an `Idempotency-Key`: asked twice within
24 hours, it is done once. docs/api.md has examples and a client.
"""


class Storable(Parser):
    """Refuses words that no database keeps, wherever they stand in a body."""

    def parse_body(self, request: HttpRequest) -> Any:
        said = super().parse_body(request)
        require_storable(said)
        return said


class Api(NinjaAPI):
    def get_openapi_schema(self, **kwargs: Any) -> Any:
        return complete(super().get_openapi_schema(**kwargs))


api = Api(
    title="IOA",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    openapi_url="",
    docs_url=None,
    openapi_extra={"x-scopes": SCOPES},
    parser=Storable(),
)
problems.install(api)
for module in (
    *(house, domains, runs, skills, examples, prompts, plan, stages, items, bulk),
    *(gates, jobs, records, exchange),
):
    api.add_router("", module.router)


def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, for anybody: it says nothing of what is stored here."""
    return HttpResponse(as_text(), content_type="application/json")


def as_text() -> str:
    """The document as docs/openapi.json keeps it."""
    return json.dumps(api.get_openapi_schema(), ensure_ascii=False, indent=1) + "\n"


@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    return problems.problem(404, "There is no such address: see /api/v1/openapi.json.")


def failed(request: HttpRequest) -> HttpResponse:
    """What is said where the program is at fault; Django has logged it."""
    if request.path.startswith(ADDRESS):
        return problems.problem(500, "Something went wrong here. It is in the log of the server.")
    return server_error(request)


def urls() -> list[URLPattern | URLResolver]:
    found = list(api.urls[0])
    for pattern in found:
        if isinstance(pattern, URLPattern):
            pattern.callback = _in_words(pattern.callback)
    return [path("openapi.json", document, name="openapi"), *found, re_path(r"^.*$", nothing)]


def _in_words(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Ninja answers an unknown method, and its own root, without a sentence."""

    @wraps(view)
    def answer(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, **kwargs)
        except Http404:
            return nothing(request)
        if response.status_code != 405:
            return response
        allowed = str(response["Allow"])
        says = f"Here one can only {allowed}."
        return problems.problem(405, says, headers={"Allow": allowed})

    return answer
