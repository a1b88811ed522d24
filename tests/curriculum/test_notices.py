"""People are told that a run waits for them, and nothing that goes wrong with it harms the run."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone
from rq import Queue

from curriculum import tasks
from curriculum.models import AuditEntry, Job, Notice, Run, Stage
from curriculum.services import audit, items, jobs, notices, runs, skills, stages, waiting
from curriculum.services.audit import Actor
from curriculum.states import Channel, NoticeStatus, RunStatus, StageStatus
from curriculum.views import reads
from distill.remote import verify_signature
from tests.curriculum import small
from tests.factories import (
    ApproverFactory,
    CheckpointFactory,
    ItemFactory,
    JobFactory,
    ReviewerFactory,
    RunFactory,
    StageFactory,
    ViewerFactory,
    diagnosed_run,
    evidence,
)
from tests.web.api_calls import bearer

pytestmark = pytest.mark.django_db
SECRET = "a secret of tests"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers, body))
        self.send_response(self.server.status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver(settings):
    """A server that keeps what is posted to it, and answers with its `status`."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.status = [], 204
    settings.IOA_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/hook?key=hidden"
    settings.IOA_WEBHOOK_SECRET = SECRET
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mailing(settings):
    settings.IOA_MAIL = True
    settings.IOA_BASE_URL = "https://ioa.example.org"


@pytest.fixture
def done(redis, django_capture_on_commit_callbacks):
    """Do something, let it commit, and have a worker deliver what was queued for that."""

    def do(act):
        with django_capture_on_commit_callbacks(execute=True):
            act()
        deliver(redis)

    return do


def deliver(redis):
    queue = Queue("teacher", connection=redis)
    for job in queue.jobs:
        if job.func_name == "curriculum.tasks.tell":
            queue.remove(job)
            tasks.tell(*job.args)


def submitted(**traits):
    """The worker has written a stage's items: they wait for a reviewer."""
    stage = StageFactory(writing=True, **traits)
    ItemFactory(stage=stage, question="What is 7 + 1?")
    return lambda: stages.submit(stage, actor=Actor.worker())


def assessed(**traits):
    stage = StageFactory(assessing=True, **traits)
    CheckpointFactory(run=stage.run)
    return lambda: stages.assessed(stage, actor=Actor.worker(), evidence=evidence(stage))


def receivers():
    return sorted(message.to[0] for message in mail.outbox)


# --- By e-mail -----------------------------------------------------------------------------


def test_everybody_who_may_review_is_written_to_alone(mailing, done):
    ReviewerFactory(email="bob@example.org")
    ApproverFactory(email="ada@example.org")
    ReviewerFactory(email="")
    ReviewerFactory(email="gone@example.org", is_active=False)
    ViewerFactory(email="vic@example.org")

    done(submitted(run__name="Sums\nand more"))

    assert receivers() == ["ada@example.org", "bob@example.org"]
    message = mail.outbox[0]
    assert message.subject == "IOA: Sums and more: review the items of stage 1"
    assert f"https://ioa.example.org/stages/{Stage.objects.get().pk}/review/" in message.body
    assert "waits for a reviewer: review the items of stage 1." in message.body
    assert len(message.to) == 1
    assert {notice.status for notice in Notice.objects.all()} == {NoticeStatus.SENT}


def test_a_gate_is_for_approvers(mailing, done):
    ReviewerFactory(email="bob@example.org")
    ApproverFactory(email="ada@example.org")

    done(assessed())

    assert receivers() == ["ada@example.org"]
    assert "sign the gate of stage 1" in mail.outbox[0].subject


def test_under_the_two_person_rule_it_is_not_for_who_may_not_sign(mailing, done, redis):
    ada = ApproverFactory(email="ada@example.org")
    ApproverFactory(email="carol@example.org")
    stage = StageFactory(reviewing=True, run__two_people=True)
    ItemFactory(stage=stage)
    items.approve_all(stage, actor=Actor.person(ada), round=0)
    Stage.objects.update(status=StageStatus.ASSESSING)
    stage.refresh_from_db()
    CheckpointFactory(run=stage.run)

    done(lambda: stages.assessed(stage, actor=Actor.worker(), evidence=evidence(stage)))

    assert receivers() == ["carol@example.org"]


def test_who_brought_it_about_knows(mailing, done):
    ada = ApproverFactory(email="ada@example.org")
    ApproverFactory(email="carol@example.org")
    run = diagnosed_run()

    done(lambda: runs.sign_diagnosis(run, actor=Actor.person(ada)))

    assert receivers() == ["carol@example.org"]
    assert "review and sign the curriculum" in mail.outbox[0].subject


def test_work_that_ended_early_waits_for_a_retry(mailing, done):
    ReviewerFactory(email="bob@example.org")
    job = JobFactory(running=True)

    done(lambda: jobs.fail(job, "The disk is full."))

    assert "retry: diagnose" in mail.outbox[0].subject
    assert "disk" not in mail.outbox[0].body


def test_what_policy_decides_at_once_waits_for_nobody(mailing, done):
    ReviewerFactory(email="bob@example.org")
    stage = StageFactory(writing=True, run__autonomy="only_gates")
    ItemFactory(stage=stage)
    job = JobFactory(run=stage.run, stage=stage, kind="write", running=True)

    def written():
        with tasks._ending(job):
            stages.submit(stage, actor=Actor.worker())

    done(written)

    assert Stage.objects.get().status == StageStatus.TRAINING
    assert not Notice.objects.exists()
    assert mail.outbox == []


def test_a_draft_and_a_run_that_is_over_are_nobodys_business(mailing, done, approver):
    ReviewerFactory(email="bob@example.org")

    done(lambda: runs.stop(RunFactory(teaching=True), actor=approver, reason="no"))
    notices.announce(RunFactory().pk)

    assert not Notice.objects.exists()


def test_nothing_is_asked_or_made_where_nothing_is_configured(
    done, django_capture_on_commit_callbacks
):
    ReviewerFactory(email="bob@example.org")

    with django_capture_on_commit_callbacks() as callbacks:
        submitted()()

    assert callbacks == []
    assert not Notice.objects.exists()


# --- By a webhook ----------------------------------------------------------------------------


def test_what_is_posted_says_what_is_wanted_and_no_word_of_an_item(receiver, done):
    done(submitted(run__name="Sums"))

    [(headers, body)] = receiver.got
    stage, notice = Stage.objects.get(), Notice.objects.get()
    assert json.loads(body) == {
        "event": "run.waiting",
        "id": notice.pk,
        "run": {"id": stage.run_id, "name": "Sums"},
        "wanted": "review the items of stage 1",
        "who": "a reviewer",
        "url": f"http://127.0.0.1:8000/stages/{stage.pk}/review/",
        "sequence": Run.objects.get().audit_sequence,
        "audit_sequence": Run.objects.get().audit_sequence,
    }
    assert b"7 + 1" not in body
    assert headers["Content-Type"] == "application/json"
    assert (notice.status, notice.attempts, notice.error) == (NoticeStatus.SENT, 1, "")


def posted(receiver):
    """The last message."""
    return json.loads(receiver.got[-1][1])


def sign(client, what, told, seen):
    """Sign as a program does that was told to."""
    url = f"/api/v1/runs/{told['run']['id']}/sign-{what}"
    headers = bearer(ApproverFactory(), "read", "approve")
    return client.post(url, {"seen": seen}, content_type="application/json", headers=headers)


def test_a_program_signs_what_it_was_told_of(receiver, done, approver, client):
    run = small.diagnosing(approver)
    done(lambda: small.work(run))
    told = posted(receiver)

    stale = sign(client, "diagnosis", told, told["sequence"])
    done(lambda: sign(client, "diagnosis", told, told["audit_sequence"]))
    planned = posted(receiver)
    signed = sign(client, "curriculum", planned, planned["audit_sequence"])

    assert stale.status_code == 409  # the job's success was written after the wait began
    assert told["wanted"] == "review and sign the diagnosis"
    assert planned["wanted"] == "review and sign the curriculum"
    assert (signed.status_code, signed.json()["status"]) == (200, RunStatus.TEACHING)
    audit.verify(Run.objects.get())


def test_it_cannot_sign_what_was_changed_after_it_was_told(receiver, done, approver, client):
    run = small.diagnosing(approver)
    done(lambda: small.work(run))
    told = posted(receiver)
    skills.edit(run.skills.get(key="A2"), actor=approver, title="Sums of two", statement="")

    refused = sign(client, "diagnosis", told, told["audit_sequence"])

    assert (refused.status_code, refused.json()["code"]) == (409, "overtaken")
    assert Run.objects.get().status == RunStatus.REVIEWING_DIAGNOSIS


def test_what_is_tried_again_says_how_far_the_log_is_by_then(receiver, done, redis, approver):
    receiver.status = 500
    run = small.diagnosing(approver)
    done(lambda: small.work(run))
    first = posted(receiver)
    skills.edit(run.skills.get(key="A2"), actor=approver, title="Sums of two", statement="")
    Notice.objects.update(tried_at=timezone.now() - timedelta(hours=1))

    notices.resend()
    deliver(redis)

    again = posted(receiver)
    assert again["id"] == first["id"]
    assert again["sequence"] == first["sequence"]
    assert again["audit_sequence"] == first["audit_sequence"] + 1


def test_it_is_signed_over_the_time_and_the_raw_body(receiver, done):
    done(submitted())

    [(headers, body)] = receiver.got
    stamp = headers["X-IOA-Timestamp"]
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    assert headers["X-IOA-Signature"] == f"sha256={expected.hexdigest()}"
    assert verify_signature(body, headers, SECRET)  # as docs/api.md tells receivers to
    assert abs(time.time() - int(stamp)) < 60


def test_heads_of_the_log_are_posted_signed_in_the_same_way(receiver):
    run = RunFactory()
    entry = audit.write(run, actor=Actor.worker(), action="run.created", subject=run)

    call_command("anchor_audit", "--webhook", stdout=StringIO())

    [(headers, body)] = receiver.got
    assert headers["X-IOA-Signature"] == f"sha256={_signed(headers, body)}"
    said = json.loads(body)
    assert said["event"] == "audit.anchored"
    [told] = said["chains"]
    assert (told["chain"], told["entries"], told["head"]) == (f"run:{run.pk}", 1, entry.hash)
    assert AuditEntry.objects.get(run=None).evidence == {"to": "webhook", "runs": 1}


def test_a_server_that_takes_no_heads_is_said_without_its_address_and_not_recorded(receiver):
    run = RunFactory()
    audit.write(run, actor=Actor.worker(), action="run.created", subject=run)
    receiver.status = 500

    with pytest.raises(CommandError, match=r"did not take them. The server answered 500") as caught:
        call_command("anchor_audit", "--webhook", stdout=StringIO())

    assert "hidden" not in str(caught.value)
    assert not AuditEntry.objects.filter(action="audit.anchored").exists()


def test_of_two_places_only_the_one_that_took_the_heads_is_recorded(receiver, tmp_path):
    run, file = RunFactory(), tmp_path / "heads.jsonl"
    audit.write(run, actor=Actor.worker(), action="run.created", subject=run)
    receiver.status = 500

    with pytest.raises(CommandError, match="did not take them"):
        call_command("anchor_audit", "--webhook", "--file", str(file), stdout=StringIO())

    assert f'"run:{run.pk}"' in file.read_text()
    entry = AuditEntry.objects.get(action="audit.anchored")
    assert entry.evidence == {"to": f"file {file}", "runs": 1}


def _signed(headers, body):
    stamp = headers["X-IOA-Timestamp"]
    return hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_server_that_refuses_is_tried_again_and_the_run_goes_on(
    receiver, done, redis, caplog, status
):
    receiver.status = status

    done(submitted())

    notice = Notice.objects.get()
    assert Stage.objects.get().status == StageStatus.REVIEWING
    assert (notice.status, notice.attempts) == (NoticeStatus.WAITING, 1)
    assert notice.error == f"The server answered {status}."
    assert notice.error in caplog.text
    assert "hidden" not in caplog.text
    assert notices.resend() == []  # not at once

    receiver.status = 200
    Notice.objects.update(tried_at=timezone.now() - timedelta(hours=1))
    assert notices.resend() == [notice]
    deliver(redis)

    notice.refresh_from_db()
    assert (notice.status, notice.attempts, notice.error) == (NoticeStatus.SENT, 2, "")
    assert len(receiver.got) == 2


def test_a_server_that_is_not_there_is_given_up_after_six_attempts(settings, done, redis, caplog):
    settings.IOA_WEBHOOK_URL, settings.IOA_WEBHOOK_SECRET = "http://127.0.0.1:9/hidden", SECRET

    done(submitted())
    for _ in range(8):
        Notice.objects.update(tried_at=timezone.now() - timedelta(hours=1))
        notices.resend()
        deliver(redis)

    notice = Notice.objects.get()
    assert (notice.status, notice.attempts) == (NoticeStatus.FAILED, 6)
    assert "could not be reached" in notice.error
    assert "hidden" not in notice.error + caplog.text
    assert [r.levelname for r in caplog.records if "message" in r.msg] == ["WARNING"] * 5 + [
        "ERROR"
    ]


def test_without_a_queue_the_move_stands_and_the_message_is_sent_later(
    settings, no_redis, django_capture_on_commit_callbacks
):
    settings.IOA_WEBHOOK_URL, settings.IOA_WEBHOOK_SECRET = "http://127.0.0.1:9/", SECRET

    with django_capture_on_commit_callbacks(execute=True):
        submitted()()

    assert Stage.objects.get().status == StageStatus.REVIEWING
    audit.verify(Run.objects.get())
    Notice.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert notices.due() == [Notice.objects.get()]


def test_a_run_that_has_moved_on_needs_nobody_any_more(receiver, done, redis, approver):
    receiver.status = 500
    done(submitted())
    stage, item = Stage.objects.get(), Stage.objects.get().items.get()
    items.approve(item, actor=approver, version=1)
    stages.train(stage, actor=approver, round=0)
    Notice.objects.update(tried_at=timezone.now() - timedelta(hours=1))

    notices.resend()
    deliver(redis)

    assert Notice.objects.get().status == NoticeStatus.OUTDATED
    assert len(receiver.got) == 1


def test_one_wait_is_told_once_and_one_attempt_is_made_once(receiver, mailing, done, redis):
    ReviewerFactory(email="bob@example.org")
    done(submitted())

    assert notices.announce(Run.objects.get().pk) == []
    for notice in Notice.objects.all():
        notices.deliver(notice.pk, 1)

    assert len(receiver.got) == 1
    assert receivers() == ["bob@example.org"]
    assert sorted(n.channel for n in Notice.objects.all()) == [Channel.MAIL, Channel.WEBHOOK]


# --- What is waited for ------------------------------------------------------------------------

SITUATIONS = [
    *(lambda status=status: RunFactory(status=status) for status in RunStatus),
    *(lambda status=status: StageFactory(status=status).run for status in StageStatus),
    *(lambda trait=trait: JobFactory(**{trait: True}).run for trait in ("failed", "running")),
]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_messages_and_pages_are_of_one_mind_about_who_must_act(situation):
    run = reads.runs_with_work().get(pk=situation().pk)
    row = reads.run_row(run)

    wanted = waiting.wanted(run, row.stages, row.jobs)

    assert (wanted.role if wanted else None) == row.action.role


def test_a_wait_begins_with_a_move_and_not_with_work_aside(approver):
    run = diagnosed_run()
    runs.back_to_diagnosis(
        diagnosed_run(reviewing_diagnosis=False, reviewing_curriculum=True), actor=approver
    )
    moved = Run.objects.exclude(pk=run.pk).get()
    began = waiting.begun(moved)
    aside = jobs.create_aside(moved, actor=approver, kind="probe", asked={})
    jobs.fail(jobs.start(aside.pk, 1), "no")

    assert waiting.begun(moved) == began
    assert waiting.since([moved, run]) == {moved.pk: began.at}
    assert Job.objects.count() == 1
