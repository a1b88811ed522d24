"""What the gate page shows beside the verdicts: what was kept over the run, and what one more
round would be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from curriculum import engine
from curriculum.models import Checkpoint, GateRecord, Run, Skill
from curriculum.views import lineage

SHADES = 5  # of what was lost, each 5 % of what it was; the last is open


# --- Retention over the run ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A skill that is behind at one gate, mastered or waived. `kept` is now/was; all None where it
    was being taught.
    """

    answer: str  # kept, unclear, forgotten; or what its own gate said of it
    kept: float | None = None
    was: float | None = None
    now: float | None = None
    n: int | None = None

    @property
    def shade(self) -> int:
        """0 where nothing was lost, up to SHADES."""
        return 0 if self.kept is None else shade(self.kept)


@dataclass(frozen=True, slots=True)
class Kept:
    """Skills down, gates across in the order in which they came. A cell is None where the skill
    was not asked."""

    columns: list[tuple[GateRecord, bool]]  # with: it was rolled back
    rows: list[tuple[str, str, list[Cell | None]]]  # key, title, cells
    waived: set[str]  # keys of rows


def shade(kept: float) -> int:
    lost = 1.0 - kept
    if lost <= 1e-9:
        return 0
    return min(SHADES, math.ceil(lost / 0.05 - 1e-9))


def retention(run: Run) -> Kept:
    """Every skill that a gate asked again, at every gate of the run. Three queries."""
    on_the_way = lineage.kept(Checkpoint.objects.filter(run=run))
    gates = list(
        GateRecord.objects.filter(stage__run=run).select_related("stage").order_by("checkpoint_id")
    )
    titles = dict(Skill.objects.filter(run=run).values_list("key", "title"))
    cells = [_cells(gate.evidence) for gate in gates]
    asked = {verdict["skill"] for gate in gates for verdict in _asked_again(gate.evidence)}
    return Kept(
        [(gate, gate.checkpoint_id not in on_the_way) for gate in gates],
        [
            (key, titles.get(key, ""), [column.get(key) for column in cells])
            for key in [*(k for k in titles if k in asked), *sorted(asked - titles.keys())]
        ],
        {v["skill"] for gate in gates for v in gate.evidence.get("waived", [])},
    )


def _cells(evidence: dict[str, Any]) -> dict[str, Cell]:
    found = {v["skill"]: Cell(str(v["answer"])) for v in evidence.get("stage", [])}
    for v in _asked_again(evidence):
        kept = v["now"] / v["was"] if v["was"] else None
        said = v.get("since", v["answer"])  # of what was waived, and of what was mastered
        found[v["skill"]] = Cell(str(said), kept, v["was"], v["now"], v["n"])
    return found


def _asked_again(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    return [*evidence.get("retention", []), *evidence.get("waived", [])]


# --- One more round ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ahead:
    """The round that a remedy would begin: its mixture, its cost, what may come of it."""

    planned: engine.NextRound
    mixture: list[dict[str, Any]]  # as `stage_reads.mixture` has them
    gains: list[dict[str, Any]]  # key, n, now, sits, guess; no ratio of what was forgotten
    stalled: str = ""  # why policy would ask for no other, see decision 19


def ahead(gate: GateRecord) -> Ahead | None:
    """None where the budget leaves no item for it."""
    planned = engine.next_round(gate)
    if planned is None:
        return None
    titles = dict(Skill.objects.filter(run=gate.stage.run_id).values_list("key", "title"))
    dealt = [(False, planned.new), (True, planned.rehearsal)]
    return Ahead(
        planned,
        [
            {
                "key": key,
                "title": titles.get(key, ""),
                "is_rehearsal": is_rehearsal,
                "is_beside": not is_rehearsal and key in planned.beside,
                "n": n,
                "share": n / planned.n_items,
            }
            for is_rehearsal, counts in dealt
            for key, n in counts.items()
            if n
        ],
        [
            {
                "key": key,
                "n": n,
                "now": planned.now.get(key),
                "sits": key in planned.mastered,
                "guess": planned.expected.get(key),
            }
            for key, n in planned.new.items()
            if n and key not in planned.beside
        ],
        engine.stalled(gate),
    )
