"""The OpenAPI document, tried against the API by schemathesis: what it says is what happens."""

from __future__ import annotations

import os

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as conformance

from curriculum.api.operations import MOST_ID
from curriculum.services import tokens
from curriculum.services.audit import Actor
from curriculum.services.tokens import SCOPES
from tests.factories import AdminFactory
from tests.web.api_rows import populated

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# More with e.g. IOA_TEST_EXAMPLES=200: what the fixed seed finds, it finds each time.
EXAMPLES = int(os.environ.get("IOA_TEST_EXAMPLES", "4"))
CHECKS = [
    checks.not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_headers_conformance,
    conformance.response_schema_conformance,
    conformance.negative_data_rejection,
    conformance.unsupported_method,
]


CONFIG = {"generation": {"with-security-parameters": False}}  # test_api_rights.py is about those
schema = schemathesis.openapi.from_wsgi(
    "/api/v1/openapi.json",
    get_wsgi_application(),
    config=schemathesis.Config.from_dict(CONFIG),
)


@pytest.fixture
def known(kept_open, settings):
    """Rows by the name of a path parameter, and a token that may everything."""
    settings.IOA_API_REQUESTS = 10**9
    ids = populated()
    person = AdminFactory()
    _, words = tokens.make(person, actor=Actor.person(person), name="schemathesis", scopes=SCOPES)
    return ids, words


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_the_document_says(case, known):
    ids, words = known
    parameters = case.path_parameters or {}
    for name, value in parameters.items():
        # Two thirds of the whole numbers are rows that there are: else all would be 404.
        if type(value) is int and 0 < value <= MOST_ID and value % 3:
            parameters[name] = ids[name][value % len(ids[name])]
    headers = {"Authorization": f"Bearer {words}", "Host": "localhost"}
    with transaction.atomic():
        case.call_and_validate(headers=headers, checks=CHECKS)
        transaction.set_rollback(True)  # each example meets the same rows
