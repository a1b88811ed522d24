"""The checkpoints of earlier runs, from their folders: what observed edges are found in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from pathlib import Path

from distill.decisions import Decision
from distill.diagnosis import BASE, TEACHER
from distill.errors import DistillError
from distill.identifier.edges import Checkpoint
from distill.journal import LEDGER, Journal
from distill.organizer.footing import footing
from distill.records import Split
from distill.verdicts import GateEvidence


def read(folders: Iterable[Path], *, domain: str, student: str) -> list[Checkpoint]:
    """Every checkpoint of some runs of `ioa distil`, see `checkpoints`.

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
    """The checkpoints of one run, from its journal, in lines in which each builds on the one
    before (docs/decisions/0013).

    A line ends with a round that was given up. The next begins, as number 0 and under a name of
    its own, with the student that the run went back to, and with what was last known of it. What
    a round that was not assessed taught counts to the next.
    """
    p_teacher = _means(journal.grades(TEACHER, Split.DIAGNOSE))
    base = _means(journal.grades(BASE, Split.DIAGNOSE))
    # what is known of each student: the first of a line, should one begin with it
    known = {BASE: Checkpoint(run, 0, frozenset(), base, _ratios(base, p_teacher))}
    unseen: dict[str, frozenset[str]] = {BASE: frozenset()}  # taught since it was assessed
    found, line, number, last = [known[BASE]], run, 0, BASE
    for key, parent in _parents(journal).items():
        if parent != last:
            line, number = f"{run}, {key}", 0
            found.append(replace(known[parent], run=line))
        number, last = number + 1, key
        was = known[parent]
        taught = unseen[parent] | {item.skill for item in journal.clean_items(of=key)}
        scores = _means(journal.grades(key, Split.GATE))
        if not scores:
            known[key], unseen[key] = was, taught
            continue
        ratios = _ratios(scores, p_teacher)
        found.append(Checkpoint(line, number, taught, scores, ratios))
        known[key] = Checkpoint(
            run,
            0,
            frozenset(),
            _since(was.scores, taught, scores),
            _since(was.ratios, taught, ratios),
        )
        unseen[key] = frozenset()
    return found


def _parents(journal: Journal) -> dict[str, str]:
    """Each checkpoint, in their order, and the one it was trained on from: as the run went."""
    parents: dict[str, str] = {}
    at = BASE
    for key in journal.checkpoints():
        parents[key], at = at, key
        stage, _, nth = key.rpartition("r")
        gates = journal.gates(f"{stage}r")[: int(nth) + 1]
        if len(gates) > int(nth) and gates[-1][0] in (Decision.REMEDY, Decision.WAIVE):
            rounds = [GateEvidence.of(evidence) for _, evidence in gates]
            at = f"{stage}r{footing(rounds).at}"
    return parents


def _since(
    was: Mapping[str, float], taught: Set[str], now: Mapping[str, float]
) -> dict[str, float]:
    """A skill that was not asked is as it was, unless it was taught since: then nobody knows."""
    return {k: value for k, value in was.items() if k not in taught} | dict(now)


def _means(grades: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {k: sum(g.values()) / len(g) for k, g in grades.items() if g}


def _ratios(scores: Mapping[str, float], p_teacher: Mapping[str, float]) -> dict[str, float]:
    return {k: p / p_teacher[k] for k, p in scores.items() if p_teacher.get(k)}
