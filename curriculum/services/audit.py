"""The log of who did what, on what evidence: append-only, chained by hash, one chain a run.

Every service begins with `write` or `require`. Their UPDATE of the run's row puts the writers of
a run in a line: the next one waits until this transaction has ended, so that what is read
after it stays true. It also means that no two of them can wait for each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

from curriculum.errors import ChainBroken, Overtaken, RunOver, WrongMoment
from curriculum.models import AuditEntry, Run
from curriculum.states import ActorKind, JobStatus, RunStatus, StageStatus

BROUGHT_IN = "the record of a run made elsewhere"

ACTIONS: dict[str, str] = {
    "run.created": "run created",
    "run.probed": "skills probed further",
    "run.observed": "earlier checkpoints looked at",
    "run.replanned": "stages planned again",
    "run.autonomy": "autonomy changed",
    "run.two_people": "two-person rule switched",
    "run.concluded": "teaching concluded",
    "run.archived": "run archived",
    "run.unarchived": "run taken out of the archive",
    "skill.edited": "skill edited",
    "skill.retired": "skill retired",
    "skill.restored": "skill restored",
    "skill.moved": "skill moved to another stage",
    "edge.added": "prerequisite added",
    "edge.confirmed": "prerequisite confirmed",
    "edge.refused": "prerequisite refused",
    "edge.tested": "prerequisite tested",
    "stage.frozen": "items frozen for training",
    "stage.split": "stage split",
    "stage.merged": "stages merged",
    "stage.reordered": "stages reordered",
    "item.approved": "item approved",
    "item.rejected": "item rejected",
    "item.edited": "item edited",
    "item.undone": "verdict undone",
    "items.approved": "items approved together",
    "items.rejected": "items rejected together",
    "items.imported": "items imported",
    **{f"run.{status}": f"run: {status.label}" for status in RunStatus},
    **{f"stage.{status}": f"stage: {status.label}" for status in StageStatus},
    **{f"job.{status}": f"job {status.label}" for status in JobStatus},
}


def name_of(user: User) -> str:
    """What people call them."""
    return user.get_full_name() or user.get_username()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, the policy of the run's autonomy, or a worker."""

    kind: ActorKind
    user: User | None
    name: str

    @classmethod
    def person(cls, user: User) -> Actor:
        return cls(ActorKind.PERSON, user, name_of(user))

    @classmethod
    def policy(cls, rule: str) -> Actor:
        return cls(ActorKind.POLICY, None, rule)

    @classmethod
    def worker(cls) -> Actor:
        return cls(ActorKind.WORKER, None, "worker")


@transaction.atomic
def write(
    run: Run,
    *,
    actor: Actor,
    action: str,
    subject: Model,
    was: Mapping[str, Any] | None = None,
    became: Mapping[str, Any] | None = None,
    evidence: Mapping[str, Any] | None = None,
    note: str = "",
    seen: RunStatus | None = None,
) -> AuditEntry:
    """Append one entry. With `seen`, raises `Overtaken` unless the run still has that status.

    Raises KeyError for an action that is not in ACTIONS: a typo must not reach the record.
    """
    ACTIONS[action]
    if run.origin is not None:
        raise RunOver(BROUGHT_IN)
    rows = Run.objects.filter(pk=run.pk)
    guarded = rows.filter(status=seen) if seen else rows
    if not guarded.update(audit_sequence=F("audit_sequence") + 1):
        raise Overtaken("This run")
    sequence, head = rows.values_list("audit_sequence", "audit_head").get()
    entry = AuditEntry(
        run=run,
        sequence=sequence,
        at=timezone.now(),
        actor=actor.user,
        actor_kind=actor.kind,
        actor_name=actor.name[:150],
        action=action,
        subject=f"{subject._meta.model_name}:{subject.pk}",
        subject_name=str(subject)[:240],
        was=_plain(was or {}),
        became=_plain(became or {}),
        evidence=_plain(evidence or {}),
        note=note,
        previous_hash=head,
    )
    entry.hash = digest(entry)
    entry.save(force_insert=True)
    rows.update(audit_head=entry.hash)
    run.audit_sequence, run.audit_head = sequence, entry.hash
    return entry


def require(run: Run, *statuses: RunStatus, what: str) -> None:
    """Begin a service that is for some statuses of the run: other writers of the run wait from
    here until this transaction ends. Raises what tells a person why it cannot be done now.
    """
    if run.is_over:
        raise RunOver(run.get_status_display() if run.origin is None else BROUGHT_IN)
    if run.status not in statuses:
        when = " or ".join(f"“{status.label}”" for status in statuses)
        raise WrongMoment(what, f"run is {when}", run.get_status_display())
    if not Run.objects.filter(pk=run.pk, status=run.status).update(status=run.status):
        raise Overtaken("This run")


def digest(entry: AuditEntry) -> str:
    """Hash of the entry and of all before it, hex."""
    run, actor = identity(entry)
    content = {
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
    return hashlib.sha256((entry.previous_hash + canonical(content)).encode()).hexdigest()


def identity(entry: AuditEntry) -> tuple[int, int | None]:
    """The numbers of run and actor where the entry was written: here, or in the installation that
    an archive came from. `subject` names a row by its number there as well.
    """
    if entry.origin_run is not None:
        return entry.origin_run, entry.origin_actor
    return entry.run_id, entry.actor_id


def verify(run: Run) -> tuple[int, str]:
    """Return the number of entries and the hash of the last; raise `ChainBroken` at the first
    entry that was changed, left out or added. Reads the chain once, in order.
    """
    n, head = 0, ""
    for entry in AuditEntry.objects.filter(run=run).order_by("sequence").iterator():
        whole = entry.sequence == n + 1 and entry.previous_hash == head
        if not whole or entry.hash != digest(entry):
            raise ChainBroken(n + 1)
        n, head = n + 1, entry.hash
    stands = Run.objects.values_list("audit_sequence", "audit_head").get(pk=run.pk)
    if stands != (n, head):
        raise ChainBroken(n + 1)  # the end was cut off
    return n, head


def canonical(content: Any) -> str:
    """JSON with one spelling: the same content gives the same text in every process."""
    return json.dumps(
        content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def _plain(content: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(content, cls=DjangoJSONEncoder, allow_nan=False))


def _numbers(content: Any) -> Any:
    # A jsonb column gives 1e16 back as an integer, so whole floats are hashed as integers.
    if isinstance(content, dict):
        return {key: _numbers(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_numbers(value) for value in content]
    if isinstance(content, float) and content.is_integer():
        return int(content)
    return content
