"""The OpenAPI document: kept in docs/, complete, and open to anybody."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from curriculum.api.root import api, as_text
from curriculum.services.tokens import SCOPES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads(as_text())
OPERATIONS = [
    (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def test_the_one_in_docs_is_current():
    assert (ROOT / "docs" / "openapi.json").read_text() == as_text(), "manage.py write_openapi"


def test_anybody_may_read_it_and_it_asks_nothing_of_the_database(client):
    response = client.get("/api/v1/openapi.json")

    assert response.status_code == 200
    assert response.json() == DOCUMENT


# Lists that are as long as an installation is large, and not as its runs.
WHOLE = {f"/api/v1/{name}" for name in ("me", "policies", "domains")}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_says_its_scope_its_refusals_and_what_it_does(method, path, operation):
    statuses = set(operation["responses"])
    names = {p.get("name") or p["$ref"].rpartition("/")[2] for p in operation["parameters"]}

    assert operation["x-scope"] in {*SCOPES, ""}
    assert operation["summary"]
    assert {"401", "403", "422", "429"} <= statuses
    assert ("404" in statuses) == ("{" in path)
    if method == "post":
        assert "Key" in names
        assert {"400", "409", "413"} <= statuses
    if method == "patch":
        assert {"409", "412", "428"} <= statuses
        assert "If-Match" in names
    if path.endswith("/items") or path.count("/") == 3:
        assert method != "get" or "cursor" in names or path in WHOLE


def test_the_page_names_every_scope_and_no_other():
    page = (ROOT / "docs" / "api.md").read_text()

    assert re.findall(r"^\| `(\w+)` \| ", page.partition("## Requests")[0], re.MULTILINE) == [
        *SCOPES
    ]


def test_no_two_operations_share_a_name():
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(names) == len(set(names)) > 50
    assert api.docs_url is None
