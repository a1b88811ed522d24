"""What STYLE asks of every view that writes, asked of each in turn."""

from __future__ import annotations

import pytest
from django.urls import get_resolver

from curriculum.models import AuditEntry
from tests.factories import ReviewerFactory, ViewerFactory
from tests.web.writes import HTMX, WRITES

pytestmark = pytest.mark.django_db
each = pytest.mark.parametrize("write", WRITES, ids=str)


def test_the_table_names_every_address_that_only_takes_posts():
    names = {name for name in get_resolver("curriculum.urls").reverse_dict if isinstance(name, str)}
    reads = {
        *("run-list", "run-create", "run-detail", "run-now", "run-diagnosis", "run-graph"),
        *("run-curriculum", "run-report", "run-report-json", "run-audit", "job-list"),
        *("stage-detail", "stage-now", "stage-training", "stage-review", "stage-gate"),
        "item-rendered",
    }

    assert names - reads == {write.name for write in WRITES}


@each
def test_it_works_and_without_javascript_it_redirects(client, approver, write):
    url, form = write.arrange()

    response = client.post(url, form, follow=True)

    assert response.redirect_chain
    assert response.redirect_chain[0][1] == 302
    assert response.status_code == 200
    assert 'class="notice success"' in response.text
    assert AuditEntry.objects.filter(actor=approver).exists()


@each
def test_htmx_gets_the_fragment_with_notice_and_bar_and_no_page(client, approver, write):
    url, form = write.arrange()

    response = client.post(url, form, headers=HTMX)

    assert response.status_code == 200
    assert f'id="{write.root}"' in response.text
    assert 'hx-swap-oob="innerHTML:#notices"' in response.text
    assert 'id="bar-status"' in response.text
    assert "<html" not in response.text


@each
def test_get_is_405(client, approver, write):
    url, _ = write.arrange()

    assert client.get(url).status_code == 405


@each
def test_without_the_permission_it_is_403_and_nothing_is_written(client, write, db):
    url, form = write.arrange()
    client.force_login(ReviewerFactory() if write.needs == "approver" else ViewerFactory())

    assert client.post(url, form).status_code == 403
    assert not AuditEntry.objects.exists()


@each
def test_a_reviewer_may_unless_it_needs_an_approver(client, reviewer, write):
    url, form = write.arrange()

    status = client.post(url, form, headers=HTMX).status_code

    assert status == (403 if write.needs == "approver" else 200)


@each
def test_logged_out_it_goes_to_the_login_page(client, write, db):
    url, form = write.arrange()

    response = client.post(url, form)

    assert response.status_code == 302
    assert response.url.startswith("/login/?next=")


@each
def test_a_session_that_ran_out_moves_the_whole_page_to_the_login(client, write, db):
    url, form = write.arrange()
    here = {**HTMX, "HX-Current-URL": "http://testserver/runs/1/"}

    response = client.post(url, form, headers=here)

    assert response["HX-Redirect"] == "/login/?next=%2Fruns%2F1%2F"


@each
def test_a_second_time_it_is_refused_or_does_no_harm(client, approver, write):
    url, form = write.arrange()
    client.post(url, form)
    written = AuditEntry.objects.count()

    response = client.post(url, form, headers=HTMX)

    assert response.status_code == write.again
    if write.again in (409, 422):
        assert AuditEntry.objects.count() == written
        assert 'class="notice error"' in response.text


@each
def test_refused_without_javascript_the_page_comes_again_with_the_same_status(
    client, approver, write
):
    url, form = write.arrange()
    client.post(url, form)

    response = client.post(url, form)

    if write.again in (409, 422):
        assert response.status_code == write.again
        assert "<html" in response.text
        assert 'class="notice error"' in response.text
