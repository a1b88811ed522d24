"""A whole run as one file. docs/exchange.md describes it; what is the same gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.auth.models import User

from curriculum.errors import Overtaken, StillAtWork
from curriculum.exports.adapters import NoAdapter, folder_of, names_in, read
from curriculum.exports.package import NO_DATE
from curriculum.exports.tables import PERSON, RUN, TABLES, Table, line, lines_of
from curriculum.models import Origin, Run
from curriculum.states import JobStatus

KIND, VERSION = "ioa-run", 1
MANIFEST = "manifest.json"
PEOPLE = "people.jsonl"

Told = Callable[[str, int], object]  # takes a member's name and its number of rows


def member_of(table: Table) -> str:
    return f"{table.name}.jsonl"


def write(run: Run, out: BinaryIO, *, adapters: bool = False, told: Told | None = None) -> None:
    """Write the run's archive to `out`. With `adapters`, those that are here go along.

    Rows go through files beside the temporary ones of the system: memory does not grow with them.
    Raises `StillAtWork` while a job waits or works, `Overtaken` when the run was changed meanwhile.
    """
    run.refresh_from_db()
    active = run.jobs.filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING])
    if (job := active.first()) is not None:
        raise StillAtWork(job.get_kind_display())
    with tempfile.TemporaryDirectory(prefix="ioa-archive-") as name:
        folder = Path(name)
        members = _spool(run, folder, told)
        if adapters:
            members |= _adapters(run)
        before = run.audit_sequence, run.audit_head
        run.refresh_from_db()
        if (run.audit_sequence, run.audit_head) != before:
            raise Overtaken("This run")
        _pack(run, members, out)


def _spool(run: Run, folder: Path, told: Told | None) -> dict[str, Path]:
    """Each table's lines in a file of its own; the people whom rows name come last."""
    members, people = {}, set[int]()
    for table in (RUN, *TABLES):
        named = [f.name for f in table.references if f.related_model is User]
        name, n = member_of(table), 0
        members[name] = folder / name
        with members[name].open("wb") as file:
            for row in lines_of(table, run):
                file.write(line(row))
                people.update(row[name] for name in named if row[name] is not None)
                n += 1
        if told:
            told(name, n)
    members[PEOPLE] = folder / PEOPLE
    members[PEOPLE].write_bytes(b"".join(line(row) for row in _people(run, people)))
    return members


def _people(run: Run, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Number, name and user name of each, by number: nothing else of an account goes out."""
    if run.origin is not None:
        known = Origin.objects.filter(run=run, model=PERSON, was__in=numbers).order_by("was")
        return [{"number": o.was, **o.words} for o in known]
    return [
        {"number": u.pk, "username": u.username, "name": u.get_full_name() or u.username}
        for u in User.objects.filter(pk__in=numbers).order_by("pk")
    ]


def _adapters(run: Run) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for checkpoint in run.checkpoints.exclude(folder=""):
        with suppress(NoAdapter):  # deleted by hand: the record stands without it
            folder = folder_of(checkpoint)
            place = checkpoint.folder.removeprefix(f"runs/{run.pk}/checkpoints/")
            found |= {f"adapters/{place}/{name}": folder / name for name in names_in(folder)}
    return found


def _pack(run: Run, members: dict[str, Path], out: BinaryIO) -> None:
    """The manifest first, then the members by name, without dates."""
    manifest = {
        "format": KIND,
        "version": VERSION,
        "program": run.version,
        "run": run.origin or run.pk,
        "name": run.name,
        "entries": run.audit_sequence,
        "head": run.audit_head,
        "members": {
            name: {"bytes": path.stat().st_size, "sha256": hash_of(path)}
            for name, path in members.items()
        },
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
        archive.writestr(_about(MANIFEST), text + "\n")
        for name in sorted(members):
            # Every member in the large form, so that its size does not decide how it is written.
            with archive.open(_about(name), "w", force_zip64=True) as member:
                for chunk in read(members[name]):
                    member.write(chunk)


def _about(name: str) -> zipfile.ZipInfo:
    about = zipfile.ZipInfo(name, NO_DATE)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = 0o644 << 16
    about.create_system = 3  # the same on every system
    return about


def hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in read(path):
        digest.update(chunk)
    return digest.hexdigest()
