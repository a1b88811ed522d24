"""Addresses, and headers with addresses, that no page of ours has: an answer, and no error."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from curriculum import urls
from curriculum.views import audit_reads
from tests.factories import AdminFactory, RunFactory
from tests.web.writes import HTMX

pytestmark = pytest.mark.django_db

NUMBERED = [pattern.name for pattern in urls.urlpatterns if "<int:pk>" in str(pattern.pattern)]
NOWHERE = HTMX | {"HX-Current-URL": "http://["}


@pytest.mark.parametrize("number", [2**63, 10**30])
@pytest.mark.parametrize("name", NUMBERED)
def test_a_number_that_no_row_can_have_is_not_found(client, name, number):
    client.force_login(AdminFactory(is_superuser=True))
    url = reverse(f"curriculum:{name}", args=[number])

    found = {client.get(url).status_code, client.post(url).status_code}

    assert found - {405} == {404}


def test_a_fragment_is_answered_whatever_address_htmx_says_it_is_for(client, viewer):
    run = RunFactory(reviewing_diagnosis=True)
    url = reverse("curriculum:run-diagnosis-now", args=[run.pk])

    assert client.get(url, {"seen": "1"}, headers=NOWHERE).status_code == 200


def test_a_login_that_ran_out_leads_home_from_a_page_without_an_address():
    url = reverse("curriculum:run-diagnosis-now", args=[RunFactory().pk])

    response = Client().get(url, headers=NOWHERE)

    assert response["HX-Redirect"] == "/login/?next=%2F"


def test_a_nul_in_what_is_looked_for_is_left_out(client, viewer):
    run = RunFactory(name="Sums")
    log = reverse("curriculum:run-audit", args=[run.pk])
    about = dict.fromkeys(audit_reads.FIELDS, "\x00run")

    found = client.get("/", {"q": "Su\x00ms"})
    logged = client.get(log, about)

    assert (found.context["words"], len(found.context["rows"])) == ("Sums", 1)
    assert logged.status_code == 200
    assert {getattr(logged.context["said"], name) for name in audit_reads.FIELDS} == {"run"}
