"""Asking the checkpoints of earlier runs what builds on what."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.models import Evidence, Prerequisite, Run
from curriculum.services import audit, results
from curriculum.services.audit import Actor, require
from curriculum.states import RunStatus


@transaction.atomic
def look_back(run: Run, *, actor: Actor) -> str:
    """Put on record what the history says of each prerequisite; returns it in a sentence.

    What it says of other pairs is told and changes nothing: people add prerequisites. Looking
    again adds rows only where something else is seen.
    """
    require(
        run, RunStatus.DRAFT, RunStatus.REVIEWING_DIAGNOSIS, what="Earlier checkpoints can be asked"
    )
    history = engine.look_back(run)
    seen = {(edge.source, edge.target): edge for edge in history.edges}
    rows = run.prerequisites.select_related("source", "target").prefetch_related("evidence")
    known = {(row.source.key, row.target.key): row for row in rows}
    new = [
        Evidence(
            prerequisite=known[pair],
            kind="observed",
            strength=edge.strength,
            n=edge.n,
            reason=edge.says,
        )
        for pair, edge in seen.items()
        if pair in known and not _is_said(known[pair], edge)
    ]
    Evidence.objects.bulk_create(new)
    if new:
        results.keep_severities(run)
    others = [edge for pair, edge in seen.items() if edge.holds and pair not in known]
    says = _sentence(history, len(new), others)
    became: dict[str, Any] = {
        "runs": history.n_runs,
        "checkpoints": history.n_rounds,
        "edges": {f"{i} → {j}": seen[i, j].strength for i, j in known if (i, j) in seen},
    }
    audit.write(run, actor=actor, action="run.observed", subject=run, became=became, note=says)
    return says


def _is_said(row: Prerequisite, edge: engine.Seen) -> bool:
    observed = [evidence for evidence in row.evidence.all() if evidence.kind == "observed"]
    return bool(observed) and observed[-1].reason == edge.says


def _sentence(history: engine.History, n_new: int, others: list[engine.Seen]) -> str:
    counted = (
        f"{history.n_rounds} checkpoints in {history.n_runs} runs of this student on this domain"
    )
    if not history.is_enough:
        return f"Not enough evidence: {counted}; {engine.ROUNDS_NEEDED} are needed at least."
    says = f"Looked at {counted}: " + (
        f"new evidence on {n_new} prerequisites." if n_new else "nothing new."
    )
    if others:
        pairs = ", ".join(f"{edge.source} → {edge.target}" for edge in others)
        says += f" It also speaks for {pairs}: add what you agree with."
    return says
