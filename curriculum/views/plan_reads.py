"""The versions of a curriculum, as the audit log has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from curriculum.models import AuditEntry, Run, Stage
from curriculum.services import audit
from curriculum.states import RunStatus
from curriculum.views.differences import Plan, differences

PLANNED = f"run.{RunStatus.REVIEWING_CURRICULUM}"
REOPENED = f"run.{RunStatus.REVIEWING_DIAGNOSIS}"
SIGNED = f"run.{RunStatus.TEACHING}"
CHANGED = ("skill.moved", "stage.split", "stage.merged", "stage.reordered", "run.replanned")
LABELS = audit.ACTIONS | {PLANNED: "planned from the diagnosis", SIGNED: "curriculum signed"}


@dataclass(frozen=True, slots=True)
class Version:
    """One change of the plan, or a signature under the version there was."""

    number: int
    entry: AuditEntry
    label: str
    says: list[str]

    @property
    def what(self) -> str:
        return f"{'Signed as version' if self.entry.action == SIGNED else 'Version'} {self.number}"


def versions(run: Run, stages: Sequence[Stage]) -> list[Version]:
    """Every version of the plan, the last first. `stages`: as they stand, with skills. One query.

    Where stages are planned from the diagnosis, the log has no plan: it is the one that the next
    entry changes, signs or gives up, or the one that stands now.
    """
    entries = AuditEntry.objects.filter(
        run=run, action__in=[PLANNED, REOPENED, SIGNED, *CHANGED]
    ).order_by("sequence")
    noted = [each for each in entries if each.action != REOPENED or "stages" in each.evidence]
    now = [{"skills": [row.skill.key for row in stage.stage_skills.all()]} for stage in stages]
    found: list[Version] = []
    number, before = 0, _stages({})
    for entry, behind in zip_longest(noted, noted[1:]):
        if entry.action == REOPENED:
            continue
        after = _after(entry, behind, now)
        number += entry.action != SIGNED
        if not after:
            says = ["which stages these were is not on record"]
        elif entry.action == SIGNED:
            says = [f"{len(after)} stage{'' if len(after) == 1 else 's'}, as they stand"]
        else:
            says = differences(before, after) or ["the same stages as before"]
        found.append(Version(number, entry, LABELS[entry.action], says))
        before = after or before
    return found[::-1]


def _after(entry: AuditEntry, behind: AuditEntry | None, now: Plan) -> Plan:
    """The plan as this entry left it; empty where the log does not say."""
    if entry.action in CHANGED:
        return _stages(entry.became)
    if entry.action == SIGNED:
        return _stages(entry.evidence)
    if behind is None:
        return now
    return _stages(behind.was) or _stages(behind.evidence)


def _stages(content: dict[str, Any]) -> Plan:
    found: Plan = content.get("stages", [])
    return found
