"""A filter over the items of one round, as it stands in an address: which items match, in which
order, and what comes before and behind one of them. Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Length

from curriculum.models import Item, Review, Stage
from curriculum.numbers import number
from curriculum.services import apart
from curriculum.states import VERDICTS, ActorKind, Verdict

CHECKS = ("", "flagged", "passed")
POLICY = "policy"  # in place of a reviewer's number
# name in the address -> what is compared first ("-": the most first); then comes the order written
SORTS = {"": "", "shortest": "size", "longest": "-size", "skill": "skill__key", "failed": "-flag"}


@dataclass(frozen=True, slots=True)
class Queue:
    """Empty means all. `level` and `reviewer` are numbers as text; `q` is searched for in the
    words of question and solution, whatever the case.
    """

    round: int
    skill: str = ""
    checks: str = ""
    verdict: str = "waiting"
    failed: str = ""  # id of a check that failed
    operation: str = ""
    origin: str = ""
    level: str = ""
    reviewer: str = ""
    tag: str = ""
    only: str = ""  # whose, or of what: `apart.narrow`
    q: str = ""
    sort: str = ""

    @classmethod
    def of(cls, stage: Stage, said: Mapping[str, Any]) -> Queue:
        """What an address or a form says; what it says wrongly is left out."""
        given = {
            name: str(said.get(name, "")).replace("\x00", "").strip()
            for name in cls.__dataclass_fields__
        }
        asked = number(given.pop("round"))
        for name in ("level", "reviewer"):
            if number(given[name]) is None and (name, given[name]) != ("reviewer", POLICY):
                given[name] = ""
        for name, known, usual in (
            ("checks", CHECKS, ""),
            ("verdict", tuple(VERDICTS), "waiting"),
            ("sort", tuple(SORTS), ""),
        ):
            if given[name] not in known:
                given[name] = usual
        return cls(stage.round if asked is None else asked, **given)

    def items(self, stage: Stage) -> QuerySet[Item]:
        """What matches, in the order written."""
        found = Item.objects.filter(stage=stage, round=self.round)
        if self.skill:
            found = found.filter(skill__key=self.skill)
        if self.checks:
            found = found.filter(is_flagged=self.checks == "flagged")
        if (verdict := VERDICTS[self.verdict]) is not None:
            found = found.filter(verdict=verdict)
        if self.failed:
            found = found.filter(failed__contains=f" {self.failed} ")
        if self.operation:
            found = found.filter(operations__icontains=f'"{self.operation}"')
        if self.origin:
            found = found.filter(origin=self.origin)
        if self.level:
            found = found.filter(level=self.level)
        if self.reviewer:
            found = found.filter(Exists(self._standing()))
        if self.tag:
            found = found.filter(tags__word=self.tag)
        found = apart.narrow(found, stage, self.round, self.only)
        if self.q:
            found = found.filter(Q(question__icontains=self.q) | Q(solution__icontains=self.q))
        return found.order_by("pk")

    def _standing(self) -> QuerySet[Review]:
        """Verdicts of the reviewer that stand: the item still has them."""
        given = Review.objects.standing().exclude(verdict=Verdict.WAITING)
        given = given.filter(
            item=OuterRef("pk"), version=OuterRef("version"), verdict=OuterRef("verdict")
        )
        if self.reviewer == POLICY:
            return given.filter(reviewed_as=ActorKind.POLICY)
        return given.filter(reviewer=int(self.reviewer))

    def walk(self, stage: Stage, *, back: bool = False) -> QuerySet[Item]:
        """What matches, in the order asked for; backwards on request."""
        found = _sized(self.items(stage), self.sort)
        key = SORTS[self.sort]
        keys = [*([key.replace("flag", "is_flagged")] if key else []), "pk"]
        return found.order_by(*(_turned(each) if back else each for each in keys))

    def beside(self, stage: Stage, item: Item, *, back: bool = False) -> QuerySet[Item]:
        """What matches and comes behind `item`, or before it: the nearest first. Needs
        `item.skill`; the item itself need not match.
        """
        found, key = self.walk(stage, back=back), SORTS[self.sort]
        here = Q(pk__lt=item.pk) if back else Q(pk__gt=item.pk)
        if not key:
            return found.filter(here)
        rises = key.startswith("-") == back
        name = key.lstrip("-").replace("flag", "is_flagged")
        value = {
            "size": len(item.question) + len(item.solution),
            "skill__key": item.skill.key,
            "is_flagged": item.is_flagged,
        }[name]
        side = "gt" if rises else "lt"
        further = Q(**{f"{name}__{side}": value}) | (Q(**{name: value}) & here)
        return found.filter(Q(**{f"{name}__{side}e": value}), further)  # a range, for the index

    @property
    def n_chosen(self) -> int:
        """How many of the filters behind “more” are in use."""
        names = ("failed", "operation", "origin", "level", "reviewer", "tag")
        return sum(bool(getattr(self, name)) for name in names)

    @property
    def n_set(self) -> int:
        """How many fields are not as usual; the round is none."""
        return sum(name != "round" for name, _ in self.fields)

    @property
    def fields(self) -> list[tuple[str, Any]]:
        """Name and value of what is not usual, for hidden fields and addresses."""
        usual = {"verdict": "waiting"}
        return [(k, v) for k, v in asdict(self).items() if v != usual.get(k, "")]

    def query(self, **more: Any) -> str:
        return urlencode([*self.fields, *((k, v) for k, v in more.items() if v not in ("", None))])


def _sized(found: QuerySet[Item], sort: str) -> QuerySet[Item]:
    if sort not in ("shortest", "longest"):
        return found
    return found.annotate(size=Length("question") + Length("solution"))


def _turned(key: str) -> str:
    return key[1:] if key.startswith("-") else f"-{key}"
