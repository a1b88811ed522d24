"""Domains that people bring as files: looked at whole, then kept where runs are made of them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import transaction

from curriculum import engine
from curriculum.errors import CurriculumError
from curriculum.exports.domain_table import lines_of
from curriculum.exports.tabular import records
from curriculum.services import audit
from curriculum.services.audit import Actor

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
SHOWN_MOST = 50  # faults
WHOLE = (".yaml", ".yml", ".jsonl")  # of files that say all of a domain themselves


class DomainRefused(CurriculumError):
    http_status = 422


def look(
    path: Path,
    *,
    name: str,
    title: str = "",
    columns: Mapping[str, str] | None = None,
    skill: str = "",
) -> engine.DomainLook:
    """What `add` would keep, or all that is wrong with it. Writes nothing that stays.

    columns: of a table, field -> column (`exports.domain_table`); None for a domain file.
    Raises `BadFile` and `DomainRefused`.
    """
    with _as_file(path, name, title, columns, skill) as made:
        return made.look


def add(
    path: Path,
    *,
    actor: Actor,
    name: str,
    title: str = "",
    columns: Mapping[str, str] | None = None,
    skill: str = "",
) -> str:
    """Keep the domain as `domains/NAME.…` under IOA_HOME; returns what a run calls it.

    All of it or nothing. A domain is never written over: runs stand on it. Raises `DomainRefused`,
    and `BadFile`.
    """
    with _as_file(path, name, title, columns, skill) as made:
        if made.look.faults:
            raise DomainRefused(f"Nothing was added: {made.look.faults[0]}")
        folder = engine.domains_folder()
        folder.mkdir(parents=True, exist_ok=True)
        require_free(name)
        target = folder / f"{name}{made.path.suffix}"
        data = made.path.read_bytes()
        with transaction.atomic():
            audit.write_house(
                actor=actor,
                action="domain.added",
                subject=f"domain:{name}"[:60],
                became={
                    "file": f"domains/{target.name}",
                    "title": made.look.title,
                    "version": made.look.version,
                    "skills": len(made.look.skills),
                },
                evidence={"sha256": hashlib.sha256(data).hexdigest()},
            )
            _put(data, target)  # last: where it fails there is no entry either
    return f"domains/{target.name}"


def require_free(name: str) -> None:
    """Raise `DomainRefused` where there is a domain of this name already."""
    if taken := sorted(p.name for p in engine.domains_folder().glob(f"{name}.*")):
        raise DomainRefused(
            f"There is a domain {taken[0]} already, and runs may stand on it. "
            "Give this one another name."
        )


def _put(data: bytes, target: Path) -> None:
    """Whole or not at all, and never over another. Raises `DomainRefused`."""
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(scratch, 0o644)
        os.link(scratch, target)
    except FileExistsError:
        raise DomainRefused("Somebody else has just added a domain of this name.") from None
    finally:
        with suppress(FileNotFoundError):
            os.unlink(scratch)


@dataclass(frozen=True, slots=True)
class _Made:
    """A domain file of the right name in a scratch folder, and what it holds."""

    path: Path
    look: engine.DomainLook


@contextmanager
def _as_file(
    path: Path, name: str, title: str, columns: Mapping[str, str] | None, skill: str
) -> Iterator[_Made]:
    """The upload as a domain file, for as long as the block lasts."""
    if not NAME.fullmatch(name):
        raise DomainRefused(
            "A domain's name has small letters, digits, - and _, at most 40, and begins with a "
            "letter or a digit."
        )
    if columns is None and path.suffix not in WHOLE:
        raise DomainRefused("A domain file ends in .yaml, .yml or .jsonl.")
    with tempfile.TemporaryDirectory(prefix="ioa-domain-") as scratch:
        if columns is None:
            file = Path(scratch) / f"{name}{path.suffix}"
            file.write_bytes(path.read_bytes())
            found = engine.look_at_file(file)
            yield _Made(file, replace(found, faults=found.faults[:SHOWN_MOST]))
            return
        table = lines_of(records(path), columns, name=name, title=title, skill=skill)
        file = Path(scratch) / f"{name}.jsonl"
        words = (json.dumps(line, ensure_ascii=False) for line in table.lines)
        file.write_text("".join(f"{line}\n" for line in words), encoding="utf-8")
        found = engine.look_at_file(file)
        told = (f.removeprefix(f"{file.name}, ") for f in found.faults)
        faults = (*table.faults, *(table.in_the_table(fault) for fault in told))
        yield _Made(file, engine.DomainLook(faults=faults[:SHOWN_MOST]) if faults else found)
