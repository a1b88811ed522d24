"""What the items of a run have cost: what was asked for, what became of it, tokens and time.

What people wrote or brought in cost the teacher nothing, and is told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Sum

from curriculum import engine
from curriculum.models import Item, Run, TeacherCall, WritingTally
from curriculum.models.items import IMPORTED, PERSON
from curriculum.models.team import refused_by_people
from curriculum.states import Verdict

CHECKS = {
    "parses": "question, solution and answer are there, and printable",
    "steps": "every sum in the solution is right",
    "skill": "it is an exercise of its skill",
    "answer": "the answer is right",
    "ending": "the solution ends in the answer",
    "duplicate": "nothing asks the same already",
    "leak": "it repeats no question used for measuring",
    "fits": "it fits what the student is trained on",
}


@dataclass(slots=True)
class Row:
    """Items of one skill, or of one operation. What was asked for is None where a program wrote:
    it makes what is wanted.
    """

    title: str
    key: str = ""
    asked: int | None = None
    read: int = 0
    unread: int = 0  # at least so many: a teacher may also write more than it is asked for
    spare: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    flagged: int = 0
    approved: int = 0
    rejected: int = 0
    by_people: int = 0  # of those rejected
    prompt_tokens: int = 0
    reply_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Row) -> Row:
        both = Row(self.title, self.key)
        for name in self.__dataclass_fields__:
            a, b = getattr(self, name), getattr(other, name)
            if name == "asked":
                both.asked = None if a is None and b is None else (a or 0) + (b or 0)
            elif name not in ("title", "key"):
                setattr(both, name, a + b)
        return both

    @property
    def waiting(self) -> int:
        return self.shown - self.approved - self.rejected

    @property
    def thrown_away(self) -> int:
        """Items that failed a check and that nobody was shown: others came in their place."""
        return max(0, self.read - self.spare - self.shown)

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.reply_tokens

    @property
    def tokens_each(self) -> float | None:
        """Tokens of the teacher for each item that was approved; None before any was."""
        return self.tokens / self.approved if self.approved and self.tokens else None


@dataclass(frozen=True, slots=True)
class CheckRow:
    id: str
    says: str
    n: int
    share: float  # of all that were read


def costs(run: Run) -> dict[str, Any]:
    """All that the page shows, in six queries."""
    skills = {skill.pk: Row(skill.title, skill.key) for skill in run.skills.order_by("pk")}
    operations: dict[str, Row] = {}
    tallies = list(WritingTally.objects.filter(stage__run=run))
    for tally in tallies:
        _tallied(skills[tally.skill_id], tally)
        for name in _operations(run, tally.level):
            row = operations.setdefault(name, Row(name.replace("_", " "), name))
            row.asked = (row.asked or 0) + tally.asked
    by_check = _items(run, skills, operations)
    for spent in _spent(run).values("skill").annotate(**_SUMS).order_by():
        row = skills[spent.pop("skill")]
        row.prompt_tokens, row.reply_tokens = spent["prompt_tokens"], spent["reply_tokens"]
        row.seconds = spent["seconds"]
    rows = [row for row in skills.values() if row.asked or row.shown or row.tokens]
    total = sum(rows, Row("all skills"))
    lost = total.lost if tallies else by_check
    return {
        "rows": rows,
        "total": total,
        "operations": sorted(operations.values(), key=lambda row: row.key),
        "checks": list(_checks(lost, total.read or total.shown)),
        "purposes": list(_spent(run).values("purpose").annotate(n=Count("pk"), **_SUMS).order_by()),
        "labels": dict(TeacherCall.PURPOSES),
        "n_of_people": Item.objects.filter(stage__run=run, origin__in=_OF_PEOPLE).count(),
        "is_in_words": engine.is_asked_in_words(run),
        **_money(run, total),
    }


_OF_PEOPLE = (PERSON, IMPORTED)
_SUMS = {name: Sum(name) for name in ("prompt_tokens", "reply_tokens", "seconds")}


def _spent(run: Run) -> Any:
    return TeacherCall.objects.filter(run=run)


def _money(run: Run, total: Row) -> dict[str, Any]:
    amount, currency = engine.money_of(run) or (None, "")
    each = amount / total.approved if amount is not None and total.approved else None
    return {"money": amount, "money_each": each, "currency": currency}


def _tallied(row: Row, tally: WritingTally) -> None:
    row.asked = (row.asked or 0) + tally.asked
    row.read += tally.read
    row.unread += max(0, tally.asked - tally.read)
    row.spare += tally.spare
    row.lost.update(tally.lost)


def _operations(run: Run, level: int) -> list[str]:
    """The operations that a request for items of that size asks for."""
    asked = run.settings.get("writing", {}).get("operations", [])
    return [name for name in asked if name != "limit_load" or level < engine.FULL_LEVEL]


def _items(run: Run, skills: dict[int, Row], operations: dict[str, Row]) -> Counter[str]:
    """Put what people saw and said of what the teacher wrote on the rows; the failed checks of what
    they saw, counted.
    """
    said_no = ExpressionWrapper(refused_by_people(), BooleanField())
    written = Item.objects.filter(stage__run=run).exclude(origin__in=_OF_PEOPLE)
    found = written.annotate(refused=said_no)
    by_check: Counter[str] = Counter()
    for item in found.only("skill_id", "operations", "is_flagged", "verdict", "checks"):
        rows = [skills[item.skill_id]]
        for name in item.operations:
            rows.append(operations.setdefault(name, Row(name.replace("_", " "), name)))
        is_refused = item.verdict == Verdict.REJECTED
        for row in rows:
            row.shown += 1
            row.flagged += item.is_flagged
            row.approved += item.verdict == Verdict.APPROVED
            row.rejected += is_refused
            row.by_people += item.refused
        failed = next((c["id"] for c in item.checks if not c["passed"]), None)
        if failed:
            by_check[failed] += 1
    return by_check


def _checks(lost: Counter[str], read: int) -> Iterable[CheckRow]:
    for name, n in lost.most_common():
        yield CheckRow(name, CHECKS.get(name, ""), n, n / read if read else 0.0)
