"""What the provenance of items and of checkpoints is told with: single rows as plain JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from curriculum.models import AuditEntry, Checkpoint, Run, Snapshot, Stage
from curriculum.services.audit import name_of

Json = dict[str, Any]


def checkpoint_of(row: Checkpoint) -> Json:
    stage = row.stage
    return {
        "id": row.pk,
        "name": f"s{stage.position}r{row.round}" if stage else "base",
        "parent": row.parent_id,
        "stage": stage_of(stage) if stage else None,
        "round": row.round if stage else None,
        "content_hash": row.content_hash,
        "snapshot_id": row.snapshot_id,
        "snapshot_hash": row.snapshot.content_hash if row.snapshot else "",
        "is_current": row.is_current,
        "made_at": time_of(row.created_at),
    }


def snapshot_of(row: Snapshot) -> Json:
    return {
        "id": row.pk,
        "content_hash": row.content_hash,
        "stage": stage_of(row.stage),
        "round": row.round,
        "items": row.n_items,
        "rehearsal": row.n_rehearsal,
        "frozen_at": time_of(row.created_at),
    }


def run_of(run: Run) -> Json:
    return {
        "id": run.pk,
        "name": run.name,
        "audit_entries": run.audit_sequence,
        "audit_head": run.audit_head,
    }


def stage_of(stage: Stage) -> Json:
    return {"id": stage.pk, "position": stage.position, "title": stage.title}


def entry_of(entry: AuditEntry) -> Json:
    return {
        "sequence": entry.sequence,
        "action": entry.action,
        "by": {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name},
        "note": entry.note,
        "at": time_of(entry.at),
        "hash": entry.hash,
    }


def agent_of(user: User | None, kind: str) -> Json:
    name = name_of(user) if user else str(kind or "policy")
    return {"kind": str(kind or "policy"), "id": user.pk if user else None, "name": name}


def time_of(moment: datetime) -> str:
    return moment.isoformat()
