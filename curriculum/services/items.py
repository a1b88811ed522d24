"""Verdicts on items, and their words. Only while the item's round is in review."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.errors import (
    EmptyWords,
    LeakNeverApproved,
    NothingChanged,
    Overtaken,
    ReasonRequired,
    WrongMoment,
)
from curriculum.models import Item, Review, Revision, Skill, Stage
from curriculum.services import apart, audit
from curriculum.services.audit import Actor, require
from curriculum.states import RunStatus, StageStatus, Verdict


@transaction.atomic
def approve(item: Item, *, actor: Actor, version: int) -> Item:
    """Let the version a person has looked at be trained on. A leak never may be."""
    if item.is_leak:
        raise LeakNeverApproved
    apart.require_free(item, actor=actor)
    return _decide(item, Verdict.APPROVED, actor=actor, version=version, action="item.approved")


@transaction.atomic
def reject(item: Item, *, actor: Actor, version: int, reason: str) -> Item:
    if not reason.strip():
        raise ReasonRequired("a rejection")
    apart.require_free(item, actor=actor)
    return _decide(
        item,
        Verdict.REJECTED,
        actor=actor,
        version=version,
        action="item.rejected",
        reason=reason,
    )


@transaction.atomic
def undo(item: Item, *, actor: Actor, version: int) -> Item:
    """Take the verdict back: the item waits again."""
    return _decide(item, Verdict.WAITING, actor=actor, version=version, action="item.undone")


@transaction.atomic
def edit(item: Item, *, actor: Actor, version: int, question: str, solution: str) -> Item:
    """Change the words. The old ones are kept, checks run again, and the item waits again."""
    question, solution = question.strip(), solution.strip()
    if not question:
        raise EmptyWords("question")
    if not solution:
        raise EmptyWords("solution")
    if (question, solution) == (item.question, item.solution):
        raise NothingChanged
    _begin(item.stage, round=item.round)
    checks = engine.check_item(item, question, solution)
    failed = [check["id"] for check in checks if not check["passed"]]
    seen = Item.objects.filter(pk=item.pk, version=version, verdict=item.verdict)
    changes: dict[str, Any] = {
        "question": question,
        "solution": solution,
        "checks": checks,
        "is_flagged": bool(failed),
        "is_leak": "leak" in failed,
        "version": version + 1,
        "verdict": Verdict.WAITING,
    }
    if not seen.update(**changes):
        raise Overtaken("This item")
    Revision.objects.create(
        item=item,
        version=version,
        question=item.question,
        solution=item.solution,
        actor=actor.user,
    )
    audit.write(
        item.stage.run,
        actor=actor,
        action="item.edited",
        subject=item,
        was={"version": version, "question": item.question, "solution": item.solution},
        became={"version": version + 1, "question": question, "solution": solution},
        evidence={"failed": failed},
    )
    item.refresh_from_db()
    return item


@transaction.atomic
def approve_all(stage: Stage, *, actor: Actor, round: int, skill: Skill | None = None) -> int:
    """Approve what waits and passed every check; of one skill, if named. Returns how many."""
    _begin(stage, round=round)
    clean = Item.objects.filter(is_flagged=False, is_leak=False)
    if skill is not None:
        clean = clean.filter(skill=skill)
    matching = _waiting(stage, round).filter(pk__in=clean.values("pk"))
    matching = matching.exclude(pk__in=apart.one_by_one(stage, round, actor=actor))
    return _decide_all(
        stage,
        dict.fromkeys(matching, ""),
        Verdict.APPROVED,
        actor=actor,
        action="items.approved",
    )


@transaction.atomic
def reject_flagged(stage: Stage, *, actor: Actor, round: int) -> int:
    """Reject what waits and failed a check, and say which check. Returns how many."""
    _begin(stage, round=round)
    flagged = _waiting(stage, round).filter(is_flagged=True)
    flagged = flagged.exclude(pk__in=apart.one_by_one(stage, round, actor=actor))
    return _decide_all(
        stage,
        {item: _why_flagged(item) for item in flagged},
        Verdict.REJECTED,
        actor=actor,
        action="items.rejected",
    )


def _decide(
    item: Item, verdict: Verdict, *, actor: Actor, version: int, action: str, reason: str = ""
) -> Item:
    """Give a waiting item its verdict, or take it back. The UPDATE names what was seen."""
    decided = item.verdict != Verdict.WAITING
    if decided != (verdict == Verdict.WAITING) or version != item.version:
        raise Overtaken("This item")
    _begin(item.stage, round=item.round)
    seen = Item.objects.filter(pk=item.pk, version=version, verdict=item.verdict)
    if not seen.update(verdict=verdict):
        raise Overtaken("This item")
    Review.objects.create(
        item=item,
        version=version,
        verdict=verdict,
        reason=reason,
        reviewer=actor.user,
        reviewed_as=actor.kind,
    )
    audit.write(
        item.stage.run,
        actor=actor,
        action=action,
        subject=item,
        was={"verdict": item.verdict, "version": version},
        became={"verdict": verdict, "version": version},
        evidence={"flagged": item.is_flagged, "skill": item.skill.key},
        note=reason,
    )
    item.refresh_from_db()
    return item


def _decide_all(
    stage: Stage, reasons: dict[Item, str], verdict: Verdict, *, actor: Actor, action: str
) -> int:
    """One UPDATE, a review for each item, one audit entry naming them. Nothing for no items."""
    if not reasons:
        return 0
    keys = [item.pk for item in reasons]
    if Item.objects.filter(pk__in=keys, verdict=Verdict.WAITING).update(verdict=verdict) != len(
        keys
    ):
        raise Overtaken("This queue")
    Review.objects.bulk_create(
        Review(
            item=item,
            version=item.version,
            verdict=verdict,
            reason=reason,
            reviewer=actor.user,
            reviewed_as=actor.kind,
        )
        for item, reason in reasons.items()
    )
    audit.write(
        stage.run,
        actor=actor,
        action=action,
        subject=stage,
        became={"verdict": verdict, "n": len(keys)},
        evidence={"round": stage.round, "items": [[item.pk, item.version] for item in reasons]},
        note="; ".join(sorted({reason for reason in reasons.values() if reason})),
    )
    return len(keys)


def _begin(stage: Stage, *, round: int) -> None:
    """Hold the run, and make sure that the round is still in review."""
    require(stage.run, RunStatus.TEACHING, what="Items can be reviewed")
    now = Stage.objects.get(pk=stage.pk)
    if now.round != round:
        raise Overtaken("This stage")
    if now.status != StageStatus.REVIEWING:
        raise WrongMoment("Items can be reviewed", "stage is “in review”", now.get_status_display())


def _waiting(stage: Stage, round: int) -> Any:
    return Item.objects.filter(stage=stage, round=round, verdict=Verdict.WAITING)


def _why_flagged(item: Item) -> str:
    failed = [check["id"] for check in item.checks if not check["passed"]]
    return f"failed check: {', '.join(failed)}"
