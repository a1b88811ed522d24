"""Which checkpoint came from which. Pure over the checkpoints of one run."""

from __future__ import annotations

from collections.abc import Iterable

from curriculum.models import Checkpoint


def kept(checkpoints: Iterable[Checkpoint]) -> set[int]:
    """The current checkpoint and all it came from, by pk; what is left out was rolled back."""
    listed = list(checkpoints)
    parents = {each.pk: each.parent_id for each in listed}
    pk = next((each.pk for each in listed if each.is_current), None)
    found: set[int] = set()
    while pk is not None and pk not in found:
        found.add(pk)
        pk = parents.get(pk)
    return found
