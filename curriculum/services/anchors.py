"""Anchors: where every chain ended at a moment, to be kept where this program cannot write.

Who can write to the database can forge a whole chain, with all its hashes. A head that was given
away before is not in the forged one.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from curriculum.models import House, Run
from curriculum.services import audit, chain, notices
from curriculum.services.audit import Actor


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of one chain: `head` is the hash of its entry number `entries`, 64 hex digits."""

    chain: str  # run:12, or house
    entries: int
    head: str
    at: str  # ISO 8601, UTC

    def line(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def take() -> list[Anchor]:
    """The ends of all chains that have entries, of the house last. Only reads: see `record`."""
    at = timezone.now().isoformat(timespec="seconds")
    runs = Run.objects.filter(audit_sequence__gt=0).order_by("pk")
    ends = runs.values_list("pk", "audit_sequence", "audit_head")
    found = [Anchor(f"run:{pk}", n, head, at) for pk, n, head in ends]
    if (house := chain.house()).audit_sequence:
        found.append(Anchor("house", house.audit_sequence, house.audit_head, at))
    return found


def record(taken: list[Anchor], *, actor: Actor, to: str) -> None:
    """Enter in the chain of the house that they were given away, and `to` what: once they were."""
    # Entered first, it could be taken back only by a transaction that stays open while another's
    # server is waited for: with SQLite nobody could write meanwhile. So the head of the house that
    # goes out is the one before this entry, which the next anchor covers. And a crash in between
    # leaves heads without an entry, which stand all the same; not an entry of heads nobody has.
    runs = sum(anchor.chain != "house" for anchor in taken)
    audit.write_house(
        actor=actor,
        action="audit.anchored",
        subject="audit",
        evidence={"to": to, "runs": runs},
    )


def post(anchors: list[Anchor]) -> None:
    """Send them to the webhook, signed as its messages are. Raises `NotDelivered`."""
    notices.post({"event": "audit.anchored", "chains": [asdict(anchor) for anchor in anchors]})


def parse(line: str) -> Anchor:
    """An anchor of one line of a file. Raises ValueError for anything else."""
    said: Any = json.loads(line)
    if not isinstance(said, dict) or said.keys() != Anchor.__dataclass_fields__.keys():
        raise ValueError("not an anchor")
    anchor = Anchor(**said)
    is_sane = (
        isinstance(anchor.chain, str)
        and re.fullmatch(r"house|run:[0-9]{1,18}", anchor.chain, re.ASCII)
        and isinstance(anchor.head, str)
        and re.fullmatch(r"[0-9a-f]{64}", anchor.head)
        and isinstance(anchor.at, str)
        and type(anchor.entries) is int
        and 0 < anchor.entries < 2**31
    )
    if not is_sane:
        raise ValueError("not an anchor")
    return anchor


def objection(anchor: Anchor) -> str:
    """What speaks against its chain, as a sentence; empty where the anchored head still stands."""
    owner = owner_of(anchor.chain)
    if owner is None:
        return f"{anchor.chain} was anchored at {anchor.at}, and is not there."
    entry = chain.entries_of(owner).filter(sequence=anchor.entries).first()
    told = f"{anchor.chain}: entry {anchor.entries} was anchored at {anchor.at}"
    if entry is None:
        return f"{told}, and is not there."
    if entry.hash != anchor.head:
        return (
            f"{told} with the head {anchor.head}; now that entry (“{entry.action}”, row "
            f"{entry.pk} of the table) has {entry.hash}: it, or one before it, was changed."
        )
    return ""


def owner_of(name: str) -> Run | House | None:
    """Whose chain `run:12` or `house` is."""
    return chain.house() if name == "house" else Run.objects.filter(pk=name[4:]).first()
