"""The review queue: which item is next, why it exists, what was said about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils.text import Truncator

from curriculum import engine
from curriculum.checks_said import FAILED, OWN_ANSWER
from curriculum.models import Item, Review, ReviewAction, Score, Skill, Stage, Tag
from curriculum.numbers import number
from curriculum.services import items, presence
from curriculum.services import rewriting as others
from curriculum.services.audit import name_of
from curriculum.services.matching import POLICY, Queue
from curriculum.services.undoing import WORDS
from curriculum.states import VERDICTS, ActionKind, JobKind, StageStatus, Verdict
from curriculum.views import calls, rail, reads

FLAGS = [("", "any"), ("flagged", "flagged"), ("passed", "all passed")]
ORDERS = [
    ("", "as written"),
    ("shortest", "shortest first"),
    ("longest", "longest first"),
    ("skill", "by skill"),
    ("failed", "failed checks first"),
]

LABEL = 40  # characters of a question on a button
SHOWN = 50  # items a page of the list
MOST_COMPARED = 200_000  # words times words; the worst of them are told in a second


def counts(stage: Stage, round_: int) -> dict[str, int]:
    """How many items of the round have which verdict; `flagged`: wait and failed a check. One
    query, answered from its index.
    """
    found = dict.fromkeys(("all", "waiting", "approved", "rejected", "flagged"), 0)
    rows = Item.objects.filter(stage=stage, round=round_).order_by()
    for verdict, is_flagged, n in rows.values_list("verdict", "is_flagged").annotate(n=Count("pk")):
        found["all"] += n
        found[Verdict(verdict).label] += n
        if is_flagged and verdict == Verdict.WAITING:
            found["flagged"] += n
    return found


def standing(
    stage: Stage, round_: int, items: Sequence[Item], user: User | AnonymousUser
) -> list[str]:
    """Who has decided these items of a round, as “7 approved by ada”: what an edit of all takes
    back. One query, by the round: a list of so many items may be more than a database takes.
    """
    decided = {item.pk for item in items if item.verdict}
    counted: Counter[tuple[str, str]] = Counter()
    given = Review.objects.filter(item__stage=stage, item__round=round_).standing()
    for review in given.select_related("reviewer") if decided else ():
        if review.item_id in decided:
            person = review.person
            who = "you" if person == user else name_of(person) if person else "policy"
            counted[Verdict(review.verdict).label, who] += 1
    return [f"{n:,} {verdict} by {who}" for (verdict, who), n in counted.most_common()]


def flagged(stage: Stage, round_: int, alone: set[int]) -> int:
    """Items that wait and failed a check, but for those that are decided one by one."""
    waiting = Item.objects.filter(stage=stage, round=round_, verdict=Verdict.WAITING)
    return waiting.filter(is_flagged=True).exclude(pk__in=alone).count()


def choices(stage: Stage, round_: int) -> dict[str, list[tuple[str, str]]]:
    """What each filter can be set to, as (value, words): what the round has, and nothing else."""
    found = Item.objects.filter(stage=stage, round=round_).order_by()
    sets: dict[str, set[Any]] = {name: set() for name in ("failed", "operation", "origin", "level")}
    kinds = found.values_list("failed", "operations", "origin", "level").distinct()
    for failed, operations, origin, level in kinds:
        sets["failed"].update(failed.split())
        sets["operation"].update(operations)
        sets["origin"].add(origin)
        sets["level"].add(level)
    people = User.objects.filter(
        pk__in=ReviewAction.objects.filter(stage=stage, round=round_).values("actor")
    )
    tags = Tag.objects.filter(item__stage=stage, item__round=round_).order_by("word")
    # a round teaches others beside its stage's own
    written = Item.objects.filter(stage=stage, round=round_).values("skill")
    skills = Skill.objects.filter(
        Q(pk__in=stage.stage_skills.values("skill")) | Q(pk__in=written)
    ).order_by("pk")
    return {
        "skill": [(skill.key, f"{skill.key} {skill.title}") for skill in skills],
        "checks": FLAGS,
        "verdict": [(word, word) for word in VERDICTS],
        "sort": ORDERS,
        "reviewer": [
            *((str(user.pk), name_of(user)) for user in people.order_by("pk")),
            (POLICY, "policy"),
        ],
        "tag": [(word, word) for word in tags.values_list("word", flat=True).distinct()],
        **{
            name: [(str(each), str(each).replace("_", " ")) for each in sorted(values)]
            for name, values in sets.items()
        },
        "failed": [(each, FAILED.get(each, each)) for each in sorted(sets["failed"])],
    }


def pick(
    stage: Stage, queue: Queue, said: QueryDict, user: User | AnonymousUser
) -> tuple[Item | None, dict[str, Any]]:
    """The item asked for, or the next of the queue; and where it stands in the queue.

    `item` names one; `after` asks for the first behind it, so that a verdict moves on: first what
    nobody else looks at. Neither reads the queue: the next is found by what it is sorted by.
    """
    everything = Item.objects.filter(stage=stage).select_related("skill")
    item: Item | None = None
    asked, after = number(said.get("item")), number(said.get("after"))
    if asked is not None:
        item = everything.filter(pk=asked).first()
    left = None if item or after is None else everything.filter(pk=after).first()
    if left is not None:
        item = presence.free(queue.beside(stage, left).select_related("skill"), user).first()
    if item is None:
        found = queue.walk(stage).select_related("skill")
        item = presence.free(found, user).first() or found.first()
    if item is None:
        return None, {"n": 0, "index": 0, "previous": None, "following": None}
    before, behind = queue.beside(stage, item, back=True), queue.beside(stage, item)
    return item, {
        "n": queue.items(stage).count(),
        "index": before.order_by().count() + 1,
        "previous": before.values_list("pk", flat=True).first(),
        "following": behind.values_list("pk", flat=True).first(),
    }


def page(stage: Stage, queue: Queue, said: QueryDict) -> Page[Item]:
    """The items of the queue below each other, so many a page. Three queries."""
    found = queue.walk(stage).select_related("skill").prefetch_related("tags")
    return Paginator(found, SHOWN).get_page(said.get("page"))


def why(item: Item) -> dict[str, Any]:
    """Why an item exists: the gap it answers, and what the student it was written for said."""
    run, skill = item.stage.run, item.skill_id
    _, then = reads.answers_before(item)
    wrong = reads.wrong_answers(run, "diagnose", Q(checkpoint=then), skills=[skill]) if then else {}
    student = _measured_before(item)
    return {
        "wrong": wrong.get(skill, []),
        "student": student,
        "tried": reads.tried(item),
        "aims": [engine.aim_in_words(kind) for kind in item.aims],
        "call": calls.call_of(item),
        "tags": list(item.tags.values_list("word", flat=True)),
    }


def _measured_before(item: Item) -> Score | None:
    """The last that was measured of its skill before it was written; of one student by the gate."""
    scores = Score.objects.filter(
        skill=item.skill_id,
        split__in=["diagnose", "gate"],
        checkpoint__isnull=False,
        checkpoint__created_at__lte=item.created_at,
    ).select_related("checkpoint__stage")
    return scores.order_by("-checkpoint", "-split").first()


def objections(item: Item) -> str:
    """What its failed checks say, one after the other; empty where none failed."""
    failed = [check for check in item.checks if not check["passed"]]
    return " ".join(check["detail"] or f"Failed: {check['id']}." for check in failed)


def untold(found: QuerySet[Item]) -> QuerySet[Item]:
    """Of these, those whose answer only a person has said is right."""
    return found.filter(checks__icontains=f'"id": "{OWN_ANSWER}"')


def whose_verdict(item: Item, user: User | AnonymousUser) -> str:
    """Ada's approval, your rejection, the approval by policy; empty where the item waits."""
    if item.verdict == Verdict.WAITING:
        return ""
    noun = "approval" if item.verdict == Verdict.APPROVED else "rejection"
    last = items.last_review(item)
    who = last.person if last is not None else None
    if who is None:
        return f"the {noun} by policy"
    return f"your {noun}" if who == user else f"{name_of(who)}'s {noun}"


def undoable(action: ReviewAction | None) -> dict[str, Any]:
    """What *Undo* takes back, in words; `last_item`: where a verdict on one item leads back to."""
    if action is None:
        return {"last": None}
    item, words = _about(action)
    leads_back = action.kind in Verdict.values
    return {"last": action, "last_words": words, "last_item": item if leads_back else None}


def act_in_words(action: ReviewAction) -> str:
    """approved “What is 4 - 1?”; approved 3 items."""
    return _about(action)[1]


def _about(action: ReviewAction) -> tuple[int | None, str]:
    """The item of an act on one item, and the act in words. One query at most."""
    if action.n != 1:
        return None, str(action)
    rows: Any = action.reviews
    if action.kind in WORDS:
        rows = action.revisions
    elif action.kind == ActionKind.TAGGED:
        rows = action.tags
    item, question = rows.values_list("item", "item__question").first() or (None, "")
    if item is None:  # the tag was taken off
        return None, str(action)
    return item, f"{action.get_kind_display()} “{Truncator(question).chars(LABEL)}”"


def history(item: Item) -> list[dict[str, Any]]:
    """The versions of an item, newest first, each as a difference to the one before: of the
    turns that changed.
    """
    versions = list(item.revisions.select_related("actor", "action").order_by("version"))
    texts = [(r.version, r.question, r.solution, r.had_answer) for r in versions]
    texts.append((item.version, item.question, item.solution, item.answer))
    steps = []
    for by, old, new in zip(versions, texts, texts[1:], strict=False):
        named = zip(("user", "assistant", "answer"), old[1:], new[1:], strict=True)
        changed = [(who, difference(was, now)) for who, was, now in named if was != now]
        steps.append({"version": new[0], "by": by, "turns": changed})
    return steps[::-1]


def difference(old: str, new: str) -> list[tuple[str, str]]:
    """Words that stay, go and come, as (same | gone | new, text)."""
    a, b = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    parts: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in opcodes(a, b):
        if tag == "equal":
            parts.append(("same", "".join(a[i1:i2])))
            continue
        if i2 > i1:
            parts.append(("gone", "".join(a[i1:i2])))
        if j2 > j1:
            parts.append(("new", "".join(b[j1:j2])))
    return parts


def opcodes(a: Sequence[str], b: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """How `a` becomes `b`, as `difflib` says it. A long middle, between what both begin and end
    with, is told as one change: where words come again and again, it took minutes.
    """
    start = _n_common(a, b)
    end = _n_common(a[start:][::-1], b[start:][::-1])
    was, now = a[start : len(a) - end], b[start : len(b) - end]
    middle: list[tuple[str, int, int, int, int]] = [("replace", 0, len(was), 0, len(now))]
    if len(was) * len(now) <= MOST_COMPARED:
        middle = list(SequenceMatcher(None, was, now, autojunk=False).get_opcodes())
    codes = [(t, i1 + start, i2 + start, j1 + start, j2 + start) for t, i1, i2, j1, j2 in middle]
    codes.insert(0, ("equal", 0, start, 0, start))
    codes.append(("equal", len(a) - end, len(a), len(b) - end, len(b)))
    return [code for code in codes if code[2] > code[1] or code[4] > code[3]]


def _n_common(a: Sequence[str], b: Sequence[str]) -> int:
    """How many the two have in common at their beginning."""
    return next(
        (n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )


def ended_writing(stage: Stage) -> str:
    """How the writing of a round that waits for its items ended; empty while it goes on."""
    if stage.status != StageStatus.WRITING:
        return ""
    job = stage.jobs.filter(kind=JobKind.WRITE, round=stage.round).last()
    return rail.ended(job) if job and job.may_retry else ""


def rewriting(stage: Stage) -> dict[str, Any]:
    """The last others that were asked for in this round: how far they are, and how many came."""
    job = others.last_of(stage)
    return {
        "rewrite": job,
        "n_others": others.items_of(job).count() if job else 0,
        "eta_seconds": reads.eta_seconds(job) if job else None,
    }
