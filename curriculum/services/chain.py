"""How the entries of the audit log hang together: their hash, and whether all of them stand.

A chain is that of a run, or of the house. docs/audit.md says how to check one without this code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from curriculum.errors import ChainBroken
from curriculum.models import AuditEntry, House, Run

Owner = Run | House  # whose chain it is; both keep where it ends
CHUNK = 500  # entries in memory at a time


def entries_of(owner: Owner) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(run=owner if isinstance(owner, Run) else None)


def end_of(owner: Owner) -> tuple[int, str]:
    """Number of entries and hash of the last, as the owner's row says it now."""
    rows: QuerySet[Any] = type(owner)._default_manager.filter(pk=owner.pk)
    return rows.values_list("audit_sequence", "audit_head").first() or (0, "")


def house() -> House:
    """The owner of the chain of the house; not saved before its first entry."""
    return House.objects.first() or House(pk=1)


def name_of_chain(owner: Owner) -> str:
    """run:12, or house: how exports and anchors call it."""
    return f"run:{owner.pk}" if isinstance(owner, Run) else "house"


def content(entry: AuditEntry) -> dict[str, Any]:
    """What the hash of an entry covers, besides the hash of the one before."""
    run, actor = identity(entry)
    said = {
        "run": run,
        "sequence": entry.sequence,
        "at": entry.at.isoformat(timespec="microseconds"),
        "actor": actor,
        "actor_kind": str(entry.actor_kind),
        "actor_name": entry.actor_name,
        "action": entry.action,
        "subject": entry.subject,
        "subject_name": entry.subject_name,
        "was": _numbers(entry.was),
        "became": _numbers(entry.became),
        "evidence": _numbers(entry.evidence),
        "note": entry.note,
    }
    # Entries from before there were such ids have none: their hash stays what it was. An id
    # that is put in, or taken out, later changes the text, so it does not pass unnoticed.
    return said | {"request_id": entry.request_id} if entry.request_id else said


def identity(entry: AuditEntry) -> tuple[int | None, int | None]:
    """The numbers of run and actor where the entry was written: here, or in the installation that
    an archive came from. `subject` names a row by its number there as well. No run: the house's.
    """
    if entry.origin_run is not None:
        return entry.origin_run, entry.origin_actor
    return entry.run_id, entry.actor_id


def digest(entry: AuditEntry) -> str:
    """Hash of the entry and of all before it, hex."""
    text = entry.previous_hash + canonical(content(entry))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(owner: Owner) -> tuple[int, str]:
    """Return the number of entries and the hash of the last; raise `ChainBroken` at the first
    entry that was changed, left out or added. Reads the chain once, in order, in constant memory;
    entries that are written meanwhile are read as well.
    """
    walk = _Walk()
    for entry in _in_order(entries_of(owner)):
        walk.step(entry)
    n, head = end_of(owner)
    while n > walk.n:  # written since, or cut off: then there is nothing more to read
        before = walk.n
        for entry in _in_order(entries_of(owner).filter(sequence__gt=walk.n)):
            walk.step(entry)
        if walk.n == before:
            gone = "and all after it were" if n > walk.n + 1 else "was"
            raise ChainBroken(walk.n + 1, f"{gone} cut off at the end: {n} were written")
        if walk.n > n:
            n, head = end_of(owner)
    if n < walk.n:
        extra = entries_of(owner).filter(sequence__gt=n).order_by("sequence")[0]
        raise _broken(extra, f"was added: only {n} were written")
    if head != walk.head:
        if walk.last is None:
            raise ChainBroken(1, "was left out, and the count of entries changed")
        raise _broken(walk.last, "was changed, and its hash made anew")
    return walk.n, walk.head


def canonical(content: Any) -> str:
    """JSON with one spelling: the same content gives the same text in every process."""
    return json.dumps(
        content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def export(owner: Owner) -> Iterator[str]:
    """The chain as JSON Lines: an entry a line, and at the end where the chain ends."""
    n, head = end_of(owner)
    for entry in _in_order(entries_of(owner).exclude(sequence__gt=n)):
        line = {"previous_hash": entry.previous_hash, "hash": entry.hash, "content": content(entry)}
        yield canonical(line) + "\n"
    yield canonical({"chain": name_of_chain(owner), "entries": n, "head": head}) + "\n"


@dataclass(slots=True)
class _Walk:
    """How far a chain has been read and found whole."""

    n: int = 0
    head: str = ""
    last: AuditEntry | None = None

    def step(self, entry: AuditEntry) -> None:
        due = self.n + 1
        if entry.sequence > due:
            until = (
                f"and those until {entry.sequence - 1} were" if entry.sequence > due + 1 else "was"
            )
            raise ChainBroken(due, f"{until} left out: {_named(entry)} comes next")
        if entry.sequence < due:
            raise _broken(entry, "was added: there is one of that number already")
        if entry.hash != digest(entry):
            raise _broken(entry, "was changed: its content does not give its hash")
        if entry.previous_hash != self.head:
            if self.last is None:
                raise _broken(entry, "was changed: nothing stands before the first")
            reason = f"was changed, and its hash made anew: entry {due} follows another"
            raise _broken(self.last, reason)
        self.n, self.head, self.last = due, entry.hash, entry


def _broken(entry: AuditEntry, reason: str) -> ChainBroken:
    return ChainBroken(entry.sequence, reason, action=entry.action, row=entry.pk)


def _named(entry: AuditEntry) -> str:
    return f"{entry.sequence} (“{entry.action}”, row {entry.pk})"


def _in_order(found: QuerySet[AuditEntry]) -> Iterator[AuditEntry]:
    return found.order_by("sequence", "pk").iterator(chunk_size=CHUNK)


def _numbers(content: Any) -> Any:
    # A jsonb column gives 1e16 back as an integer, so whole floats are hashed as integers.
    if isinstance(content, dict):
        return {key: _numbers(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_numbers(value) for value in content]
    if isinstance(content, float) and content.is_integer():
        return int(content)
    return content
