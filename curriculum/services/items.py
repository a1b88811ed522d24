"""Verdicts on items, their words and tags, one by one. Only while the item's round is in review."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from curriculum import engine
from curriculum.errors import (
    EmptyWords,
    LeakNeverApproved,
    NothingChanged,
    Overtaken,
    ReasonRequired,
)
from curriculum.models import Item, Review, ReviewAction, Skill, Stage, Tag
from curriculum.models.items import PERSON, marks_of
from curriculum.services import apart, audit, bulk
from curriculum.services.audit import Actor, name_of
from curriculum.services.bulk import approve_all, reject_flagged
from curriculum.services.reviewing import act, begin, keep_reviews
from curriculum.services.words import rewrite
from curriculum.states import ActionKind, Verdict

__all__ = [
    "approve",
    "approve_all",
    "edit",
    "last_review",
    "reject",
    "reject_flagged",
    "tag",
    "undo",
    "untag",
    "write",
]


@transaction.atomic
def approve(item: Item, *, actor: Actor, version: int) -> Item:
    """Let the version a person has looked at be trained on. A leak never may be."""
    if item.is_leak:
        raise LeakNeverApproved
    return _decide(item, Verdict.APPROVED, actor=actor, version=version, action="item.approved")


@transaction.atomic
def reject(item: Item, *, actor: Actor, version: int, reason: str) -> Item:
    if not reason.strip():
        raise ReasonRequired("a rejection")
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
    """Take the verdict back, whoever gave it: the item waits again."""
    return _decide(item, Verdict.WAITING, actor=actor, version=version, action="item.undone")


@transaction.atomic
def edit(
    item: Item,
    *,
    actor: Actor,
    version: int,
    question: str,
    solution: str,
    answer: str | None = None,
    seen: Verdict | None = None,
) -> Item:
    """Change the words. The old ones are kept, checks run again, and the item waits again.

    answer: what the solution has to end in; None leaves it. seen: the verdict that the item had
    when it was looked at, which falls with the words; None: whatever it has.
    """
    answer = item.answer if answer is None else answer
    question, solution, answer = question.strip(), solution.strip(), answer.strip()
    _require_words(question=question, solution=solution, answer=answer)
    if (question, solution, answer) == (item.question, item.solution, item.answer):
        raise NothingChanged
    if version != item.version:
        raise Overtaken("This item")
    stage = item.stage
    begin(stage, round=item.round)
    item.refresh_from_db(fields=["verdict"])  # nobody gives another now
    if seen is not None and seen != item.verdict:
        raise Overtaken("This item", _decided(item))
    was = {
        "version": version,
        "verdict": item.verdict,
        "question": item.question,
        "solution": item.solution,
    }
    became = {
        "version": version + 1,
        "verdict": Verdict.WAITING,
        "question": question,
        "solution": solution,
    }
    if answer != item.answer:
        was["answer"], became["answer"] = item.answer, answer
    action = act(stage, ActionKind.EDITED, 1, actor=actor, round=item.round)
    rewrite(stage, [(item, question, solution, answer)], actor=actor, action=action)
    item.refresh_from_db()
    audit.write(
        stage.run,
        actor=actor,
        action="item.edited",
        subject=item,
        was=was,
        became=became,
        evidence={"failed": item.failed.split()},
    )
    return item


@transaction.atomic
def write(
    stage: Stage,
    *,
    actor: Actor,
    round: int,
    skill: Skill,
    question: str,
    solution: str,
    answer: str,
) -> Item:
    """An item by a person: checked as any other, and waiting as any other."""
    question, solution, answer = question.strip(), solution.strip(), answer.strip()
    _require_words(question=question, solution=solution, answer=answer)
    begin(stage, round=round)
    theirs = Item.objects.filter(stage=stage, round=round, origin=PERSON).count()
    item = Item(
        stage=stage,
        round=round,
        skill=skill,
        key=f"s{stage.position}r{round}-person-{theirs + 1:04}",
        question=question,
        solution=solution,
        answer=answer,
        origin=PERSON,
        author=actor.user,
    )
    [item.checks] = engine.check_items(stage, round, [(item, question, solution, answer)])
    for name, value in marks_of(item.checks).items():
        setattr(item, name, value)
    item.save(force_insert=True)
    audit.write(
        stage.run,
        actor=actor,
        action="item.written",
        subject=item,
        became={"question": question, "solution": solution, "answer": answer},
        evidence={"skill": skill.key, "round": round, "failed": item.failed.split()},
    )
    return item


@transaction.atomic
def tag(item: Item, *, actor: Actor, word: str) -> bool:
    """Put a word on the item; False where it has it already."""
    begin(item.stage, round=item.round)
    found = Item.objects.filter(pk=item.pk)
    return bool(bulk.tag(item.stage, found, word, actor=actor, round=item.round))


@transaction.atomic
def untag(item: Item, *, actor: Actor, word: str) -> None:
    begin(item.stage, round=item.round)
    gone, _ = Tag.objects.filter(item=item, word=word).delete()
    if not gone:
        raise Overtaken("This item")
    audit.write(
        item.stage.run,
        actor=actor,
        action="item.untagged",
        subject=item,
        was={"tag": word},
    )


def _decide(
    item: Item, verdict: Verdict, *, actor: Actor, version: int, action: str, reason: str = ""
) -> Item:
    """Give a waiting item its verdict, or take it back. The UPDATE names what was seen."""
    decided = item.verdict != Verdict.WAITING
    if decided != (verdict == Verdict.WAITING) or version != item.version:
        raise Overtaken("This item")
    begin(item.stage, round=item.round)
    if not decided:
        apart.require_free(item, actor=actor)
    seen = Item.objects.filter(pk=item.pk, version=version, verdict=item.verdict)
    if not seen.update(verdict=verdict):
        raise Overtaken("This item")
    done: ReviewAction | None = None
    if decided:
        _taken_back(item)
    else:
        done = act(item.stage, ActionKind(verdict), 1, actor=actor, round=item.round)
    keep_reviews([(item.pk, version, reason)], verdict, actor=actor, action=done)
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


def last_review(item: Item) -> Review | None:
    """The last word on the item, with who said it."""
    return item.reviews.select_related("reviewer").order_by("-pk").first()


def _decided(item: Item) -> str:
    """What became of its verdict: “Ada approved it”."""
    if item.verdict == Verdict.WAITING:
        return "its verdict was taken back"
    last = last_review(item)
    who = last.person if last is not None else None
    return f"{name_of(who) if who else 'policy'} {item.get_verdict_display()} it"


def _taken_back(item: Item) -> None:
    """The act that gave the verdict stands no more, unless it gave others as well."""
    last = last_review(item)
    if last is not None and last.action_id is not None:
        alone = ReviewAction.objects.filter(pk=last.action_id, n=1, undone_at=None)
        alone.update(undone_at=timezone.now())


def _require_words(**words: str) -> None:
    for name, text in words.items():
        if not text:
            raise EmptyWords(name)
