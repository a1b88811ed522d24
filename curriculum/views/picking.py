"""Which rows of the diagnosis are shown, and in which order: as it stands in the address."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict

from curriculum.htmx import current_address
from curriculum.states import SkillStatus
from curriculum.views.diagnosis_reads import SkillRow

SHOW: dict[str, tuple[str, Callable[[SkillRow], bool]]] = {
    "": ("all skills", lambda row: True),
    "deficient": ("deficient", lambda row: _counts(row) and bool(row.skill.is_deficient)),
    "known": ("good enough", lambda row: _counts(row) and row.skill.is_deficient is False),
    "unteachable": ("teacher cannot teach", lambda row: row.skill.is_teachable is False),
    "unmeasured": ("not measured", lambda row: _counts(row) and row.student is None),
    "retired": ("retired", lambda row: row.skill.status == SkillStatus.RETIRED),
}
# What is sorted by: heading, value, and whether the largest comes first when it is asked for.
SORT: dict[str, tuple[str, Callable[[SkillRow], Any], bool]] = {
    "skill": ("Skill", lambda row: row.skill.pk, False),
    "teacher": ("Teacher", lambda row: row.teacher and row.teacher.mean, False),
    "student": ("Student", lambda row: row.student and row.student.mean, False),
    "n": ("n", lambda row: row.student and row.student.n, True),
    "gap": ("Gap", lambda row: row.skill.gap, True),
    "severity": ("Severity", lambda row: row.skill.severity, True),
}


def _counts(row: SkillRow) -> bool:
    """Whether the row is one of what may be taught."""
    skill = row.skill
    return (
        skill.status == SkillStatus.ACTIVE
        and not skill.is_transfer
        and skill.is_teachable is not False
    )


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    query: str
    aria: str  # aria-sort
    name: str


@dataclass(frozen=True, slots=True)
class Pick:
    """Without a `sort`, the worst first: retired and transfer skills last, by severity."""

    show: str = ""
    words: str = ""
    sort: str = ""
    is_down: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> Pick:
        """From the address of the page; a fragment is answered for the page that it is on."""
        htmx = request.htmx  # type: ignore[attr-defined]
        said = request.GET
        if htmx and (request.method != "GET" or "seen" in said):
            said = QueryDict(current_address(request).query)
        show, sort = said.get("show", ""), said.get("sort", "")
        name = sort.removeprefix("-")
        return cls(
            show if show in SHOW else "",
            said.get("q", "").strip()[:80],
            name if name in SORT else "",
            sort.startswith("-"),
        )

    def rows(self, rows: Iterable[SkillRow]) -> list[SkillRow]:
        """Those that are picked; what has no value stands last in either direction."""
        words, keep = self.words.casefold(), SHOW[self.show][1]
        found = [
            row
            for row in rows
            if keep(row)
            and words in f"{row.skill.key} {row.skill.title} {row.skill.statement}".casefold()
        ]
        if self.sort:
            value = SORT[self.sort][1]
            there = [row for row in found if value(row) is not None]
            there.sort(key=value, reverse=self.is_down)
            found = there + [row for row in found if value(row) is None]
        return found

    @property
    def headings(self) -> dict[str, Heading]:
        return {name: self._heading(name) for name in SORT}

    def _heading(self, name: str) -> Heading:
        text, _, largest_first = SORT[name]
        is_mine = self.sort == name
        next_down = not self.is_down if is_mine else largest_first
        aria = ("descending" if self.is_down else "ascending") if is_mine else "none"
        return Heading(text, replace(self, sort=name, is_down=next_down).query, aria, name)

    @property
    def query(self) -> str:
        said = {"show": self.show, "q": self.words, "sort": self.sorted_by}
        return "?" + urlencode({name: value for name, value in said.items() if value})

    @property
    def sorted_by(self) -> str:
        return f"-{self.sort}" if self.sort and self.is_down else self.sort

    @property
    def shows(self) -> list[tuple[str, str]]:
        return [(name, words) for name, (words, _) in SHOW.items()]
