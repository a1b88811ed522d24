"""Why an item exists, and what a checkpoint was made of: read from the rows, as plain JSON.

Nothing is inferred that was not written down at the time; what was not is null or an empty list.
"""

from __future__ import annotations

from curriculum.models import (
    Answer,
    AuditEntry,
    Checkpoint,
    GateRecord,
    Item,
    Score,
    SnapshotItem,
    TeacherCall,
)
from curriculum.models.items import IMPORTED, PERSON
from curriculum.states import RunStatus, Verdict
from curriculum.views import origin_reads, reads
from curriculum.views.provenance_parts import (
    Json,
    agent_of,
    checkpoint_of,
    entry_of,
    run_of,
    snapshot_of,
    stage_of,
    time_of,
)

WRONG_SHOWN = 20  # wrong answers of a skill; the number of all is beside them


def of_item(item: Item) -> Json:
    """Needs `item.stage.run` and `item.skill`. Some fifteen queries, for any number of rows."""
    snapshots = [_membership(row) for row in _memberships(item)]
    trained = Checkpoint.objects.filter(snapshot__in=[row["id"] for row in snapshots])
    return {
        "kind": "item",
        "id": item.pk,
        "run": run_of(item.stage.run),
        "stage": stage_of(item.stage),
        "round": item.round,
        "key": item.key,
        "version": item.version,
        "question": item.question,
        "solution": item.solution,
        "answer": item.answer,
        "level": item.level,
        "operations": item.operations,
        "origin": item.origin,
        "aims": item.aims,
        "tried": reads.tried(item),
        "written_at": time_of(item.created_at),
        "verdict": Verdict(item.verdict).name.lower(),
        "skill": {
            "id": item.skill_id,
            "key": item.skill.key,
            "title": item.skill.title,
            "statement": item.skill.statement,
        },
        "gap": _gap(item),
        "wrong_answers": _wrong(item),
        "request": _request(item.call) if item.call else None,
        "checks": item.checks,
        "versions": _versions(item),
        "reviews": [
            {
                "id": review.pk,
                "verdict": Verdict(review.verdict).name.lower() if review.verdict else "undone",
                "version": review.version,
                "by": agent_of(review.reviewer, review.reviewed_as),
                "reason": review.reason,
                "at": time_of(review.created_at),
            }
            for review in item.reviews.select_related("reviewer").order_by("pk")
        ],
        "snapshots": snapshots,
        "checkpoints": [
            checkpoint_of(row) for row in trained.select_related("stage", "snapshot").order_by("pk")
        ],
    }


def of_checkpoint(checkpoint: Checkpoint) -> Json:
    """Needs `checkpoint.run`. As many queries as rounds before it, and some ten more."""
    chain = [checkpoint_of(each) for each in _ancestors(checkpoint)]
    gates = checkpoint.gates.select_related("stage", "decided_by").order_by("pk")
    return {
        "kind": "checkpoint",
        **checkpoint_of(checkpoint),
        "run": run_of(checkpoint.run),
        "base_model": checkpoint.run.student,
        "teacher": checkpoint.run.teacher,
        "domain": checkpoint.run.domain,
        "seed": checkpoint.run.seed,
        "settings": checkpoint.run.settings,
        "run_made_with_ioa": checkpoint.run.version,
        "made_with": checkpoint.made_with,
        "train_tokens": checkpoint.train_tokens,
        "seconds": checkpoint.seconds,
        "final_loss": checkpoint.final_loss,
        "parents": chain,
        "snapshot": snapshot_of(checkpoint.snapshot) if checkpoint.snapshot else None,
        "gates": [_gate(gate) for gate in gates],
        "decisions": _decisions(checkpoint),
    }


# --- An item ------------------------------------------------------------------------------------


def _gap(item: Item) -> Json:
    """The gap as it was signed before the item was written, and what the gate before its round
    said of the skill. Not the skill's row, which a later diagnosis may have changed.
    """
    run, key = item.stage.run, item.skill.key
    signed = (
        AuditEntry.objects.filter(
            run=run, action=f"run.{RunStatus.REVIEWING_CURRICULUM}", at__lte=item.created_at
        )
        .order_by("-sequence")
        .first()
    )
    found = signed.evidence.get("skills", {}).get(key) if signed else None
    gate = GateRecord.objects.filter(stage=item.stage, round__lt=item.round).order_by("-round")
    before = gate.first()
    said = [row for row in before.evidence["stage"] if row["skill"] == key] if before else []
    student = (
        Score.objects.filter(skill=item.skill, split="diagnose", updated_at__lte=item.created_at)
        .exclude(checkpoint=None)
        .order_by("-checkpoint")
        .first()
    )
    return {
        "measured": found,
        "signed": entry_of(signed) if signed and found else None,
        "student": (
            {"mean": student.mean, "low": student.low, "high": student.high, "n": student.n}
            if student
            else None
        ),
        "gate_before": {"id": before.pk, "round": before.round, **said[0]}
        if before and said
        else None,
    }


def _wrong(item: Item) -> Json:
    """What the newest student that had been asked before the item was written got wrong."""
    given, newest = reads.answers_before(item)
    wrong = given.filter(checkpoint=newest, grade__lt=1).select_related("probe").order_by("pk")
    shown = list(wrong[:WRONG_SHOWN])
    probes = [answer.probe_id for answer in shown]
    of_teacher = Answer.objects.filter(checkpoint=None, probe__in=probes)
    teacher = dict(of_teacher.values_list("probe", "text"))
    return {
        "checkpoint": newest,
        "asked": given.filter(checkpoint=newest).count(),
        "wrong": wrong.count(),
        "answers": [
            {
                "id": answer.pk,
                "question": answer.probe.question,
                "reference": answer.probe.reference,
                "text": answer.text,
                "teacher": teacher.get(answer.probe_id, ""),
                "grade": answer.grade,
                "grader": answer.grader,
                "error": answer.error,
                "at": time_of(answer.created_at),
            }
            for answer in shown
        ],
    }


def _request(call: TeacherCall) -> Json:
    return {
        "id": call.pk,
        "key": call.key,
        "teacher": call.teacher,
        "prompt": call.prompt,
        "prompt_version": call.prompt_version,
        "temperature": call.temperature,
        "seed": call.seed,
        "max_tokens": call.max_tokens,
        "reply": call.reply,
        "prompt_tokens": call.prompt_tokens,
        "reply_tokens": call.reply_tokens,
        "truncated": call.truncated,
        "at": time_of(call.created_at),
    }


def _versions(item: Item) -> list[Json]:
    """The words of every version, the first one first. A revision keeps what stood before a
    person changed it: who wrote version n is whoever ended version n - 1.
    """
    ended = list(item.revisions.select_related("actor").order_by("version"))
    words = [(row.version, row.question, row.solution, row.had_answer) for row in ended]
    words.append((item.version, item.question, item.solution, item.answer))
    return [
        {
            "version": number,
            "question": question,
            "solution": solution,
            "answer": answer,
            "by": agent_of(before.actor, "person") if before else _writer(item),
            "at": time_of(before.created_at if before else item.created_at),
        }
        for (number, question, solution, answer), before in zip(words, [None, *ended], strict=True)
    ]


def _writer(item: Item) -> Json:
    if item.origin in (PERSON, IMPORTED):
        who = agent_of(item.author, "person")
        return who if item.author else who | {"name": item.origin}  # older rows do not say whose
    return {"kind": "teacher", "id": None, "name": item.origin}


def _memberships(item: Item) -> list[SnapshotItem]:
    rows = SnapshotItem.objects.filter(item=item).select_related("snapshot__stage")
    return list(rows.order_by("snapshot", "position"))


def _membership(row: SnapshotItem) -> Json:
    return {
        **snapshot_of(row.snapshot),
        "position": row.position,
        "version": row.version,
        "is_rehearsal": row.is_rehearsal,
    }


# --- A checkpoint ---------------------------------------------------------------------------------


def _ancestors(checkpoint: Checkpoint) -> list[Checkpoint]:
    """Its parent, the parent's, and so on to the base model."""
    rows = Checkpoint.objects.filter(run=checkpoint.run_id).select_related("stage", "snapshot")
    by_pk = {row.pk: row for row in rows}
    found: list[Checkpoint] = []
    pk = checkpoint.parent_id
    while pk is not None:
        found.append(by_pk[pk])
        pk = by_pk[pk].parent_id
    return found


def _gate(gate: GateRecord) -> Json:
    decided = gate.decision != ""
    return {
        "id": gate.pk,
        "stage": stage_of(gate.stage),
        "round": gate.round,
        "evidence": gate.evidence,
        "allows_advance": gate.allows_advance,
        "decision": gate.decision,
        "by": agent_of(gate.decided_by, gate.decided_as) if decided else None,
        "reason": gate.reason,
        "measured_at": time_of(gate.created_at),
        "at": time_of(gate.decided_at) if gate.decided_at else None,
    }


def _decisions(checkpoint: Checkpoint) -> list[Json]:
    """What the log says of its round: who froze the items, trained, assessed, decided. The last
    lines of such a list are the signatures.
    """
    if checkpoint.stage is None:
        return []
    entries = AuditEntry.objects.filter(
        origin_reads.about(checkpoint.run, "stage", checkpoint.stage.pk),
        run=checkpoint.run_id,
        action__startswith="stage.",
    )
    found = []
    for entry in entries.order_by("sequence"):
        is_of = {entry.became.get("round"), entry.was.get("round"), entry.evidence.get("round")}
        if checkpoint.round in is_of:
            found.append(entry_of(entry))
    return found
