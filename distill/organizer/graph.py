"""The prerequisite graph: cycles, what builds on what. networkx underneath."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from distill.records import Edge


def build(skills: Iterable[str], edges: Iterable[Edge]) -> nx.DiGraph:
    """A graph of skills with the edges whose both ends are among them. O(S + E)."""
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(sorted(skills))
    for edge in edges:
        if edge.source in graph and edge.target in graph:
            graph.add_edge(edge.source, edge.target, strength=edge.strength)
    return graph


def find_cycle(edges: Iterable[Edge]) -> list[str]:
    """The skills of one cycle, first one repeated at the end; [] when there is none."""
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_edges_from(sorted((e.source, e.target) for e in edges))
    try:
        found = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return []
    return [source for source, _ in found] + [found[0][0]]


def without_cycles(edges: Iterable[Edge]) -> tuple[list[Edge], list[Edge]]:
    """Break every cycle at its weakest edge: (kept, in the order given; removed, as they fell).

    Ties go by name, so that the same edge falls in every process.
    """
    kept = list(edges)
    removed: list[Edge] = []
    while cycle := find_cycle(kept):
        ring = set(zip(cycle, cycle[1:], strict=False))
        weakest = min(
            (e for e in kept if (e.source, e.target) in ring),
            key=lambda e: (e.strength, e.source, e.target),
        )
        kept.remove(weakest)
        removed.append(weakest)
    return kept, removed
