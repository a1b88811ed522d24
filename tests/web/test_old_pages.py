"""What a page may still do after its session has gone: nothing, and it says so."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from curriculum.models import Run
from tests.factories import RunFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(approver):
    """A browser whose token is checked, as everywhere but in tests."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(approver, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("is_htmx", [True, False])
def test_a_page_of_another_session_is_told_from_a_missing_role(strict, is_htmx):
    run = RunFactory()
    headers = {"HX-Request": "true"} if is_htmx else {}

    response = strict.post(reverse("curriculum:run-archive", args=[run.pk]), headers=headers)

    assert response.status_code == 403
    assert "You signed in or out since this page was opened" in response.text
    assert "another role" not in response.text
    assert response.headers["Content-Type"].startswith("text/plain" if is_htmx else "text/html")
    assert Run.objects.get().archived_at is None
