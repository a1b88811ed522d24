"""What STYLE asks of every view that writes, asked of each in turn."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver

from curriculum.models import AuditEntry
from tests.factories import ApproverFactory, ReviewerFactory, ViewerFactory
from tests.web.writes import HTMX, WRITES

pytestmark = pytest.mark.django_db
each = pytest.mark.parametrize("write", WRITES, ids=str)


def test_the_table_names_every_address_that_only_takes_posts():
    names = {name for name in get_resolver("curriculum.urls").reverse_dict if isinstance(name, str)}
    reads = {
        *(
            "bar",
            "glossary",
            "run-list",
            "run-compare",
            "run-create",
            "run-detail",
            "run-now",
            "run-diagnosis",
            "skill-words",
            "run-graph",
        ),
        *("run-curriculum", "run-report", "run-report-json", "run-audit", "job-list"),
        *("stage-detail", "stage-now", "stage-training", "stage-review", "stage-gate"),
        *("run-prompts", "run-examples", "run-prompts-now", "run-examples-now"),
        *("prompt-preview", "run-costs"),
        *("run-audit-export", "house-audit", "house-audit-export"),
        *("item-provenance", "checkpoint-provenance"),
        *("run-diagnosis-now", "run-graph-now", "run-check-move", "item-rendered"),
        *("stage-team", "stage-rewriting"),
        *("stage-replace-preview", "stage-compose"),
        *("run-export", "run-dataset", "run-archive-file", "run-domain-file"),
        *("checkpoint-adapter", "run-import", "archive-import", "domain-list", "domain-add"),
        "token-list",
        *("run-people", "session-list", "invitation-join"),
    }

    beats = {"item-look"}  # who looks at what is no decision: tests/web/test_team.py
    shown_once = {"token-make"}  # no redirect, and no address after it: tests/web/test_tokens.py

    own = {"session-end", "session-end-others"}  # anybody's: tests/web/test_accounts.py

    assert names - reads - beats - shown_once - own == {write.name for write in WRITES}


@pytest.mark.slow
@each
def test_it_works_once_and_a_second_time_is_refused_or_does_no_harm(client, approver, write):
    url, form = write.arrange(approver)

    response = client.post(url, form, follow=True)

    assert response.redirect_chain[0][1] == 302
    assert response.status_code == 200
    assert re.search('class="notice (success|warning)"', response.text)  # a check may fail
    assert AuditEntry.objects.filter(actor=approver).exists() == write.has_entry

    written = AuditEntry.objects.count()
    again = client.post(url, form, headers=HTMX)

    assert again.status_code == write.again
    if write.again in (409, 422):
        # Without a script it is the page again, with the same status and the same words.
        page = client.post(url, form)
        assert page.status_code == write.again
        assert "<html" in page.text
        assert 'class="notice error"' in again.text
        assert 'class="notice error"' in page.text
        assert AuditEntry.objects.count() == written


@each
def test_htmx_gets_the_fragment_with_notice_and_bar_and_no_page(client, write, db):
    user = ApproverFactory() if write.needs == "approver" else ReviewerFactory()
    url, form = write.arrange(user)
    client.force_login(user)

    response = client.post(url, form, headers=HTMX)

    assert response.status_code == 200
    assert f'id="{write.root}"' in response.text
    assert 'hx-swap-oob="innerHTML:#notices"' in response.text
    assert 'id="bar-status"' in response.text
    assert "<html" not in response.text


@each
def test_who_may_not_is_turned_away_and_nothing_is_written(client, write, db):
    url, form = write.arrange()
    before = AuditEntry.objects.count()
    here = {**HTMX, "HX-Current-URL": "http://testserver/runs/1/"}

    assert client.get(url).status_code == 405
    assert client.post(url, form).url == f"/login/?next={url}"
    # A session that ran out moves the whole page, so that no login form lands in a card.
    assert client.post(url, form, headers=here)["HX-Redirect"] == "/login/?next=%2Fruns%2F1%2F"
    client.force_login(ReviewerFactory() if write.needs == "approver" else ViewerFactory())
    assert client.post(url, form).status_code == 403
    assert AuditEntry.objects.count() == before
