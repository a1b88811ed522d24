"""What is known of an edge, from where, and which of it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from distill.identifier.edges import Found, Observed
from distill.records import Edge, EvidenceKind
from distill.statistics import is_over

_PERSON = (EvidenceKind.CONFIRMED, EvidenceKind.REFUSED)
_RANK = (EvidenceKind.TESTED, EvidenceKind.OBSERVED, EvidenceKind.DECLARED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing known about an edge.

    `strength` is Dep in 0..1, 1 for what is declared. None: it was looked for, and there was not
    enough to say.
    """

    kind: EvidenceKind
    strength: float | None = 1.0
    n: int = 0  # observations behind it
    says: str = ""  # a sentence for people


def best_evidence(rows: Iterable[Evidence], threshold: float = 0.3) -> Evidence | None:
    """The evidence that an edge rests on; None when it does not hold.

    rows: in the order in which they came to be known. A person's last word wins: confirmed counts
    as 1, refused as no edge. Otherwise tested, else observed, else declared decides, the first of
    them that can say something, its last row; and it has to be above `threshold` (τ_dep). Pure.

    Ours; docs/decisions/0006 says why.
    """
    known = list(rows)
    words = [row for row in known if row.kind in _PERSON]
    if words:
        last = words[-1]
        said = Evidence(EvidenceKind.CONFIRMED, 1.0, last.n, last.says)
        return said if last.kind is EvidenceKind.CONFIRMED else None
    for kind in _RANK:
        said_something = [r for r in known if r.kind is kind and r.strength is not None]
        if said_something:
            best = said_something[-1]
            return best if is_over(best.strength or 0.0, threshold) else None
    return None


def weigh(source: str, target: str, rows: Iterable[Evidence], threshold: float) -> Edge | None:
    """The edge with the strength that severity and the breaking of cycles use; None: no edge."""
    best = best_evidence(rows, threshold)
    if best is None or best.strength is None:
        return None
    return Edge(source, target, best.strength, best.kind)


def collect(
    declared: Iterable[Edge], observed: Mapping[tuple[str, str], Observed]
) -> dict[tuple[str, str], list[Evidence]]:
    """All evidence by edge: the declared edges in their order, then others that were observed."""
    rows = {
        (e.source, e.target): [Evidence(e.kind, e.strength, says="The domain says so.")]
        for e in declared
    }
    for pair, seen in observed.items():
        if pair in rows or seen.found is Found.KEPT:
            n = seen.n_with + seen.n_without
            found = Evidence(EvidenceKind.OBSERVED, seen.strength, n, seen.sentence)
            rows.setdefault(pair, []).append(found)
    return rows
