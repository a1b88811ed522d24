"""Probing on where the diagnosis is unclear, while people review it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from curriculum import engine
from curriculum.errors import BadSettings, NothingToAsk
from curriculum.models import Job, Run
from curriculum.services import audit, jobs, results
from curriculum.services.audit import Actor, require
from curriculum.states import JobKind, RunStatus

_FIGURES = ("key", "gap", "gap_low", "gap_high", "is_deficient", "is_teachable", "severity")


@transaction.atomic
def probe_more(run: Run, *, actor: Actor, width: float, skills: Sequence[str] = ()) -> Job:
    """Have teacher and student asked on until the interval of each gap is at most `width` wide
    (0..1), or no probe is left: of the skills named, of all that need it when none is.
    """
    if not 0 < width <= 1:
        raise BadSettings("The width of an interval is above 0 and at most 1.")
    require(run, RunStatus.REVIEWING_DIAGNOSIS, what="Further probes can be asked")
    unclear = engine.unclear(run, width, skills)
    if not unclear:
        raise NothingToAsk(width)
    asked = {"skills": unclear, "width": width}
    return jobs.create_aside(run, actor=actor, kind=JobKind.PROBE, asked=asked)


@transaction.atomic
def probed(run: Run, *, actor: Actor, diagnosis: engine.Diagnosis) -> Run:
    """Take what was measured into the diagnosis. Titles, edges and who is retired stay as they
    are: people may have changed them meanwhile.
    """
    require(run, RunStatus.REVIEWING_DIAGNOSIS, what="Further probes count")
    keys = {score.skill.key for score in diagnosis.scores}
    was = _figures(run, keys)
    results.keep_scores(diagnosis.scores)
    results.keep_diagnosis(run, diagnosis.skills)
    became = _figures(run, keys)
    audit.write(run, actor=actor, action="run.probed", subject=run, was=was, became=became)
    return run


def _figures(run: Run, keys: set[str]) -> dict[str, Any]:
    rows = run.skills.filter(key__in=keys).values(*_FIGURES)
    return {"skills": {row.pop("key"): row for row in rows}}
