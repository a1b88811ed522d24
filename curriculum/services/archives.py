"""A run that was made elsewhere comes here as it is: all of it, with its log, or nothing.

It is a record: its log goes on nowhere but where it was written. docs/decisions/0010 says why.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, models, transaction

from curriculum import engine
from curriculum.access import Role
from curriculum.errors import ChainBroken, CurriculumError
from curriculum.exports.archive import PEOPLE, member_of
from curriculum.exports.shapes import says_what
from curriculum.exports.tables import PERSON, ROWS_AT_ONCE, RUN, TABLES, Table, read, target
from curriculum.exports.unpacking import Archive, refuse
from curriculum.models import AuditEntry, Checkpoint, GateRecord, Imported, Job, Origin, Run, Stage
from curriculum.services import audit, membership
from curriculum.services.audit import Actor
from curriculum.states import JobStatus

FOLDER = re.compile(r"checkpoints/s\d{1,5}r\d{1,5}")


def import_archive(file: IO[bytes], *, actor: Actor, name: str) -> Run:
    """Take in an archive whole. Its people become accounts that nobody can log in with, so that
    no file can say that somebody who is here decided something.

    Raises `ArchiveRefused` with a sentence; then nothing was written. Reads the file twice.
    """
    hash = _hash(file)
    with closing(Archive(file)) as archive:
        archive.verify()
        beside = Path(settings.IOA_HOME) / "runs" / f".importing-{uuid4().hex}"
        there: Path | None = None
        try:
            _write_adapters(archive, beside)  # before others have to wait for the database
            with transaction.atomic():
                run = _Import(archive).rows()
                _check(run)
                Imported.objects.create(
                    run=run,
                    file_name=name[:200],
                    file_hash=hash,
                    head=run.audit_head,
                    by=actor.user,
                )
                role = membership.begin(run, actor=actor)
                _record(run, actor=actor, hash=hash, name=name, role=role)
                if beside.exists():
                    there = beside.rename(beside.with_name(str(run.pk)))
        except DatabaseError:
            if there is not None:  # the commit failed
                shutil.rmtree(there, ignore_errors=True)
            refuse("its rows contradict each other, or the database cannot keep them.")
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return run


class _Import:
    """Rows of an archive on their way into the tables."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.run = Run()

    def rows(self) -> Run:
        rows = list(islice(self.archive.rows(member_of(RUN)), 2))
        if len(rows) != 1:
            refuse(f"{member_of(RUN)} has to have one line.")
        number, values = rows[0][1].get("number"), rows[0][1]
        if type(number) is not int or number < 1:
            refuse(f"{member_of(RUN)}, line 1: “number” is not what it has to be.")
        self.run = self._filled(RUN, Run(origin=number), values, f"{member_of(RUN)}, line 1", {})
        if len(Path(self.run.student).parts) != 1 or Path(self.run.student).name in ("", ".."):
            refuse("the student is named by a path, and has to be named by a name.")
        head, n = self.run.audit_head, self.run.audit_sequence
        here = Run.objects.filter(audit__hash=head, audit__sequence=n).first()
        if here is not None:
            is_older = here.audit_sequence > n
            refuse(
                f"this run is here already, as run {here.pk} ({here})"
                + (", and further on than in this archive." if is_older else ".")
            )
        self.run.save_base(raw=True, force_insert=True)
        self._people()
        creator: Any = values.get("created_by")
        self.run.created_by_id = self._now(PERSON, [creator]).get(creator)
        Run.objects.filter(pk=self.run.pk).update(created_by=self.run.created_by_id)
        Origin.objects.create(run=self.run, model=RUN.name, was=number, now=self.run.pk)
        for table in TABLES:
            self._table(table)
        return self.run

    def _people(self) -> None:
        for number, row in self.archive.rows(PEOPLE):
            words: dict[str, Any] = {name: row.get(name) for name in ("username", "name")}
            was = row.get("number")
            right = all(isinstance(w, str) and engine.storable(w) == w for w in words.values())
            if not right or type(was) is not int or was < 1:
                refuse(f"{PEOPLE}, line {number}, does not say who it is.")
            user = User(username=f"{words['username'][:120]}@run{self.run.pk}", is_active=False)
            user.first_name = words["name"][:150]
            user.set_unusable_password()
            user.save()
            Origin.objects.create(run=self.run, model=PERSON, was=was, now=user.pk, words=words)

    def _table(self, table: Table) -> None:
        rows = self.archive.rows(member_of(table))
        late: list[tuple[int, dict[str, Any]]] = []
        while some := list(islice(rows, ROWS_AT_ONCE)):
            known = {
                f.name: self._now(target(f), (row.get(f.name) for _, row in some))
                for f in table.references
                if f.name not in table.late
            }
            made = self._saved(table, some, known)
            Origin.objects.bulk_create(made)
            late += [(row.now, values) for row, (_, values) in zip(made, some, strict=True)]
            if not (table.model is Stage or table.model is Checkpoint):
                late.clear()
        if table.model is Stage:
            self._stages = late
        elif table.model is Checkpoint:
            self._start_stages()

    def _saved(
        self,
        table: Table,
        some: list[tuple[int, dict[str, Any]]],
        known: dict[str, dict[int, int]],
    ) -> list[Origin]:
        """Save the rows with the dates that they had; those that name rows just above one by one,
        all others at once.
        """
        rows, made = [], []
        among = [f.name for f in table.references if target(f) == table.name]
        for number, values in some:
            where = f"{member_of(table)}, line {number}"
            row = self._filled(table, table.model(), values, where, known)
            made.append(self._origin(table, values, where))
            rows.append(row)
            if among:
                row.save_base(raw=True, force_insert=True)
                for name in among:
                    known[name][made[-1].was] = row.pk
        if not among:
            _insert(table.model, rows)
        for origin, row in zip(made, rows, strict=True):
            origin.now = row.pk
        return made

    def _start_stages(self) -> None:
        known = self._now("checkpoint", (values.get("started_from") for _, values in self._stages))
        for pk, values in self._stages:
            if (number := values.get("started_from")) is not None:
                if number not in known:
                    refuse("a stage starts from a checkpoint that is not there.")
                Stage.objects.filter(pk=pk).update(started_from=known[number])

    def _origin(self, table: Table, values: dict[str, Any], at: str) -> Origin:
        number = values.get("number")
        if type(number) is not int or number < 1:
            refuse(f"{at}: “number” is not what it has to be.")
        return Origin(run=self.run, model=table.name, was=number)

    def _now(self, model: str, numbers: Iterable[Any]) -> dict[int, int]:
        wanted = {n for n in numbers if type(n) is int and 0 < n < 2**63}
        known = Origin.objects.filter(run=self.run, model=model, was__in=wanted)
        return dict(known.values_list("was", "now"))

    def _filled(
        self,
        table: Table,
        row: Any,
        values: dict[str, Any],
        where: str,
        known: dict[str, dict[int, int]],
    ) -> Any:
        columns = {f.name: f for f in table.columns}
        for name in values.keys() - columns.keys() - {"number"}:
            refuse(f"{where}: there is no column “{name[:40]}”: a newer program wrote this.")
        for name, field in columns.items():
            if name not in values:
                if not field.has_default() and not field.null:
                    refuse(f"{where}: “{name}” is missing.")
            elif field.is_relation:
                if name in known and values[name] is not None:
                    if type(values[name]) is not int or values[name] not in known[name]:
                        refuse(f"{where}: “{name}” names a row that is not there.")
                    setattr(row, field.attname, known[name][values[name]])
            else:
                try:
                    setattr(row, name, read(field, values[name]))
                except (ValueError, TypeError) as exc:
                    refuse(f"{where}: {exc}.")
                except ValidationError as exc:
                    refuse(f"{where}: “{name}”: {' '.join(exc.messages)}")
        self._own(row, values, where)
        return row

    def _own(self, row: models.Model, values: dict[str, Any], where: str) -> None:
        """What is of the run in a row, and what a row says of this installation."""
        if any(f.related_model is Run for f in row._meta.concrete_fields):
            row.run_id = self.run.pk  # type: ignore[attr-defined]
        if isinstance(row, AuditEntry):
            row.origin_run, row.origin_actor = self.run.origin, values.get("actor")
        if isinstance(row, Job) and row.status in (JobStatus.QUEUED, JobStatus.RUNNING):
            refuse(f"{where}: a job is under way.")
        if isinstance(row, Job) and not says_what(row.kind, row.asked):
            refuse(f"{where}: “asked” does not say what was tried.")
        if isinstance(row, Checkpoint) and row.folder:
            if not FOLDER.fullmatch(row.folder):
                refuse(f"{where}: “folder” is not that of a checkpoint.")
            row.folder = f"runs/{self.run.pk}/{row.folder}"


def _insert(model: type[models.Model], rows: list[models.Model]) -> None:
    """Insert many rows as they are. Not `bulk_create`, which would give them today's dates."""
    manager: Any = model._base_manager
    fields = [f for f in model._meta.concrete_fields if not f.primary_key]
    at_once = max(1, connection.ops.bulk_batch_size(fields, rows))
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        keys = manager._insert(some, fields, returning_fields=[model._meta.pk], raw=True)
        for row, (key,) in zip(some, keys, strict=True):
            row.pk = key


def _check(run: Run) -> None:
    """What pages rely on, and the log."""
    try:
        engine.clean_settings(run.settings, is_kept=True)
    except (CurriculumError, TypeError, ValueError):
        refuse("the run's settings are not those of this program.")
    for gate in GateRecord.objects.filter(stage__run=run):
        try:
            engine.evidence_record(gate.evidence)
        except (KeyError, TypeError, ValueError, AttributeError):
            refuse(f"the evidence of the {gate} cannot be read.")
    try:
        audit.verify(run)
    except ChainBroken as exc:
        refuse(f"its audit log is not as it was written, from entry {exc.sequence} on.")


def _record(run: Run, *, actor: Actor, hash: str, name: str, role: Role | None) -> None:
    """In the house's log, as the run's own goes on nowhere but where it was written."""
    audit.write_house(
        actor=actor,
        action="run.imported",
        subject=run,
        became={
            "accounts": Origin.objects.filter(run=run, model=PERSON).count(),
            "member": role.label if role is not None else None,
        },
        evidence={
            "file": name[:200],
            "sha256": hash,
            "head": run.audit_head,
            "entries": run.audit_sequence,
        },
    )


def _write_adapters(archive: Archive, folder: Path) -> None:
    for name in archive.adapters:  # of the form adapters/s1r0/file: `unpacking` has seen to it
        _, place, file = name.split("/")
        path = folder / "checkpoints" / place / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            out.writelines(archive.chunks(name))


def _hash(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(1024 * 1024):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
