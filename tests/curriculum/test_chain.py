"""What is said of a log that somebody changed by SQL, behind the triggers; anchors; the house."""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
from contextlib import contextmanager, suppress
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from curriculum import request_ids, tasks
from curriculum.errors import ChainBroken
from curriculum.models import AuditEntry, House, Run
from curriculum.services import anchors, audit, chain
from curriculum.services.audit import Actor
from tests.factories import JobFactory, RunFactory

pytestmark = pytest.mark.django_db
locks = importlib.import_module("curriculum.migrations.0002_audit_append_only")


@pytest.fixture
def run():
    """A run with four entries."""
    run = RunFactory()
    for _ in range(4):
        audit.write(run, actor=Actor.worker(), action="run.created", subject=run)
    return run


def tell(sql, *values):
    """Change the log as somebody does it who owns the database."""
    with connection.cursor() as cursor:
        for statement in locks.UNLOCK[connection.vendor]:
            cursor.execute(statement)
        cursor.execute(sql, values)


def of(run, sequence):
    return AuditEntry.objects.get(run=run, sequence=sequence)


def broken(owner):
    with pytest.raises(ChainBroken) as caught:
        audit.verify(owner)
    return caught.value


def manage(*words):
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


def test_a_row_that_was_changed_by_sql_is_named_by_number_action_and_row(run):
    row = of(run, 3).pk
    tell("UPDATE curriculum_auditentry SET note = 'never said' WHERE id = %s", row)
    out = StringIO()

    with pytest.raises(CommandError, match="1 of 1 logs are broken"):
        call_command("verify_audit", stdout=out, stderr=out)

    assert f"entry 3 (“run.created”, row {row} of the table) was changed" in out.getvalue()


def test_a_row_that_got_a_new_hash_as_well_is_named(run):
    entry = of(run, 2)
    entry.note = "never said"
    tell("UPDATE curriculum_auditentry SET note = %s WHERE id = %s", entry.note, entry.pk)
    tell("UPDATE curriculum_auditentry SET hash = %s WHERE id = %s", audit.digest(entry), entry.pk)

    said = broken(run)

    assert (said.sequence, said.row) == (2, entry.pk)
    assert "its hash made anew" in said.reason


def test_a_last_row_that_got_a_new_hash_as_well_is_named(run):
    entry = of(run, 4)
    entry.note = "never said"
    tell("UPDATE curriculum_auditentry SET note = %s WHERE id = %s", entry.note, entry.pk)
    tell("UPDATE curriculum_auditentry SET hash = %s WHERE id = %s", audit.digest(entry), entry.pk)

    assert (broken(run).sequence, broken(run).row) == (4, entry.pk)


def test_what_was_left_out_is_told_with_what_comes_next(run):
    tell("DELETE FROM curriculum_auditentry WHERE run_id = %s AND sequence IN (2, 3)", run.pk)

    said = broken(run)

    assert said.sequence == 2
    assert f"left out: 4 (“run.created”, row {of(run, 4).pk}) comes next" in said.reason


def test_an_end_that_was_cut_off_is_told_from_a_row_that_was_left_out(run):
    tell("DELETE FROM curriculum_auditentry WHERE run_id = %s AND sequence > 2", run.pk)

    said = broken(run)

    assert said.sequence == 3
    assert "cut off at the end: 4 were written" in said.reason


@pytest.mark.parametrize("sequence", [0, 5])
def test_an_entry_that_was_added_is_named(run, sequence):
    forged = of(run, 4)
    last = forged.hash
    forged.pk, forged.sequence = None, sequence
    forged.previous_hash = last if sequence else ""
    forged.hash = audit.digest(forged)
    forged.save(force_insert=True)

    said = broken(run)

    assert (said.sequence, said.row) == (sequence, forged.pk)
    assert said.reason.startswith("was added")


def test_a_log_without_any_entry_is_broken_when_its_run_counts_some(run):
    tell("DELETE FROM curriculum_auditentry WHERE run_id = %s", run.pk)

    assert broken(run).sequence == 1


# --- The request id ---------------------------------------------------------------------------


def test_an_entry_keeps_the_id_of_what_asked_for_it_and_its_hash_covers_it(run):
    with request_ids.under("manage.py:demo"):
        entry = audit.write(run, actor=Actor.worker(), action="run.created", subject=run)

    assert entry.request_id == "manage.py:demo"
    assert audit.verify(run)[0] == 5
    tell("UPDATE curriculum_auditentry SET request_id = '' WHERE id = %s", entry.pk)
    assert broken(run).row == entry.pk


def test_an_old_entry_without_an_id_stands_and_can_be_given_none(run):
    assert "request_id" not in chain.content(of(run, 1))
    tell("UPDATE curriculum_auditentry SET request_id = 'x' WHERE id = %s", of(run, 1).pk)

    assert broken(run).sequence == 1


def test_an_entry_of_a_worker_has_the_id_that_its_job_has_in_the_queue(monkeypatch):
    job = JobFactory()
    monkeypatch.setitem(tasks.WORK, job.kind, lambda job: None)

    tasks.work(job.pk, 1)

    entry = AuditEntry.objects.get(action="job.running")
    assert entry.request_id == job.rq_id
    assert request_ids.current() == ""


# --- The chain of the house -------------------------------------------------------------------


def write_house(**changes):
    given = {"actor": Actor.worker(), "action": "account.added", "subject": "user ada"}
    return audit.write_house(**given | changes)


def test_the_house_has_a_chain_of_its_own_beside_those_of_the_runs(run):
    first, second = write_house(), write_house()

    assert (first.sequence, first.previous_hash, first.run) == (1, "", None)
    assert second.previous_hash == first.hash
    assert audit.verify(chain.house()) == (2, second.hash)
    assert audit.verify(run)[0] == 4


def test_the_house_stands_before_its_first_entry():
    assert audit.verify(chain.house()) == (0, "")


def test_a_changed_entry_of_the_house_is_named():
    row = [write_house() for _ in range(3)][1].pk
    tell("UPDATE curriculum_auditentry SET actor_name = 'nobody' WHERE id = %s", row)

    assert broken(chain.house()).row == row
    with pytest.raises(CommandError):
        manage("verify_audit")


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_or_delete_an_entry_of_the_house(verb):
    write_house()
    entries = AuditEntry.objects.filter(run=None)
    change = entries.delete if verb == "delete" else lambda: entries.update(note="never said")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()


def test_an_action_without_a_name_never_reaches_the_house():
    with pytest.raises(KeyError):
        write_house(action="account.exploded")

    assert not House.objects.exists()


# --- What an entry costs ----------------------------------------------------------------------


def test_an_entry_costs_three_statements_in_a_transaction_however_long_the_chain(run):
    with (
        transaction.atomic(),
        CaptureQueriesContext(
            connection,
        ) as made,
    ):
        audit.write(run, actor=Actor.worker(), action="run.created", subject=run)

    assert len([each for each in made if "SAVEPOINT" not in each["sql"]]) == 3


def test_a_chain_is_read_in_pieces(run, monkeypatch):
    monkeypatch.setattr(chain, "CHUNK", 1)

    assert audit.verify(run)[0] == 4


# --- Anchors and exports ----------------------------------------------------------------------


def test_heads_are_appended_to_a_file_and_stand_while_the_chains_grow(run, tmp_path):
    file = tmp_path / "heads.jsonl"
    manage("anchor_audit", "--file", str(file))
    audit.write(run, actor=Actor.worker(), action="run.created", subject=run)
    manage("anchor_audit", "--file", str(file))

    given = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(each["chain"], each["entries"]) for each in given] == [
        (f"run:{run.pk}", 4),
        (f"run:{run.pk}", 5),
        ("house", 1),
    ]
    assert given[1]["head"] == Run.objects.get(pk=run.pk).audit_head
    assert "3 anchored heads, all stand" in manage("verify_audit", "--anchors", str(file))
    entry = AuditEntry.objects.filter(run=None).latest("sequence")
    assert entry.evidence == {"to": f"file {file}", "runs": 1}


def test_a_chain_that_was_forged_as_a_whole_is_whole_and_its_anchor_falls(run, tmp_path):
    file = tmp_path / "heads.jsonl"
    manage("anchor_audit", "--file", str(file))
    head = ""
    for entry in run.audit.all():
        entry.note, entry.previous_hash = "never said", head
        head = audit.digest(entry)
        tell(
            "UPDATE curriculum_auditentry SET note = %s, previous_hash = %s, hash = %s "
            "WHERE id = %s",
            *(entry.note, entry.previous_hash, head, entry.pk),
        )
    Run.objects.filter(pk=run.pk).update(audit_head=head)

    assert audit.verify(run) == (4, head)
    with pytest.raises(CommandError, match="1 of 1 anchored heads no longer stand"):
        manage("verify_audit", "--anchors", str(file))


@pytest.mark.parametrize(
    "line",
    ["x", "[]", "{}", '{"chain": "run:1", "entries": "1", "head": "0", "at": ""}', "[" * 10_000],
)
def test_a_line_that_is_no_anchor_is_named(tmp_path, line):
    file = tmp_path / "heads.jsonl"
    file.write_text(f"\n{line}\n")

    with pytest.raises(CommandError, match="line 2: this is no anchor"):
        manage("verify_audit", "--anchors", str(file))


def test_a_file_without_any_anchor_is_not_taken_for_heads_that_stand(run, tmp_path):
    file, out = tmp_path / "heads.jsonl", StringIO()
    file.write_text("\n")

    with pytest.raises(CommandError, match=r"heads.jsonl holds no anchor, so nothing was compared"):
        call_command("verify_audit", "--anchors", str(file), stdout=out)

    assert "4 entries, chain intact" in out.getvalue()


def test_a_file_without_an_anchor_of_the_run_that_was_asked_for_is_said(run, tmp_path):
    file, other = tmp_path / "heads.jsonl", RunFactory()
    manage("anchor_audit", "--file", str(file))

    assert "1 anchored heads, all stand" in manage(
        "verify_audit", "--run", str(run.pk), "--anchors", str(file)
    )
    with pytest.raises(CommandError, match=f"no anchor of run {other.pk}, so nothing was compared"):
        manage("verify_audit", "--run", str(other.pk), "--anchors", str(file))


def test_an_anchor_of_a_run_that_is_not_there_falls():
    gone = anchors.Anchor("run:999999999", 1, "0" * 64, "2026-01-01T00:00:00+00:00")

    assert "is not there" in anchors.objection(gone)


@pytest.mark.parametrize("place", [".", "no/folder", "full"])
def test_heads_that_could_not_be_written_are_not_recorded_as_given_away(run, tmp_path, place):
    (tmp_path / "full").symlink_to("/dev/full")  # opens, and takes nothing

    with pytest.raises(CommandError, match="cannot be written"):
        manage("anchor_audit", "--file", str(tmp_path / place))

    assert not House.objects.exists()


def test_a_disk_that_fills_up_leaves_no_half_line_and_no_entry(run, tmp_path):
    file = tmp_path / "heads.jsonl"
    manage("anchor_audit", "--file", str(file))
    before = file.read_bytes()

    with (
        files_of_at_most(len(before) + 100),
        pytest.raises(CommandError, match="cannot be written"),
    ):
        manage("anchor_audit", "--file", str(file))

    assert file.read_bytes() == before
    assert AuditEntry.objects.filter(action="audit.anchored").count() == 1


@contextmanager
def files_of_at_most(size):
    """As on a full disk: writing goes up to there, and no further."""
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    quiet = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)
        signal.signal(signal.SIGXFSZ, quiet)


def test_a_pipe_takes_heads_as_a_file_does(run):
    read_end, write_end = os.pipe()

    said = manage("anchor_audit", "--file", f"/dev/fd/{write_end}")

    os.close(write_end)
    with open(read_end) as given:
        assert json.loads(given.read())["chain"] == f"run:{run.pk}"
    assert "1 heads given away" in said


def test_printed_heads_that_nobody_took_are_not_recorded_as_given_away(run):
    full = open("/dev/full", "w")  # noqa: SIM115 - it cannot be closed in peace

    with pytest.raises(CommandError, match="could not be printed: No space left"):
        call_command("anchor_audit", stdout=full)

    assert not House.objects.exists()
    with suppress(OSError):
        full.close()


def test_a_log_without_an_entry_has_no_head_to_give_away(tmp_path):
    said = manage("anchor_audit", "--file", str(tmp_path / "heads.jsonl"))

    assert "no head to give away" in said
    assert not House.objects.exists()


def test_without_a_webhook_nothing_is_given_away(run):
    with pytest.raises(CommandError, match="IOA_WEBHOOK_URL"):
        manage("anchor_audit", "--webhook")

    assert not House.objects.exists()


def test_an_export_ends_with_the_head(run):
    *entries, end = [json.loads(line) for line in chain.export(run)]

    assert [each["content"]["sequence"] for each in entries] == [1, 2, 3, 4]
    assert end == {"chain": f"run:{run.pk}", "entries": 4, "head": entries[-1]["hash"]}
