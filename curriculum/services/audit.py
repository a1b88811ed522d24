"""The log of who did what, on what evidence: append-only, chained by hash. One chain a run, and
one of the house for what belongs to no run; `services.chain` checks them.

Every service begins with `write` or `require`. Their UPDATE of the run's row puts the writers of
a run in a line: the next one waits until this transaction has ended, so that what is read
after it stays true. It also means that no two of them can wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import F, Model, QuerySet
from django.utils import timezone

from curriculum import request_ids
from curriculum.errors import Overtaken, RunOver, WrongMoment
from curriculum.models import ApiToken, AuditEntry, House, Run
from curriculum.services.chain import Owner, canonical, digest, identity, verify
from curriculum.states import ENDED, ActorKind, JobStatus, RunStatus, StageStatus

BROUGHT_IN = "the record of a run made elsewhere"

__all__ = [
    "ACTIONS",
    "BROUGHT_IN",
    "Actor",
    "canonical",
    "digest",
    "identity",
    "name_of",
    "require",
    "verify",
    "write",
    "write_house",
]

ACTIONS: dict[str, str] = {
    "run.created": "run created",
    "run.imported": "run brought in from elsewhere",
    "run.probed": "skills probed further",
    "run.observed": "earlier checkpoints looked at",
    "run.replanned": "stages planned again",
    "run.rest_replanned": "what is left planned again",
    "run.rest_kept": "plan kept as it is",
    "run.autonomy": "autonomy changed",
    "run.two_people": "two-person rule switched",
    "run.concluded": "teaching concluded",
    "run.archived": "run archived",
    "run.unarchived": "run taken out of the archive",
    "run.budget": "budget raised",
    "prompt.changed": "prompt template changed",
    "prompt.rolled_back": "prompt template rolled back",
    "prompt.tried": "prompt template tried",
    "skill.edited": "skill edited",
    "skill.examples": "examples of a skill changed",
    "examples.tried": "examples of a skill tried",
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
    "stage.restored": "an earlier curriculum brought back",
    "item.approved": "item approved",
    "item.rejected": "item rejected",
    "item.edited": "item edited",
    "item.undone": "verdict undone",
    "item.opinion": "independent opinion given",
    "item.agreed": "verdict by agreement",
    "item.disagreed": "opinions differ",
    "item.adjudicated": "item adjudicated",
    "items.approved": "items approved together",
    "items.rejected": "items rejected together",
    "items.shared_out": "items shared out",
    "items.sampled": "sample drawn",
    "items.sampled_approved": "items approved on a sample",
    "guideline.written": "guidelines written",
    "items.replaced": "words of items replaced",
    "items.rewritten": "others written in their place",
    "items.tagged": "items tagged",
    "items.undone": "an act on items undone",
    "item.untagged": "tag taken off",
    "item.written": "item written by a person",
    "account.added": "account added",
    "account.changed": "account changed",
    "account.deleted": "account deleted",
    "domain.added": "domain added",
    "token.made": "API token made",
    "token.revoked": "API token revoked",
    "member.added": "member added",
    "member.changed": "member's role changed",
    "member.removed": "member removed",
    "member.invited": "person invited",
    "member.joined": "member joined by invitation",
    "invitation.withdrawn": "invitation withdrawn",
    "run.closed": "run closed: for its members only",
    "run.opened": "run opened",
    "session.ended": "sessions ended",
    "audit.anchored": "heads of the log given away",
    "items.imported": "items imported",
    **{f"run.{status}": f"run: {status.label}" for status in RunStatus},
    **{f"stage.{status}": f"stage: {status.label}" for status in StageStatus},
    "stage.mastered": "stage: mastered (advanced at the gate)",
    "stage.waived": "stage: waived at the gate",
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
    def token(cls, token: ApiToken) -> Actor:
        """The person whose token a program shows; the log names both."""
        by = f" (by token {token.name})"
        return cls(ActorKind.PERSON, token.user, name_of(token.user)[: 150 - len(by)] + by)

    @classmethod
    def policy(cls, rule: str) -> Actor:
        return cls(ActorKind.POLICY, None, rule)

    @classmethod
    def worker(cls) -> Actor:
        return cls(ActorKind.WORKER, None, "worker")

    @classmethod
    def command(cls, name: str) -> Actor:
        """Somebody with a shell on the server: who it was, this program cannot know."""
        return cls(ActorKind.WORKER, None, f"manage.py {name}")


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
    if run.origin is not None:
        raise RunOver(BROUGHT_IN)
    entry = _entry(actor, action, was, became, evidence, note)
    entry.run = run
    entry.subject, entry.subject_name = _named(subject)
    return _append(run, entry, seen)


def write_house(
    *,
    actor: Actor,
    action: str,
    subject: Model | str,
    was: Mapping[str, Any] | None = None,
    became: Mapping[str, Any] | None = None,
    evidence: Mapping[str, Any] | None = None,
    note: str = "",
) -> AuditEntry:
    """Append one entry to the chain of the house: of accounts, domains, anchors, and whatever
    else belongs to no run. `subject` may be a name where there is no row.

    Its writers stand in a line as well: call it late in a transaction, and after `write`.
    """
    entry = _entry(actor, action, was, became, evidence, note)
    entry.subject, entry.subject_name = _named(subject)
    return _append(House(pk=1), entry, None)


def _entry(
    actor: Actor,
    action: str,
    was: Mapping[str, Any] | None,
    became: Mapping[str, Any] | None,
    evidence: Mapping[str, Any] | None,
    note: str,
) -> AuditEntry:
    ACTIONS[action]
    return AuditEntry(
        actor=actor.user,
        actor_kind=actor.kind,
        actor_name=actor.name[:150],
        action=action,
        was=_plain(was or {}),
        became=_plain(became or {}),
        evidence=_plain(evidence or {}),
        note=note,
        request_id=request_ids.current()[:64],
    )


def _append(owner: Owner, entry: AuditEntry, seen: RunStatus | None) -> AuditEntry:
    """Give the entry its number and its hash. Three statements; no savepoint in a caller's
    transaction, as nothing is written before the first of them has found its row.
    """
    if not connection.in_atomic_block:
        with transaction.atomic():
            return _append(owner, entry, seen)
    turn = _take_turn(owner, seen)
    if turn is None and isinstance(owner, House):
        House.objects.bulk_create([owner], ignore_conflicts=True)  # the first entry of all
        turn = _take_turn(owner, seen)
    if turn is None:
        raise Overtaken("This run")
    entry.sequence, entry.previous_hash = turn
    entry.at = timezone.now()
    entry.hash = digest(entry)
    entry.save(force_insert=True)
    rows: QuerySet[Any] = type(owner)._default_manager.filter(pk=owner.pk)
    rows.update(audit_head=entry.hash)
    owner.audit_sequence, owner.audit_head = entry.sequence, entry.hash
    return entry


def _take_turn(owner: Owner, seen: RunStatus | None) -> tuple[int, str] | None:
    """Count one more, which makes other writers wait: the new number, and the hash of the entry
    before. None if there is no such row. By hand, as the ORM knows no RETURNING for an UPDATE.
    """
    table = connection.ops.quote_name(owner._meta.db_table)
    guard = "AND status = %s" if seen else ""
    values: list[int | str] = [owner.pk, str(seen)] if seen else [owner.pk]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET audit_sequence = audit_sequence + 1 WHERE id = %s {guard} "
            "RETURNING audit_sequence, audit_head",
            values,
        )
        rows = cursor.fetchall()
    return rows[0] if rows else None


def _named(subject: Model | str) -> tuple[str, str]:
    if isinstance(subject, str):
        return subject[:60], subject[:240]
    return f"{subject._meta.model_name}:{subject.pk}", str(subject)[:240]


def run_over(run: Run) -> RunOver:
    return RunOver(run.get_status_display() if run.origin is None else BROUGHT_IN)


def require(run: Run, *statuses: RunStatus, what: str) -> None:
    """Begin a service that is for some statuses of the run: other writers of the run wait from
    here until this transaction ends. Raises what tells a person why it cannot be done now.
    """
    if run.is_over:
        raise run_over(run)
    if run.status not in statuses:
        when = " or ".join(f"“{status.label}”" for status in statuses)
        raise WrongMoment(what, f"run is {when}", run.get_status_display())
    if not Run.objects.filter(pk=run.pk, status=run.status).update(status=run.status):
        raise Overtaken("This run")


def require_going(run: Run) -> None:
    """Begin a service that is for every status of a run but the last: as `require`, by what is
    true now, not when the caller looked. Raises `RunOver`.
    """
    if run.origin is not None:
        raise RunOver(BROUGHT_IN)
    going = Run.objects.filter(pk=run.pk).exclude(status__in=ENDED)
    if not going.update(status=F("status")):
        raise RunOver(Run.objects.get(pk=run.pk).get_status_display())


def _plain(content: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(content, cls=DjangoJSONEncoder, allow_nan=False))
