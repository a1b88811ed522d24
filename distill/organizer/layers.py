"""Eq. 7: what can be taught once earlier layers sit."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from distill.errors import CyclicPrerequisites
from distill.organizer.graph import build, find_cycle
from distill.records import Edge


def layers(skills: Iterable[str], edges: Iterable[Edge]) -> list[list[str]]:
    """Topological layers of `skills`: every prerequisite lies in an earlier layer.

    Edges with an end outside `skills` count for nothing: what is not taught is taken as known.
    Names are sorted within a layer. Pure. O(S log S + E).

    Raises `CyclicPrerequisites`. Source: He et al. 2026, Eq. 7.

    >>> layers(["mul", "add"], [Edge("add", "mul")])
    [['add'], ['mul']]
    """
    edges = list(edges)
    graph = build(skills, edges)
    try:
        return [sorted(layer) for layer in nx.topological_generations(graph)]
    except nx.NetworkXUnfeasible as exc:
        raise CyclicPrerequisites(find_cycle(edges)) from exc


def needed(
    targets: Iterable[str], weak: Iterable[str], edges: Iterable[Edge]
) -> tuple[list[str], list[str]]:
    """The targets and the weak prerequisites they stand on: (all to teach, pulled in), sorted.

    `weak` are skills that are neither mastered nor targeted but could be taught. One is pulled
    in when a skill to teach builds on it, directly or through other weak ones.
    """
    chosen = set(targets)
    candidates = set(weak) - chosen
    edges = list(edges)
    pulled: set[str] = set()
    while new := {e.source for e in edges if e.target in chosen} & candidates - chosen:
        chosen |= new
        pulled |= new
    return sorted(chosen), sorted(pulled)
