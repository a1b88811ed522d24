"""The versions of a curriculum, as the audit log has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from curriculum import engine
from curriculum.models import AuditEntry, Run, Stage
from curriculum.services import audit, replanning
from curriculum.states import RunStatus
from curriculum.views.differences import Plan, differences

PLANNED = f"run.{RunStatus.REVIEWING_CURRICULUM}"
REOPENED = f"run.{RunStatus.REVIEWING_DIAGNOSIS}"
SIGNED = f"run.{RunStatus.TEACHING}"
CHANGED = (
    "skill.moved",
    "stage.split",
    "stage.merged",
    "stage.reordered",
    "stage.restored",
    "run.replanned",
    "run.rest_replanned",
)
KEPT = "run.rest_kept"
LABELS = audit.ACTIONS | {PLANNED: "planned from the diagnosis", SIGNED: "curriculum signed"}


@dataclass(frozen=True, slots=True)
class Version:
    """One change of the plan, or a signature under the version there was, or its being kept."""

    number: int
    entry: AuditEntry
    label: str
    says: list[str]
    ended_by: int | None = None  # the entry that changed it, before which one can go back

    @property
    def what(self) -> str:
        said = {SIGNED: "Signed as version", KEPT: "Kept as version"}
        return f"{said.get(self.entry.action, 'Version')} {self.number}"


def versions(run: Run, stages: Sequence[Stage]) -> list[Version]:
    """Every version of the plan, the last first. `stages`: as they stand, with skills. One query.

    Where stages are planned from the diagnosis, the log has no plan: it is the one that the next
    entry changes, signs or gives up, or the one that stands now.
    """
    entries = AuditEntry.objects.filter(
        run=run, action__in=[PLANNED, REOPENED, SIGNED, KEPT, *CHANGED]
    ).order_by("sequence")
    noted = [each for each in entries if each.action != REOPENED or "stages" in each.evidence]
    now = [{"skills": [row.skill.key for row in stage.stage_skills.all()]} for stage in stages]
    found: list[Version] = []
    number, before = 0, _stages({})
    for entry, behind in zip_longest(noted, noted[1:]):
        if entry.action == REOPENED:
            continue
        after = _after(entry, behind, now)
        number += entry.action not in (SIGNED, KEPT)
        if not after:
            says = ["which stages these were is not on record"]
        elif entry.action == SIGNED:
            says = [f"{len(after)} stage{'' if len(after) == 1 else 's'}, as they stand"]
        elif entry.action == KEPT:
            says = [f"not done: {s}" for s in differences(after, entry.evidence["proposed"])]
        else:
            says = differences(before, after) or ["the same stages as before"]
        is_plan = entry.action not in (SIGNED, KEPT)
        ended = _ended_by(noted, entry) if is_plan and after else None
        found.append(Version(number, entry, LABELS[entry.action], says, ended))
        before = after or before
    return found[::-1]


def _ended_by(noted: Sequence[AuditEntry], entry: AuditEntry) -> int | None:
    """The entry that made another version of this one, if it says what the stages were."""
    later = (e for e in noted if e.sequence > entry.sequence and e.action not in (SIGNED, KEPT))
    following = next(later, None)
    if following is None or following.action not in CHANGED or not _stages(following.was):
        return None
    return following.sequence


def _after(entry: AuditEntry, behind: AuditEntry | None, now: Plan) -> Plan:
    """The plan as this entry left it; empty where the log does not say."""
    if entry.action in CHANGED:
        return _stages(entry.became)
    if entry.action in (SIGNED, KEPT):
        return _stages(entry.evidence)
    if behind is None:
        return now
    return _stages(behind.was) or _stages(behind.evidence)


def _stages(content: dict[str, Any]) -> Plan:
    found: Plan = content.get("stages", [])
    return found


# --- What is left, planned again ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another plan of what has not begun, in sentences, and the figures it stands on."""

    rest: engine.Rest
    says: list[str]
    measured: list[tuple[str, float, float, bool]]  # key, at the diagnosis, since, sits by now


def proposal(run: Run, stages: Sequence[Stage]) -> Proposal | None:
    """What `services.replanning` proposes, told; `stages` as they stand, with skills."""
    rest = replanning.proposal(run)
    if rest is None:
        return None
    now = [{"skills": [row.skill.key for row in stage.stage_skills.all()]} for stage in stages]
    then = now[: rest.n_kept] + [{"skills": keys} for _, _, _, keys in rest.stages]
    told = differences(now, then)
    says = told + [notice for notice in rest.notices if notice not in run.notices]
    measured = [(k, was, is_, k in rest.left) for k, (was, is_) in rest.measured.items()]
    return Proposal(rest, says or ["A stage no longer begins with smaller instances."], measured)
