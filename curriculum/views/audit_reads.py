"""The audit log as its page shows it: filtered, a page at a time, with what each entry changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from curriculum.models import AuditEntry, Job, ReviewAction, Run, Stage
from curriculum.numbers import number
from curriculum.services import audit, chain
from curriculum.services.chain import Owner
from curriculum.states import ActorKind, JobStatus, RunStatus
from curriculum.views import origin_reads

SHOWN = 50  # entries a page
PAGES = {  # where what an entry is about has a page of its own
    "run": "curriculum:run-detail",
    "stage": "curriculum:stage-detail",
    "item": "curriculum:item-provenance",
    "checkpoint": "curriculum:checkpoint-provenance",
}
FIELDS = ("action", "kind", "actor", "about", "since", "until", "request")


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a chain is asked for, as it stands in the address. Empty: everything."""

    action: str = ""
    kind: str = ""  # person, policy, worker
    actor: str = ""  # a name
    about: str = ""  # model:pk as here, a model, or words of the name or of what was done
    since: str = ""  # days, ISO 8601, both included, in the site's time zone
    until: str = ""
    request: str = ""

    @classmethod
    def of(cls, said: QueryDict) -> Filter:
        words = {name: said.get(name, "").replace("\x00", "") for name in FIELDS}
        return cls(**{name: each.strip()[:240] for name, each in words.items()})

    def apply(self, found: QuerySet[AuditEntry], owner: Owner) -> QuerySet[AuditEntry]:
        if self.action in audit.ACTIONS:
            found = found.filter(action=self.action)
        if self.kind in ActorKind.values:
            found = found.filter(actor_kind=self.kind)
        if self.actor:
            found = found.filter(actor_name=self.actor)
        if self.about:
            found = found.filter(_about(owner, self.about))
        if day := _day(self.since):
            found = found.filter(at__gte=day)
        if day := _day(self.until, after=1):
            found = found.filter(at__lt=day)
        if self.request:
            found = found.filter(request_id=self.request)
        return found

    @property
    def is_reversed(self) -> bool:
        """Whether the days end before they begin, so that nothing can match."""
        since, until = _day(self.since), _day(self.until)
        return bool(since and until and since > until)

    def query(self, **more: Any) -> str:
        said = {name: getattr(self, name) for name in FIELDS} | more
        return urlencode({name: value for name, value in said.items() if value})


@dataclass(frozen=True, slots=True)
class Row:
    entry: AuditEntry
    label: str
    about: str  # as `entry.subject`, by the numbers of here; empty where no such row came along
    page: str  # of that; empty where there is none
    is_gone: bool  # whether what it is about was deleted since
    changes: list[tuple[str, Any, Any]]  # name, before, after; None where it was not said


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the last first. By number, so that a page far back costs what the first does."""

    rows: list[Row]
    newer: str  # queries of the pages beside it; empty where there is none
    older: str

    @property
    def first(self) -> int:
        return self.rows[0].entry.sequence

    @property
    def last(self) -> int:
        return self.rows[-1].entry.sequence


def page(owner: Owner, chosen: Filter, said: QueryDict) -> Page:
    """`before` and `after` in the address: numbers of entries, not included. Three queries,
    and one more for a run that was made elsewhere.
    """
    found = chosen.apply(chain.entries_of(owner), owner)
    before, after = number(said.get("before")), number(said.get("after"))
    if after is not None:
        rows = list(found.filter(sequence__gt=after).order_by("sequence")[: SHOWN + 1])
        has_newer, has_older = len(rows) > SHOWN, True
        rows = rows[:SHOWN][::-1]
    else:
        older = found if before is None else found.filter(sequence__lt=before)
        rows = list(older.order_by("-sequence")[: SHOWN + 1])
        has_newer, has_older = before is not None, len(rows) > SHOWN
        rows = rows[:SHOWN]
    if not rows:
        return Page([], "", "")
    about = origin_reads.subjects(owner, rows)
    gone = _gone(about.values())
    return Page(
        [_row(entry, about[entry.pk], gone) for entry in rows],
        chosen.query(after=rows[0].sequence) if has_newer else "",
        chosen.query(before=rows[-1].sequence) if has_older else "",
    )


def choices(owner: Owner) -> dict[str, Any]:
    """What the chain can be filtered by. Two queries."""
    everything = chain.entries_of(owner).order_by()
    used = set(everything.values_list("action", flat=True).distinct())
    people = everything.filter(actor_kind=ActorKind.PERSON).order_by("actor_name")
    return {
        "actions": [(name, label) for name, label in audit.ACTIONS.items() if name in used],
        "kinds": ActorKind.choices,
        "names": list(people.values_list("actor_name", flat=True).distinct()),
    }


def _gone(about: Iterable[str]) -> set[str]:
    """Those that are no more. Stages alone are ever deleted, where a curriculum is made anew.
    One query where any is named.
    """
    said = (subject.partition(":") for subject in about)
    named = {pk for noun, _, each in said if noun == "stage" and (pk := number(each)) is not None}
    found = set(Stage.objects.filter(pk__in=named).values_list("pk", flat=True))
    return {f"stage:{pk}" for pk in named - found}


def _row(entry: AuditEntry, about: str, gone: Set[str]) -> Row:
    noun, _, pk = about.partition(":")
    there = noun in PAGES and number(pk) is not None and about not in gone
    names = [*entry.was, *(name for name in entry.became if name not in entry.was)]
    changes = [(name, entry.was.get(name), entry.became.get(name)) for name in names]
    return Row(
        entry,
        audit.ACTIONS.get(entry.action, entry.action),
        about,
        reverse(PAGES[noun], args=[int(pk)]) if there else "",
        about in gone,
        [change for change in changes if change[1:] != (None, None)],
    )


def _about(owner: Owner, words: str) -> Q:
    """Entries whose object is so named, or whose label holds these words. Numbers are those of
    here. Of an item also those of acts on many at once, which name its stage, and the act.
    """
    labels = [name for name, says in audit.ACTIONS.items() if words.casefold() in says.casefold()]
    found = Q(subject_name__icontains=words) | Q(action__in=labels)
    noun, _, said = words.partition(":")
    pk = number(said)
    if pk is None or not isinstance(owner, Run):
        return found | Q(subject=words) | Q(subject__startswith=f"{words}:")
    found |= origin_reads.about(owner, noun, pk)
    if noun == "item":
        of_item = Q(reviews__item=pk) | Q(revisions__item=pk)
        rows = ReviewAction.objects.filter(of_item, stage__run=owner).distinct()
        acts = list(rows.values_list("pk", flat=True))
        there = origin_reads.numbers_there(owner, "reviewaction", acts)
        found |= Q(origin_run=None, evidence__action__in=acts)
        found |= Q(origin_run__isnull=False, evidence__action__in=there)
    return found


def _day(said: str, *, after: int = 0) -> datetime | None:
    """Where the day begins, or one so many days after it; None for what is no day."""
    try:
        day = date.fromisoformat(said) + timedelta(days=after)
        return timezone.make_aware(datetime.combine(day, time.min))
    except (ValueError, OverflowError):
        return None


def done_by_policy(run: Run, *, after: int) -> list[str]:
    """In words, each once, what policy has done since the entry of that number."""
    later = AuditEntry.objects.filter(run=run, sequence__gt=after, actor_kind=ActorKind.POLICY)
    actions = later.order_by("sequence").values_list("action", flat=True)
    return [audit.ACTIONS.get(action, action) for action in dict.fromkeys(actions)]


def stopped(run: Run, jobs: Sequence[Job]) -> tuple[AuditEntry, Job | None] | None:
    """Of a run that was stopped: the entry that says why, and its last job if that had failed."""
    if run.status != RunStatus.STOPPED:
        return None
    entry = run.audit.filter(action=f"run.{RunStatus.STOPPED}").last()
    if entry is None:
        return None
    last = max(jobs, key=lambda job: job.pk, default=None)
    has_failed = last is not None and last.status in (JobStatus.FAILED, JobStatus.LOST)
    return entry, last if has_failed else None
