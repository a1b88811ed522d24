"""A run leaves as one file and comes in elsewhere as it was, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from curriculum.errors import RunOver, StillAtWork
from curriculum.exports import archive
from curriculum.exports.tables import RUN, TABLES
from curriculum.exports.unpacking import ArchiveRefused
from curriculum.models import AuditEntry, GateRecord, Imported, Item, Origin, Review, Run
from curriculum.services import archives, audit, chain, gates, items, runs, stages
from curriculum.services.audit import Actor
from tests.curriculum import small
from tests.factories import ApproverFactory, RunFactory, StageFactory

pytestmark = pytest.mark.django_db
MADE: list[bytes] = []  # once: it takes seconds, and an archive stands on its own


@pytest.fixture
def sent(redis: Any, tmp_path: Path, settings: Any) -> bytes:
    """The archive of a run that went through a gate, from an installation that is gone again."""
    if not MADE:
        settings.IOA_HOME = tmp_path / "there"
        with transaction.atomic():
            for _ in range(3):  # so that numbers there are not those here
                ApproverFactory()
                StageFactory()
            run = at_the_gate(Actor.person(ApproverFactory(first_name="Ada", last_name="There")))
            MADE.append(archived(run, adapters=True))
            transaction.set_rollback(True)
    settings.IOA_HOME = tmp_path / "here"
    return MADE[0]


def at_the_gate(actor: Actor) -> Run:
    stage = small.reviewing(actor)
    first = stage.items.first()
    assert first is not None
    items.edit(first, actor=actor, version=1, question="What is 1 + 1?", solution="Answer: 2")
    items.approve_all(stage, actor=actor, round=0)
    for item in stage.items.filter(verdict=""):
        items.reject(item, actor=actor, version=item.version, reason="no")
    stages.train(stage, actor=actor, round=0)
    small.work(stage.run)
    small.work(stage.run)
    gate = GateRecord.objects.get(stage=stage)
    gates.waive(gate, actor=actor, round=0, reason="Enough.")
    return runs.stop(Run.objects.get(pk=stage.run_id), actor=actor, reason="Seen it.")


def archived(run: Run, *, adapters: bool = False) -> bytes:
    out = io.BytesIO()
    archive.write(run, out, adapters=adapters)
    return out.getvalue()


def taken_in(whole: bytes) -> Run:
    return archives.import_archive(io.BytesIO(whole), actor=Actor.worker(), name="run.ioa.zip")


def members(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(content: dict[str, bytes], *, rehash: bool = True) -> bytes:
    """A zip of the members; its manifest says of them what is so."""
    manifest = json.loads(content["manifest.json"])
    if rehash:
        manifest["members"] = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in content.items()
            if name != "manifest.json"
        }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in content.items():
            made.writestr(name, json.dumps(manifest) if name == "manifest.json" else data)
    return out.getvalue()


def changed_line(content: dict[str, bytes], name: str, number: int, **values: Any) -> None:
    lines = content[name].splitlines()
    lines[number - 1] = json.dumps(json.loads(lines[number - 1]) | values).encode()
    content[name] = b"\n".join(lines) + b"\n"


def refused(whole: bytes) -> str:
    before = Run.objects.count(), User.objects.count(), Item.objects.count()
    with pytest.raises(ArchiveRefused) as told, transaction.atomic():
        taken_in(whole)
    assert (Run.objects.count(), User.objects.count(), Item.objects.count()) == before
    runs_here = Path(settings.IOA_HOME) / "runs"
    assert not runs_here.exists() or not list(runs_here.iterdir())
    words = str(told.value)
    assert words.startswith("Nothing was imported: ")
    assert words.endswith(".")
    return words


def test_it_comes_back_byte_for_byte_with_its_log_whole(sent):
    run = taken_in(sent)

    assert archived(run, adapters=True) == sent
    n, head = audit.verify(run)
    assert (n, head) == (run.audit_sequence, run.audit_head)
    assert n > 10
    assert run.pk != run.origin
    assert all((run.stages.exists(), run.checkpoints.exclude(folder="").exists()))
    folder = Path(settings.IOA_HOME) / run.checkpoints.exclude(folder="").get().folder
    assert list(folder.iterdir())


def test_the_house_says_who_brought_it_in_from_which_file_and_what_they_became(sent):
    approver = ApproverFactory()

    run = archives.import_archive(
        io.BytesIO(sent), actor=Actor.person(approver), name="run.ioa.zip"
    )

    entry = AuditEntry.objects.get(run=None)
    assert (entry.action, entry.actor, entry.subject) == (
        "run.imported",
        approver,
        f"run:{run.pk}",
    )
    accounts = User.objects.filter(username__endswith=f"@run{run.pk}").count()
    assert entry.became == {"accounts": accounts, "member": "admin"}
    assert entry.evidence == {
        "file": "run.ioa.zip",
        "sha256": hashlib.sha256(sent).hexdigest(),
        "head": run.audit_head,
        "entries": run.audit_sequence,
    }
    assert audit.verify(chain.house())[0] == 1


def test_an_archive_of_a_run_says_the_same_twice(sent):
    run = taken_in(sent)

    assert archived(run) == archived(run)
    assert "adapters/" not in " ".join(members(archived(run)))


def test_people_keep_their_names_and_nobody_here_gets_the_blame(sent):
    username = json.loads(members(sent)["people.jsonl"].splitlines()[0])["username"]
    here = ApproverFactory(username=username)

    run = taken_in(sent)

    entries = AuditEntry.objects.filter(run=run, actor_kind="person")
    assert set(entries.values_list("actor_name", flat=True)) == {"Ada There"}
    assert not entries.filter(actor=here).exists()
    ada = Review.objects.filter(reviewed_as="person").first().reviewer
    assert ada.get_full_name() == "Ada There"
    assert not ada.is_active
    assert not ada.has_usable_password()


def test_a_brought_in_run_is_a_record_and_takes_no_further_entry(sent):
    run = taken_in(sent)
    actor = Actor.person(ApproverFactory())

    with pytest.raises(RunOver, match="made elsewhere"):
        runs.archive(run, actor=actor)
    with pytest.raises(RunOver):
        runs.diagnose(run, actor=actor)

    assert AuditEntry.objects.filter(run=run).count() == run.audit_sequence


def test_the_same_run_does_not_come_twice(sent):
    run = taken_in(sent)

    with pytest.raises(ArchiveRefused, match=f"is here already, as run {run.pk}"):
        taken_in(sent)

    assert Imported.objects.count() == 1


def test_an_earlier_archive_of_a_run_that_went_on_is_not_another_run(sent):
    run = taken_in(sent)
    Run.objects.update(audit_head="f" * 64, audit_sequence=run.audit_sequence + 1)

    with pytest.raises(ArchiveRefused, match="and further on than in this archive"):
        taken_in(sent)

    assert Imported.objects.count() == 1


def test_a_run_at_work_is_not_written_out(redis):
    run = small.diagnosing(Actor.person(ApproverFactory()))

    with pytest.raises(StillAtWork):
        archived(run)


def test_a_forged_entry_is_named_though_every_hash_of_the_file_is_right(sent):
    content = members(sent)
    changed_line(content, "auditentry.jsonl", 7, note="I never said that.")

    assert "from entry 7 on" in refused(packed(content))


def test_a_log_whose_end_was_cut_off_is_refused(sent):
    content = members(sent)
    lines = content["auditentry.jsonl"].splitlines(keepends=True)
    content["auditentry.jsonl"] = b"".join(lines[:-1])

    assert f"from entry {len(lines)} on" in refused(packed(content))


def test_a_changed_byte_is_told_with_the_name(sent):
    content = members(sent)
    content["item.jsonl"] = content["item.jsonl"].replace(b"1", b"2", 1)

    assert "“item.jsonl” is not as it was written" in refused(packed(content, rehash=False))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil.json", "leads out"),
        ("adapters/../../x.json", "leads out"),
        ("/etc/cron.d/x", "absolute"),
        ("C:\\x.json", "absolute"),
        ("adapters/s1r0/adapter_model.bin", "does not belong"),
        ("adapters/s1r0/.hidden.json", "does not belong"),
        ("notes.txt", "does not belong"),
        ("folder/", "is a link, a folder"),
    ],
)
def test_a_member_that_may_not_be_there_is_named(sent, name, words):
    content = members(sent) | {name: b"x"}

    told = refused(packed(content))

    assert words in told
    assert name[:10] in told


def test_a_link_is_refused(sent):
    out = io.BytesIO(sent)
    with zipfile.ZipFile(out, "a") as made:
        link = zipfile.ZipInfo("adapters/s1r0/link.json")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")

    assert "is a link" in refused(out.getvalue())


def test_bombs_are_refused_before_they_are_unpacked(sent, settings):
    bomb = io.BytesIO(sent)
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr("adapters/s9r9/big.json", b"0" * 8_000_000)
    many = members(sent) | {f"adapters/s{n}r0/x.json": b"" for n in range(2001)}

    assert "more than 200 times" in refused(bomb.getvalue())
    assert "members, over 2000" in refused(packed(many))
    settings.IOA_ARCHIVE_BYTES = 1000
    assert "over 1,000 (IOA_ARCHIVE_BYTES)" in refused(sent)


def version_2(content: dict[str, bytes]) -> None:
    content["manifest.json"] = json.dumps(
        json.loads(content["manifest.json"]) | {"version": 2}
    ).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (version_2, "has version 2, and this program reads version 1"),
        (lambda c: c.pop("item.jsonl"), "“item.jsonl” is missing"),
        (lambda c: c.update({"item.jsonl": b"[1]\n"}), "item.jsonl, line 1, is no row"),
        (lambda c: c.update({"item.jsonl": b'{"a": NaN}\n'}), "line 1, is not JSON"),
        (lambda c: c.update({"item.jsonl": b'{"a": 1}'}), "cut off"),
        (
            lambda c: changed_line(c, "item.jsonl", 2, verdict="perhaps"),
            "line 2: “verdict” may not",
        ),
        (lambda c: changed_line(c, "item.jsonl", 2, skill=999), "line 2: “skill” names a row"),
        (lambda c: changed_line(c, "item.jsonl", 2, level="high"), "line 2: “level” is not"),
        (lambda c: changed_line(c, "item.jsonl", 2, key="k" * 200), "line 2: “key”"),
        (lambda c: changed_line(c, "stage.jsonl", 1, difficulty=10**400), "“difficulty” is not"),
        (lambda c: changed_line(c, "item.jsonl", 2, question="\x00"), "line 2: “question” is not"),
        (lambda c: changed_line(c, "item.jsonl", 2, colour="red"), "no column “colour”"),
        (lambda c: changed_line(c, "item.jsonl", 2, key="twice"), "x"),
        (lambda c: changed_line(c, "run.jsonl", 1, student="../../etc"), "named by a path"),
        (lambda c: changed_line(c, "run.jsonl", 1, settings={"lora": 3}), "settings"),
        (lambda c: changed_line(c, "checkpoint.jsonl", 2, folder="../.."), "“folder”"),
        (lambda c: changed_line(c, "job.jsonl", 1, status="running"), "a job is under way"),
        (lambda c: changed_line(c, "gaterecord.jsonl", 1, evidence={}), "evidence of the gate"),
        (lambda c: changed_line(c, "people.jsonl", 1, username=7), "people.jsonl, line 1"),
        (lambda c: changed_line(c, "job.jsonl", 1, kind="try", asked={}), "what was tried"),
        (
            lambda c: changed_line(
                c, "job.jsonl", 1, kind="examples", asked={"skill": "A", "examples": [7]}
            ),
            "what was tried",
        ),
    ],
)
def test_a_bad_row_is_a_sentence_with_its_line_and_nothing_is_written(sent, change, words):
    content = members(sent)
    if words == "x":  # two items of one key
        changed_line(content, "item.jsonl", 1, key="twice")
        words = "contradict each other"
    change(content)

    assert words in refused(packed(content))


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("item.jsonl", "checks", [5, "x", [1], [{"id": "leak"}], [{"id": 1, "passed": True}]]),
        ("item.jsonl", "operations", [5, "x", {"a": 1}, [{"a": 1}]]),
        ("item.jsonl", "aims", [5, "x", {"a": 1}, [[]]]),
        ("skill.jsonl", "examples", [5, "x", {"a": 1}, ["x"], [{"question": "x"}]]),
        ("run.jsonl", "notices", [5, "x", {"a": 1}, [5]]),
        ("run.jsonl", "report", [5, [1], {"retained": "all"}, {"retained_interval": [1]}]),
        ("run.jsonl", "report", [{"forgotten": 3}, {"items": "many"}]),
        ("run.jsonl", "skill_filter", [5, {"a": 1}]),
        ("checkpoint.jsonl", "made_with", [5, "x", [1]]),
    ],
)
def test_json_that_pages_could_not_show_is_refused(sent, name, column, values):
    for value in values:
        content = members(sent)
        changed_line(content, name, 1, **{column: value})

        assert f"{name}, line 1: “{column}” is not what it has to be" in refused(packed(content))


def test_others_wait_for_few_statements_and_for_no_adapter(sent, monkeypatch):
    write, asked_before = archives._write_adapters, []

    def write_adapters(*told):
        asked_before.append(len(counted))
        write(*told)

    monkeypatch.setattr(archives, "_write_adapters", write_adapters)
    with CaptureQueriesContext(connection) as counted:
        run = taken_in(sent)

    assert asked_before == [0]
    saved = [q for q in counted if q["sql"].startswith('INSERT INTO "curriculum_item"')]
    assert len(saved) < Item.objects.filter(stage__run=run).count()


def test_an_import_that_cannot_be_committed_leaves_no_folder(sent, monkeypatch):
    committed = connection.savepoint_commit
    runs_here = Path(settings.IOA_HOME) / "runs"

    def commit(sid: str) -> None:
        if runs_here.exists() and any(place.name.isdigit() for place in runs_here.iterdir()):
            raise DatabaseError("The disk is full.")
        committed(sid)

    monkeypatch.setattr(connection, "savepoint_commit", commit)

    assert "the database cannot keep them" in refused(sent)


@pytest.mark.parametrize("whole", [b"", b"not a zip", b"PK\x03\x04", b"\x1f\x8b" + b"0" * 50])
def test_what_is_no_archive_is_said_to_be_none(db, whole):
    assert "no archive of a run" in refused(whole)


# of the installation, of one person alone, of this minute; and samples, which are lists of numbers
# of rows here: what they showed is in the log. Who may see a run is said where it is, and names
# people of that installation; who was let in is in the log as well.
LEFT_OUT = (
    *("Run", "Notice", "Origin", "Imported", "House", "SavedFilter", "ItemLock", "Sample"),
    *("Membership", "Invitation", "SignIn"),
)
TOKENS = ("ApiToken", "ApiReply")  # of people here, not of a run: elsewhere they open nothing


def test_the_archive_names_every_column_that_there_is():
    left_out = {t.name: set(t.left_out) for t in (RUN, *TABLES) if t.left_out}

    assert left_out == {
        "run": {"origin", "is_closed"},
        "answer": {"reused_from"},
        "auditentry": {"origin_run", "origin_actor"},
    }
    assert {t.model for t in TABLES} == {
        m
        for m in Run._meta.apps.get_app_config("curriculum").get_models()
        if m.__name__ not in (*LEFT_OUT, *TOKENS)
    }


def test_the_commands_write_and_read_it(sent, tmp_path, capsys):
    file, again = tmp_path / "a.ioa.zip", tmp_path / "b.ioa.zip"
    file.write_bytes(sent)

    call_command("import_archive", str(file))
    run = Run.objects.get(origin__isnull=False)
    call_command("export_archive", str(run.pk), str(again), "--adapters")

    assert again.read_bytes() == sent
    assert f"run {run.pk}" in capsys.readouterr().out
    with pytest.raises(CommandError, match="already"):
        call_command("import_archive", str(file))
    with pytest.raises(CommandError, match="could not be read"):
        call_command("import_archive", str(tmp_path / "nothing"))
    assert Origin.objects.filter(model="run").count() == 1


def test_numbers_in_the_log_lead_to_rows_by_their_origin(sent):
    run = taken_in(sent)

    entry = AuditEntry.objects.filter(run=run, action="item.edited").get()
    model, number = entry.subject.split(":")
    now = Origin.objects.get(run=run, model=model, was=int(number)).now

    assert Item.objects.get(pk=now).question == "What is 1 + 1?"
    assert RunFactory().origin is None
