"""Filters that a person has given a name, for one run.

A preference of one person: nothing of the run reads it and nobody else sees it, so it has no
entry in the run's log, whose chain is for evidence.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import QuerySet

from curriculum.models import Run, SavedFilter

MOST = 30  # of one person in one run


def filters_of(run: Run, person: User) -> QuerySet[SavedFilter]:
    return SavedFilter.objects.filter(run=run, person=person).order_by("name")


def save(run: Run, *, person: User, name: str, query: str) -> bool:
    """Keep the filter; one of the same name is replaced. False where there are `MOST` already."""
    mine = filters_of(run, person)
    if mine.exclude(name=name).count() >= MOST:
        return False
    SavedFilter.objects.update_or_create(
        run=run, person=person, name=name, defaults={"query": query}
    )
    return True


def remove(run: Run, *, person: User, pk: int) -> bool:
    """False where there is none such of theirs."""
    gone, _ = filters_of(run, person).filter(pk=pk).delete()
    return bool(gone)
