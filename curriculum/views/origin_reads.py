"""Which rows the log of a run that was made elsewhere speaks of. What came along names them by
their numbers there, addresses here by those of here: docs/decisions/0015.

An entry that came along has its `origin_run`; all others have numbers of here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q

from curriculum.models import AuditEntry, Origin, Run
from curriculum.numbers import number
from curriculum.services.chain import Owner


def subjects(owner: Owner, entries: Sequence[AuditEntry]) -> dict[int, str]:
    """By pk of these entries of a chain what each is about, by the numbers of here: `item:12`.
    Empty where no such row came along, as of what was deleted there. One query for a run that
    was made elsewhere.
    """
    found = {entry.pk: entry.subject for entry in entries}
    if not isinstance(owner, Run) or owner.origin is None:
        return found
    there: dict[int, tuple[str, int]] = {}
    rows = Q(pk__in=[])  # none yet
    for entry in entries:
        model, _, said = entry.subject.partition(":")
        if entry.origin_run is not None and (was := number(said)) is not None:
            there[entry.pk] = (model, was)
            rows |= Q(model=model, was=was)
    known = Origin.objects.filter(rows, run=owner).values_list("model", "was", "now")
    here = {(model, was): f"{model}:{now}" for model, was, now in known}
    return found | {pk: here.get(row, "") for pk, row in there.items()}


def about(run: Run, model: str, pk: int) -> Q:
    """Entries of the run about this row of it. One query for a run that was made elsewhere."""
    found = Q(origin_run=None, subject=f"{model}:{pk}")
    for was in numbers_there(run, model, [pk]):
        found |= Q(origin_run__isnull=False, subject=f"{model}:{was}")
    return found


def numbers_there(run: Run, model: str, numbers: Iterable[int]) -> list[int]:
    """The numbers that these rows had where the run was made; none of a run that was made here."""
    if run.origin is None:
        return []
    known = Origin.objects.filter(run=run, model=model, now__in=list(numbers))
    return list(known.values_list("was", flat=True))
