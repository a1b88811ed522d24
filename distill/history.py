"""The checkpoints of earlier runs, from their folders: what observed edges are found in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from distill.diagnosis import BASE, TEACHER
from distill.errors import DistillError
from distill.identifier.edges import Checkpoint
from distill.journal import LEDGER, Journal
from distill.records import Split


def read(folders: Iterable[Path], *, domain: str, student: str) -> list[Checkpoint]:
    """Every checkpoint of some runs of `ioa distil`, the untaught student first in each.

    domain: its id, a space, and its version. The scores of a checkpoint are those of its gate, of
    the untaught student those of the diagnosis; a round that was not assessed is left out.

    Raises `DistillError` for a folder without a run, or with one of another student or domain:
    Eq. 3 compares one student with itself.
    """
    found: list[Checkpoint] = []
    for folder in folders:
        if not (folder / LEDGER).is_file():
            raise DistillError(f"{folder} holds no run.")
        journal = Journal(folder, resume=True)
        was = journal.identity()
        if (was.get("student"), was.get("domain")) != (student, domain):
            raise DistillError(
                f"{folder} holds a run of {was.get('student')} on {was.get('domain')}, and not of "
                f"{student} on {domain}: its checkpoints say nothing here."
            )
        found += checkpoints(journal, str(folder))
    return found


def checkpoints(journal: Journal, run: str) -> list[Checkpoint]:
    """The checkpoints of one run, from its journal."""
    p_teacher = _means(journal.grades(TEACHER, Split.DIAGNOSE))
    base = _means(journal.grades(BASE, Split.DIAGNOSE))
    found = [Checkpoint(run, 0, frozenset(), base, _ratios(base, p_teacher))]
    taught: set[str] = set()
    for number, key in enumerate(journal.checkpoints(), 1):
        taught |= {item.skill for item in journal.clean_items(of=key)}
        scores = _means(journal.grades(key, Split.GATE))
        if scores:
            ratios = _ratios(scores, p_teacher)
            found.append(Checkpoint(run, number, frozenset(taught), scores, ratios))
            taught = set()
    return found


def _means(grades: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {k: sum(g.values()) / len(g) for k, g in grades.items() if g}


def _ratios(scores: Mapping[str, float], p_teacher: Mapping[str, float]) -> dict[str, float]:
    return {k: p / p_teacher[k] for k, p in scores.items() if p_teacher.get(k)}
