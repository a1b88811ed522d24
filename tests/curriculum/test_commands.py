from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rq import Queue

from curriculum.models import Job, Run
from curriculum.services import audit
from curriculum.services.audit import Actor
from curriculum.states import JobStatus
from tests.factories import CheckpointFactory, JobFactory, RunFactory

pytestmark = pytest.mark.django_db


def say(command, *arguments):
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=out)
    return out.getvalue()


def silent_job():
    return JobFactory(running=True, heartbeat_at=timezone.now() - timedelta(days=1))


def test_sweeping_names_what_was_lost_and_what_was_sent_again(redis):
    lost, waiting = silent_job(), JobFactory()

    said = say("sweep_jobs")

    assert f"lost: job {lost.pk} (diagnose) of {lost.run}" in said
    assert f"sent again: job {waiting.pk} (diagnose) of {waiting.run}" in said
    assert Job.objects.get(pk=lost.pk).status == JobStatus.LOST
    assert len(Queue("gpu", connection=redis)) == 1
    assert say("sweep_jobs") == ""


def test_a_dry_run_only_says_which(redis):
    lost = silent_job()
    JobFactory()

    said = say("sweep_jobs", "--dry-run")

    assert "lost: job" in said
    assert "sent again: job" in said
    assert Job.objects.get(pk=lost.pk).status == JobStatus.RUNNING
    assert len(Queue("gpu", connection=redis)) == 0


def test_without_a_queue_the_lost_are_recorded_and_a_sentence_says_the_rest(no_redis):
    lost = silent_job()
    JobFactory()

    with pytest.raises(CommandError, match="The queue cannot be reached"):
        say("sweep_jobs")

    assert Job.objects.get(pk=lost.pk).status == JobStatus.LOST


def logged_run():
    run = RunFactory()
    audit.write(run, actor=Actor.worker(), action="run.created", subject=run)
    return run


def test_verifying_counts_the_entries_of_every_run():
    run, empty = logged_run(), RunFactory()

    said = say("verify_audit")

    head = Run.objects.get(pk=run.pk).audit_head
    assert f"run {run.pk} ({run}): 1 entries, chain intact, head {head}" in said
    assert f"run {empty.pk} ({empty}): 0 entries" in said


def test_verifying_can_be_for_some_runs():
    run, other = logged_run(), RunFactory()

    assert f"run {other.pk} " not in say("verify_audit", str(run.pk))
    assert f"run {other.pk} " not in say("verify_audit", "--run", str(run.pk))


def test_a_broken_log_is_named_and_the_command_fails():
    broken, whole = logged_run(), logged_run()
    Run.objects.filter(pk=broken.pk).update(audit_head="0" * 64)
    out = StringIO()

    with pytest.raises(CommandError, match="1 of 2 logs are broken"):
        call_command("verify_audit", stdout=out, stderr=out)

    assert f"run {broken.pk} ({broken}): The audit log is not as it was written" in out.getvalue()
    assert f"run {whole.pk} ({whole}): 1 entries" in out.getvalue()


def test_a_run_that_is_not_there_is_said():
    with pytest.raises(CommandError, match="There is no run 999999999"):
        say("verify_audit", "999999999")


LONG = "x" * 300  # no file system takes it


@pytest.mark.parametrize("place", ["a-file/x.zip", f"{'x' * 250}.zip", LONG, "no/folder/x.zip"])
def test_an_archive_that_cannot_be_written_there_is_said_in_a_sentence(tmp_path, place):
    (tmp_path / "a-file").touch()

    with pytest.raises(CommandError, match="could not be written: "):
        say("export_archive", str(RunFactory().pk), str(tmp_path / place))

    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


def test_a_file_that_an_archive_would_write_over_stays(tmp_path):
    file = tmp_path / "x.zip"
    file.write_text("mine")

    with pytest.raises(CommandError, match="is there already"):
        say("export_archive", str(RunFactory().pk), str(file))

    assert file.read_text() == "mine"
    with pytest.raises(CommandError, match="is there already"):
        say("export_archive", str(RunFactory().pk), ".")


def test_an_adapter_that_cannot_be_written_there_is_said_in_a_sentence(tmp_path):
    run = CheckpointFactory().run

    with pytest.raises(CommandError, match="cannot be written to: File name too long"):
        say("export_adapter", str(run.pk), "--licence", "mit", "--out", str(tmp_path / LONG))
