"""Some of a domain's skills: what they build on among themselves, and what they lack."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from distill.domains.base import Domain
from distill.errors import DomainError
from distill.records import Edge, Skill

NAMED = 3  # skills in a sentence


def part_of(domain: Domain, skills: Collection[str]) -> tuple[list[Skill], list[Edge]]:
    """The skills named, all where none is, in the domain's order; and what they build on among
    themselves, see `edges_among`.

    Raises DomainError for a skill that the domain does not have.
    """
    known = {s.id for s in domain.skills}
    wanted = set(skills) or known
    if unknown := sorted(wanted - known):
        raise DomainError(f"{domain.title} has no skill “{unknown[0]}”.")
    return [s for s in domain.skills if s.id in wanted], edges_among(domain.edges(), wanted)


def edges_among(edges: Sequence[Edge], wanted: Collection[str]) -> list[Edge]:
    """The edges between the skills wanted. Over skills that are left out one builds on the other
    directly, as strongly as the weakest edge on the way; an edge that there is goes before.

    In the order of the edges' targets, nearest first. Pure. O(S · E).

    >>> chain = [Edge("A1", "A2"), Edge("A2", "A3", strength=0.5)]
    >>> [(e.source, e.target, e.strength) for e in edges_among(chain, {"A1", "A3"})]
    [('A1', 'A3', 0.5)]
    """
    into = _into(edges)
    found: dict[tuple[str, str], Edge] = {}
    for target in into:
        if target not in wanted:
            continue
        on, passed = list(into[target]), {target}
        for edge in on:  # grows while it is walked
            if edge.source in wanted:
                if edge.source != target:
                    found.setdefault((edge.source, target), edge)
            elif edge.source not in passed:
                passed.add(edge.source)
                on += [
                    Edge(e.source, target, min(e.strength, edge.strength), e.kind)
                    for e in into.get(edge.source, ())
                ]
    return list(found.values())


def lacking(edges: Iterable[Edge], wanted: Collection[str]) -> dict[str, tuple[str, ...]]:
    """For each skill wanted what it builds on directly and is not wanted; only where there is
    such. Pure.
    """
    missing: dict[str, tuple[str, ...]] = {}
    for edge in edges:
        if edge.target in wanted and edge.source not in wanted:
            missing[edge.target] = (*missing.get(edge.target, ()), edge.source)
    return missing


def with_prerequisites(edges: Sequence[Edge], wanted: Iterable[str]) -> set[str]:
    """The skills wanted, and all that they build on, directly or not. Pure."""
    into, all_of_them = _into(edges), set(wanted)
    left = list(all_of_them)
    while left:
        new = {edge.source for edge in into.get(left.pop(), ())} - all_of_them
        all_of_them |= new
        left += new
    return all_of_them


def told(missing: Mapping[str, Sequence[str]]) -> str:
    """What is `lacking`, in words for a person; "" where nothing is. Pure.

    >>> told({"X1": ["A3"], "W2": ["W1", "M1"]})
    'X1 builds on A3, W2 on W1 and M1: what is not chosen is neither measured nor taught.'
    """
    if not missing:
        return ""
    (first, on), *others = missing.items()
    said = [f"{first} builds on {_listed(on)}"]
    said += [f"{skill} on {_listed(on)}" for skill, on in others[: NAMED - 1]]
    if more := len(missing) - len(said):
        said.append(f"and {more} more on others")
    return f"{', '.join(said)}: what is not chosen is neither measured nor taught."


def _listed(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _into(edges: Iterable[Edge]) -> dict[str, list[Edge]]:
    """By target."""
    found: dict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        found[edge.target].append(edge)
    return dict(found)
