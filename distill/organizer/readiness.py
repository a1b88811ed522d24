"""Eq. 7: what can be taught once earlier stages sit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import networkx as nx

from distill.errors import CyclicPrerequisites
from distill.organizer.graph import build, find_cycle
from distill.records import Edge
from distill.statistics import is_over


def grouped(skills: Mapping[str, float], edges: Iterable[Edge], *, span: float) -> list[list[str]]:
    """Groups in teaching order: every prerequisite of a skill lies in an earlier group.

    Each group is the easiest skill that is ready, with every other that is ready and at most
    `span` harder; so that a skill which is too hard for its own layer waits for the next group,
    and one whose prerequisites sit early does not wait for the rest of their layer.

    skills: name -> difficulty in 0..1. Edges with an end outside `skills` count for nothing: what
    is not taught is taken as known. Within a group the easier first, ties by name. Pure.
    O(groups · S + E).

    Raises `CyclicPrerequisites`. Source: He et al. 2026, Eq. 7-8; docs/decisions/0007.

    >>> grouped({"add": 0.5, "list": 0.9, "mul": 0.9}, [Edge("add", "mul")], span=0.15)
    [['add'], ['list', 'mul']]
    """
    edges = list(edges)
    graph: nx.DiGraph[str] = build(skills, edges)
    groups: list[list[str]] = []
    while graph:
        ready = sorted((k for k, n in graph.in_degree() if not n), key=lambda k: (skills[k], k))
        if not ready:
            raise CyclicPrerequisites(find_cycle(edges))
        easiest = skills[ready[0]]
        groups.append([k for k in ready if not is_over(skills[k] - easiest, span)])
        graph.remove_nodes_from(groups[-1])
    return groups


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
