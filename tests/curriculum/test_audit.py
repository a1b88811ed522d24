from __future__ import annotations

import importlib
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from curriculum.errors import ChainBroken, Overtaken
from curriculum.models import AuditEntry, Run
from curriculum.services import audit
from curriculum.services.audit import Actor
from curriculum.states import ActorKind, RunStatus
from tests.factories import ApproverFactory, RunFactory

pytestmark = pytest.mark.django_db
locks = importlib.import_module("curriculum.migrations.0002_audit_append_only")


@pytest.fixture
def run():
    return RunFactory()


@pytest.fixture
def unlocked():
    """The log as someone finds it who can get past the triggers."""
    say(locks.UNLOCK)


def say(statements):
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)


def write(run, n=1, **changes):
    given = {"actor": Actor.worker(), "action": "run.created", "subject": run, **changes}
    return [audit.write(run, **given) for _ in range(n)][-1]


def test_entries_are_numbered_and_chained(run):
    first, second = write(run), write(run)

    assert (first.sequence, second.sequence) == (1, 2)
    assert first.previous_hash == ""
    assert second.previous_hash == first.hash
    assert audit.verify(run) == (2, second.hash)


def test_an_empty_log_is_whole(run):
    assert audit.verify(run) == (0, "")


def test_each_run_has_a_chain_of_its_own(run):
    other = RunFactory()
    write(run, 2)
    write(other)

    assert audit.verify(run)[0] == 2
    assert audit.verify(other)[0] == 1


def test_an_entry_says_who_what_and_on_what(run):
    user = ApproverFactory(first_name="Grace", last_name="Hopper")

    entry = write(run, actor=Actor.person(user), was={"a": 1}, became={"a": 2}, note="looks right")

    assert (entry.actor, entry.actor_kind) == (user, ActorKind.PERSON)
    assert entry.actor_name == "Grace Hopper"
    assert (entry.subject, entry.subject_name) == (f"run:{run.pk}", run.name)
    assert (entry.was, entry.became, entry.note) == ({"a": 1}, {"a": 2}, "looks right")


def test_a_person_without_a_name_is_called_by_their_username():
    assert Actor.person(ApproverFactory(first_name="", last_name="", username="ada")).name == "ada"


def test_the_name_in_the_log_survives_a_renaming(run):
    user = ApproverFactory(first_name="Grace", last_name="Hopper")
    write(run, actor=Actor.person(user))
    user.first_name = "Someone"
    user.save(update_fields=["first_name"])

    assert AuditEntry.objects.get().actor_name == "Grace Hopper"
    audit.verify(run)


def test_an_action_that_is_not_registered_never_reaches_the_log(run):
    with pytest.raises(KeyError):
        write(run, action="run.exploded")

    assert not AuditEntry.objects.exists()
    assert Run.objects.get().audit_sequence == 0


def test_an_entry_is_refused_when_the_run_has_moved_on(run):
    with pytest.raises(Overtaken):
        write(run, seen=RunStatus.TEACHING)

    assert Run.objects.get().audit_sequence == 0


@pytest.mark.parametrize(
    "value", [0.1, 1.0, 1e16, 1e-7, -0.0, 3, "ü „quoted“ \n", None, [1, {"b": 2.5}], True]
)
def test_what_json_can_say_comes_back_with_the_same_hash(run, value):
    write(run, evidence={"value": value, "at": datetime(2026, 1, 2, tzinfo=UTC)})

    audit.verify(run)


def test_a_number_that_json_cannot_say_is_refused(run):
    with pytest.raises(ValueError, match="JSON compliant"):
        write(run, evidence={"loss": float("nan")})

    assert Run.objects.get().audit_sequence == 0


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize(
    "changes",
    [
        {"note": "never said"},
        {"actor_name": "somebody else"},
        {"became": {"status": "mastered"}},
        {"sequence": 20},
        {"at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"hash": "0" * 64},
        {"subject": "stage:1"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_entry_is_found(run, changes):
    write(run, 3)
    AuditEntry.objects.filter(sequence=2).update(**changes)

    with pytest.raises(ChainBroken) as caught:
        audit.verify(run)

    assert caught.value.sequence == 2


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_an_entry_that_is_gone_is_found(run, sequence):
    write(run, 3)
    AuditEntry.objects.filter(sequence=sequence).delete()

    with pytest.raises(ChainBroken) as caught:
        audit.verify(run)

    assert caught.value.sequence == sequence


@pytest.mark.usefixtures("unlocked")
def test_an_entry_that_was_slipped_in_is_found(run):
    last = write(run, 2)
    forged = AuditEntry.objects.get(pk=last.pk)
    forged.pk, forged.sequence, forged.previous_hash = None, 3, last.hash
    forged.hash = audit.digest(forged)
    forged.save(force_insert=True)

    with pytest.raises(ChainBroken):
        audit.verify(run)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_or_delete_an_entry(run, verb):
    write(run)
    entries = AuditEntry.objects.all()
    change = entries.delete if verb == "delete" else lambda: entries.update(note="never said")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change()

    audit.verify(run)


def test_a_run_with_a_log_is_never_deleted(run):
    write(run)

    with pytest.raises(ProtectedError):
        run.delete()


def test_the_lock_of_the_log_can_be_taken_off_and_put_on_again(run):
    write(run)
    for statements in (locks.UNLOCK, locks.UNLOCK, locks.LOCK, locks.LOCK):
        say(statements)

    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.all().delete()
