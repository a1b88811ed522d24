"""The review queue: which item is next, why it exists, what was said about it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from curriculum import engine
from curriculum.models import Item, Review, Revision, Score, Stage
from curriculum.services import apart, presence
from curriculum.states import Verdict
from curriculum.views import calls, reads

VERDICTS = [
    ("waiting", "waiting"),
    ("approved", "approved"),
    ("rejected", "rejected"),
    ("all", "all"),
]
FLAGS = [("", "all checks"), ("flagged", "flagged"), ("passed", "all passed")]
_STORED = {"waiting": Verdict.WAITING, "approved": Verdict.APPROVED, "rejected": Verdict.REJECTED}


@dataclass(frozen=True, slots=True)
class Queue:
    """A filter over the items of one round, as it stands in the address."""

    round: int
    skill: str = ""
    checks: str = ""
    verdict: str = "waiting"
    only: str = ""  # whose, or of what: services.apart.narrow

    @classmethod
    def of(cls, stage: Stage, said: QueryDict) -> Queue:
        given = said.get("round", "")
        round_ = int(given) if given.isdecimal() else stage.round
        verdict = said.get("verdict", "waiting")
        checks = said.get("checks", "")
        return cls(
            round_,
            said.get("skill", ""),
            checks if checks in ("flagged", "passed") else "",
            verdict if verdict in dict(VERDICTS) else "waiting",
            said.get("only", ""),
        )

    def items(self, stage: Stage) -> QuerySet[Item]:
        found = Item.objects.filter(stage=stage, round=self.round)
        if self.skill:
            found = found.filter(skill__key=self.skill)
        if self.checks:
            found = found.filter(is_flagged=self.checks == "flagged")
        found = apart.narrow(found, stage, self.round, self.only)
        if self.verdict != "all":
            found = found.filter(verdict=_STORED[self.verdict])
        return found.order_by("pk")

    def query(self, **more: Any) -> str:
        said = {
            "round": self.round,
            "skill": self.skill,
            "checks": self.checks,
            "verdict": self.verdict,
            "only": self.only,
            **more,
        }
        return urlencode({name: value for name, value in said.items() if value not in ("", None)})


def counts(stage: Stage, round_: int) -> dict[str, int]:
    return Item.objects.filter(stage=stage, round=round_).aggregate(
        all=Count("pk"),
        waiting=Count("pk", filter=Q(verdict=Verdict.WAITING)),
        approved=Count("pk", filter=Q(verdict=Verdict.APPROVED)),
        rejected=Count("pk", filter=Q(verdict=Verdict.REJECTED)),
        clean=Count("pk", filter=Q(verdict=Verdict.WAITING, is_flagged=False)),
    )


def flagged(stage: Stage, round_: int, alone: set[int]) -> int:
    """Items that wait and failed a check, but for those that are decided one by one."""
    waiting = Item.objects.filter(stage=stage, round=round_, verdict=Verdict.WAITING)
    return waiting.filter(is_flagged=True).exclude(pk__in=alone).count()


def pick(
    stage: Stage, queue: Queue, said: QueryDict, user: User | AnonymousUser
) -> tuple[Item | None, dict[str, Any]]:
    """The item asked for, or the next of the queue; and where it stands in the queue.

    `item` names one; `after` asks for the first behind it, so that a verdict moves on.
    """
    found = queue.items(stage)
    free = presence.free(found.select_related("skill"), user)  # first what nobody else looks at
    everything = Item.objects.filter(stage=stage).select_related("skill")
    item: Item | None = None
    asked, after = said.get("item", ""), said.get("after", "")
    if asked.isdecimal():
        item = everything.filter(pk=asked).first()
    if item is None and after.isdecimal():
        item = free.filter(pk__gt=after).first()
    if item is None:
        item = free.first() or found.select_related("skill").first()
    if item is None:
        return None, {"n": 0, "index": 0, "previous": None, "following": None}
    ids = list(found.values_list("pk", flat=True))
    before = [pk for pk in ids if pk < item.pk]
    behind = [pk for pk in ids if pk > item.pk]
    return item, {
        "n": len(ids),
        "index": len(before) + 1,
        "previous": before[-1] if before else None,
        "following": behind[0] if behind else None,
    }


def why(item: Item) -> dict[str, Any]:
    """Why an item exists: the gap it answers, what the student said, what a teacher was asked."""
    run = item.stage.run
    by_student = Q(checkpoint__isnull=False)
    wrong = reads.wrong_answers(run, "diagnose", by_student, skills=[item.skill_id])
    student = (
        Score.objects.filter(skill=item.skill, split="diagnose", checkpoint__isnull=False)
        .order_by("-checkpoint")
        .first()
    )
    aims = [engine.aim_in_words(kind) for kind in item.aims]
    return {
        "wrong": wrong.get(item.skill_id, []),
        "student": student,
        "aims": aims,
        "call": calls.call_of(item),
    }


def last_verdict(stage: Stage, queue: Queue, user_pk: int) -> Item | None:
    """The item this person decided last in the round, while the verdict still stands."""
    review = (
        Review.objects.filter(item__stage=stage, item__round=queue.round, reviewer=user_pk)
        .exclude(item__verdict=Verdict.WAITING)
        .exclude(verdict=Verdict.WAITING)
        .select_related("item")
        .order_by("-pk")
        .first()
    )
    return review.item if review else None


def history(item: Item) -> list[dict[str, Any]]:
    """The versions of an item, newest first, each as a difference to the one before."""
    versions = list(item.revisions.select_related("actor").order_by("version"))
    texts: list[tuple[int, str, Revision | None]] = [
        (r.version, f"{r.question}\n{r.solution}", r) for r in versions
    ]
    texts.append((item.version, f"{item.question}\n{item.solution}", None))
    steps = [
        {"version": new[0], "by": old[2], "parts": difference(old[1], new[1])}
        for old, new in zip(texts, texts[1:], strict=False)
    ]
    return steps[::-1]


def difference(old: str, new: str) -> list[tuple[str, str]]:
    """Words that stay, go and come, as (same | gone | new, text)."""
    a, b = re.findall(r"\s+|\S+", old), re.findall(r"\s+|\S+", new)
    parts: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.append(("same", "".join(a[i1:i2])))
            continue
        if i2 > i1:
            parts.append(("gone", "".join(a[i1:i2])))
        if j2 > j1:
            parts.append(("new", "".join(b[j1:j2])))
    return parts
