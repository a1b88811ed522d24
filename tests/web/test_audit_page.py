"""The log's page: filtered, a page at a time, an entry opened, all of it exported."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from curriculum.models import AuditEntry
from curriculum.services import audit, bulk, chain, items, jobs
from curriculum.services.audit import Actor
from curriculum.services.matching import Queue
from curriculum.states import JobKind
from curriculum.views import audit_reads
from tests.factories import (
    AdminFactory,
    ApproverFactory,
    CheckpointFactory,
    ItemFactory,
    RunFactory,
    ScoreFactory,
    SkillFactory,
    StageFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    return RunFactory(name="Sums")


def write(run, n=1, **changes):
    given = {"actor": Actor.worker(), "action": "run.created", "subject": run, **changes}
    return [audit.write(run, **given) for _ in range(n)][-1]


def shown(client, address):
    return [int(n) for n in re.findall(r'<li id="entry-(\d+)"', client.get(address).text)]


def test_it_is_filtered_by_action_person_object_and_request(client, viewer, run):
    ada = Actor.person(ApproverFactory(first_name="Ada", last_name="Lovelace"))
    stage = StageFactory(run=run, title="Carrying")
    write(run, actor=ada)
    write(run, action="stage.split", subject=stage)
    page = f"/runs/{run.pk}/audit/"

    assert shown(client, page) == [2, 1]
    assert shown(client, f"{page}?action=stage.split") == [2]
    assert shown(client, f"{page}?actor=Ada+Lovelace") == [1]
    assert shown(client, f"{page}?kind=worker") == [2]
    assert shown(client, f"{page}?about=stage:{stage.pk}") == [2]
    assert shown(client, f"{page}?about=stage") == [2]
    assert shown(client, f"{page}?about=carrying") == [2]
    assert shown(client, f"{page}?request=nobody") == []


def test_an_entry_about_a_stage_that_was_deleted_leads_nowhere(client, viewer, run):
    gone, there = StageFactory(run=run, position=1), StageFactory(run=run, position=2)
    for stage in (gone, there):
        write(run, action="stage.merged", subject=stage)
    subject = f"stage:{gone.pk}"
    gone.delete()

    text = client.get(f"/runs/{run.pk}/audit/").text

    of_gone = text.split('<li id="entry-1"')[1]
    assert f'<dd>{subject} <span class="muted">(deleted since)</span>' in of_gone
    assert f"/{subject.replace('stage:', 'stages/')}/" not in text
    assert f'<a href="/stages/{there.pk}/">stage:{there.pk}</a>' in text


def test_words_of_what_was_done_find_it(client, viewer, run):
    write(run)
    write(run, action="stage.split", subject=StageFactory(run=run, title="Carrying"))

    assert shown(client, f"/runs/{run.pk}/audit/?about={audit.ACTIONS['stage.split']}") == [2]


def test_what_was_done_to_many_items_is_found_by_each(client, viewer):
    ada = Actor.person(ApproverFactory())
    stage = StageFactory(reviewing=True)
    one, other = ItemFactory(stage=stage), ItemFactory(stage=stage)
    items.approve(other, actor=ada, version=1)
    bulk.approve_matching(stage, actor=ada, queue=Queue(0))
    page = f"/runs/{stage.run_id}/audit/"

    assert shown(client, f"{page}?about=item:{one.pk}") == [2]
    assert shown(client, f"{page}?about=item:{other.pk}") == [1]


def test_days_that_end_before_they_begin_are_told(client, viewer, run):
    write(run)
    page = f"/runs/{run.pk}/audit/"

    says = "The first day is after the last."
    assert says in client.get(f"{page}?since=2026-03-02&until=2026-03-01").text
    assert says not in client.get(f"{page}?since=2026-03-02&until=2026-03-02").text


def test_a_job_says_the_same_of_itself_before_and_after(client, viewer, run):
    job = jobs.create(run, actor=Actor.worker(), kind=JobKind.DIAGNOSE)
    jobs.cancel(job, actor=Actor.worker())

    entry = AuditEntry.objects.last()
    assert entry.was.keys() == entry.became.keys()
    assert '<th scope="row">stage</th>' not in client.get(f"/runs/{run.pk}/audit/").text


def test_it_is_filtered_by_days_both_included(client, viewer, run, monkeypatch):
    days = [datetime(2026, 3, day, 23, 59, tzinfo=UTC) for day in (1, 2, 3)]
    for day in days:
        monkeypatch.setattr(audit.timezone, "now", lambda day=day: day)
        write(run)
    monkeypatch.undo()
    page = f"/runs/{run.pk}/audit/"

    assert shown(client, f"{page}?since=2026-03-02") == [3, 2]
    assert shown(client, f"{page}?until=2026-03-02") == [2, 1]
    assert shown(client, f"{page}?since=2026-03-02&until=2026-03-02") == [2]


@pytest.mark.parametrize(
    "said",
    ["since=x", "since=0001-01-01", "until=9999-12-31", "before=x", "before=-1", "after=²"]
    + ["action=x", "kind=x", f"before={'9' * 40}"],
)
def test_what_makes_no_sense_in_the_address_is_left_out(client, viewer, run, said):
    write(run)

    assert shown(client, f"/runs/{run.pk}/audit/?{said}") == [1]


def test_pages_are_walked_there_and_back_and_keep_the_filter(client, viewer, run, monkeypatch):
    monkeypatch.setattr(audit_reads, "SHOWN", 2)
    write(run, 5)
    page = f"/runs/{run.pk}/audit/"

    def link(address, rel):
        found = re.search(rf'<a href="([^"]*)" rel="{rel}"', client.get(address).text)
        return found and found[1].replace("&amp;", "&")

    older = link(f"{page}?kind=worker", "next")
    oldest = link(older, "next")
    assert [shown(client, each) for each in (page, older, oldest)] == [[5, 4], [3, 2], [1]]
    assert "kind=worker" in oldest
    assert link(oldest, "next") is None
    assert link(page, "prev") is None
    back = link(oldest, "prev")
    assert shown(client, back) == [3, 2]
    assert shown(client, link(back, "prev")) == [5, 4]
    assert link(link(back, "prev"), "prev") is None


def test_an_entry_shows_before_after_and_evidence_as_text(client, viewer, run):
    write(run, was={"status": "<b>draft</b>"}, became={"status": "done"}, evidence={"n": 64})

    page = client.get(f"/runs/{run.pk}/audit/").text

    assert "&lt;b&gt;draft&lt;/b&gt;" in page
    assert re.search(r'<th scope="row">status</th>.*?draft.*?done', page, re.DOTALL)
    assert "&quot;n&quot;: 64" in page
    assert run.audit_head in page


def test_a_response_says_the_id_of_its_request_and_takes_over_a_sane_one(client, viewer, run):
    page = f"/runs/{run.pk}/audit/"

    assert (
        client.get(page, headers={"X-Request-ID": "proxy-7.a:b"})["X-Request-ID"] == "proxy-7.a:b"
    )
    for odd in ("", "a b", "<script>", "x" * 65, "-x", "ü"):
        given = client.get(page, headers={"X-Request-ID": odd})["X-Request-ID"]
        assert re.fullmatch("[0-9a-f]{32}", given)


def test_a_write_by_a_page_keeps_the_id_of_its_request(client, approver, run):
    client.post(f"/runs/{run.pk}/archive/", {}, headers={"X-Request-ID": "proxy-8"})

    assert AuditEntry.objects.get().request_id == "proxy-8"


def test_the_export_is_streamed_and_ends_with_the_head(client, viewer, run):
    last = write(run, 3)

    response = client.get(f"/runs/{run.pk}/audit.jsonl")

    assert response.streaming
    assert 'filename="audit-run-' in response["Content-Disposition"]
    lines = [json.loads(line) for line in response.getvalue().decode().splitlines()]
    assert len(lines) == 4
    assert lines[-1] == {"chain": f"run:{run.pk}", "entries": 3, "head": last.hash}


def test_the_report_shows_the_head(client, viewer):
    skill = SkillFactory(run=RunFactory(finished=True))
    base = CheckpointFactory(run=skill.run, is_current=False)
    now = CheckpointFactory(run=skill.run, parent=base)
    for checkpoint in (base, now, None):
        ScoreFactory(skill=skill, checkpoint=checkpoint, split="final")
    entry = write(skill.run)
    report = f"/runs/{skill.run_id}/report"

    page = client.get(f"{report}/").text

    assert entry.hash in page
    assert f"/checkpoints/{now.pk}/provenance/" in page
    assert client.get(f"{report}.json").json()["audit"] == {"entries": 1, "head": entry.hash}


# --- The house --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/audit/", "/audit.jsonl"])
def test_the_house_is_for_who_manages_people(client, viewer, address):
    assert client.get(address).status_code == 403

    client.logout()
    assert client.get(address).url == f"/login/?next={address}"

    client.force_login(AdminFactory())
    assert client.get(address).status_code == 200


def test_what_the_admin_does_to_an_account_is_in_the_chain_of_the_house(client):
    boss, someone = AdminFactory(first_name="Grace", last_name=""), UserFactory(username="eve")
    client.force_login(boss)
    form = {"username": "eve", "is_active": "on", "date_joined_0": "2026-01-01"}
    form |= {"date_joined_1": "00:00:00", "is_staff": "on"}

    client.post(f"/admin/auth/user/{someone.pk}/change/", form)
    client.post(f"/admin/auth/user/{someone.pk}/delete/", {"post": "yes"})

    changed, deleted = AuditEntry.objects.filter(run=None)
    assert (changed.action, changed.actor, changed.subject) == (
        "account.changed",
        boss,
        f"user:{someone.pk}",
    )
    assert changed.became["is_staff"] is True
    assert (deleted.action, deleted.subject_name) == ("account.deleted", "eve")
    assert audit.verify(chain.house())[0] == 2
    assert "account changed" in client.get("/audit/").text
