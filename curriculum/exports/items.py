"""Which items go out, one after another: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import F, QuerySet

from curriculum.models import Item, Revision, Run, Snapshot
from curriculum.models.team import refused_by_people
from curriculum.states import Verdict

AT_ONCE = 2000  # rows from the database at a time

FIELDS = ("stage__position", "round", "key", "skill__key", "level", "origin", "version")
WORDS = ("question", "solution", "answer", "checks")


@dataclass(frozen=True, slots=True)
class Row:
    """One item as it goes out. `id` says where it stands in its run: stage, round, key."""

    id: str
    skill: str
    level: int
    origin: str
    version: int
    question: str
    solution: str
    answer: str
    checks: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two solutions of one question; a person or a check preferred the first."""

    id: str
    skill: str
    question: str
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What is exported: items of one run, or what a training of it saw. Leaks never are."""

    run: Run
    items: QuerySet[Item]
    says: str  # in words, for the card
    snapshot: Snapshot | None = None

    def rows(self) -> Iterator[Row]:
        return self._frozen(self.snapshot) if self.snapshot else self._of(self.items)

    def count(self) -> int:
        return self.snapshot.entries.count() if self.snapshot else self.items.count()

    def _of(self, items: QuerySet[Item]) -> Iterator[Row]:
        ordered = items.order_by("stage__position", "round", "pk")
        for values in ordered.values_list(*FIELDS, *WORDS).iterator(chunk_size=AT_ONCE):
            yield _row(*values)

    def _frozen(self, snapshot: Snapshot) -> Iterator[Row]:
        """In the order of the training, in the words of the version that was frozen."""
        names = [f"item__{name}" for name in (*FIELDS, *WORDS)]
        entries = snapshot.entries.order_by("position").values_list("version", "item", *names)
        for version, item, *values in entries.iterator(chunk_size=AT_ONCE):
            row = _row(*values)
            if version != row.version:
                was = Revision.objects.select_related("item").get(item=item, version=version)
                row = Row(
                    row.id,
                    row.skill,
                    row.level,
                    row.origin,
                    version,
                    was.question,
                    was.solution,
                    was.had_answer,
                    row.checks,
                )
            yield row

    def pairs(self) -> Iterator[Pair]:
        """What a person preferred: the words of an item over those before it was edited, and an
        approved item over one that people rejected, but not because it repeats another. Both only
        where the question is the same.
        """
        yield from self._edited()
        yield from self._refused()

    def _edited(self) -> Iterator[Pair]:
        names = [f"item__{name}" for name in ("stage__position", "round", "key", "skill__key")]
        before = (
            Revision.objects.filter(
                item__in=self.items.order_by(),
                item__verdict=Verdict.APPROVED,
                question=F("item__question"),
            )
            .exclude(solution=F("item__solution"))
            .order_by("item", "version")
            .values_list("version", "solution", "item__question", "item__solution", *names)
        )
        for version, was, question, now, *at, skill in before.iterator(chunk_size=AT_ONCE):
            yield Pair(f"{_id(*at)}/v{version}", skill, question, now, was)

    def _refused(self) -> Iterator[Pair]:
        refused = (
            Item.objects.filter(refused_by_people(), stage__run=self.run, is_leak=False)
            .exclude(failed__contains=" duplicate ")
            .order_by("stage__position", "round", "pk")
        )
        names = ("stage__position", "round", "key", "skill__key", "question", "solution")
        rows = refused.values_list(*names).iterator(chunk_size=AT_ONCE)
        approved = self.items.filter(verdict=Verdict.APPROVED).order_by("-pk")
        while some := list(islice(rows, 500)):
            asked = {question for *_, question, _ in some}
            kept = dict(approved.filter(question__in=asked).values_list("question", "solution"))
            for *at, skill, question, solution in some:
                if kept.get(question, solution) != solution:
                    yield Pair(_id(*at), skill, question, kept[question], solution)


def approved(run: Run) -> Choice:
    """What people or policy let be trained on."""
    return chosen(run, verdict=Verdict.APPROVED)


def chosen(
    run: Run,
    *,
    verdict: str | None = Verdict.APPROVED,
    stage: int | None = None,
    round: int | None = None,
    skill: str = "",
) -> Choice:
    """Items by verdict (None: any), stage's position, round and skill's key."""
    items = Item.objects.filter(stage__run=run, is_leak=False)
    says = ["all items" if verdict is None else f"items that are {Verdict(verdict).label}"]
    if verdict is not None:
        items = items.filter(verdict=verdict)
    if stage is not None:
        items = items.filter(stage__position=stage)
        says.append(f"of stage {stage}")
    if round is not None:
        items = items.filter(round=round)
        says.append(f"of round {round}")
    if skill:
        items = items.filter(skill__key=skill)
        says.append(f"of the skill {skill}")
    return Choice(run, items, " ".join(says))


def frozen(snapshot: Snapshot) -> Choice:
    """What one training saw, rehearsal included, in its order."""
    stage = snapshot.stage
    items = Item.objects.filter(pk__in=snapshot.entries.order_by().values("item"), is_leak=False)
    says = (
        f"what the training of stage {stage.position}, round {snapshot.round} saw, in its order "
        f"(snapshot {snapshot.content_hash})"
    )
    return Choice(stage.run, items, says, snapshot)


def _id(stage: int, round: int, key: str) -> str:
    return f"s{stage}r{round}/{key}"


def _row(
    stage: int,
    round: int,
    key: str,
    skill: str,
    level: int,
    origin: str,
    version: int,
    question: str,
    solution: str,
    answer: str,
    checks: list[dict[str, Any]],
) -> Row:
    return Row(
        _id(stage, round, key), skill, level, origin, version, question, solution, answer, checks
    )
