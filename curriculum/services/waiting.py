"""What a run waits for, and since when. Reads only; the pages' words for it are in `views.rail`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max, Q, QuerySet
from django.urls import reverse

from curriculum import access
from curriculum.models import AuditEntry, Job, Run, Stage
from curriculum.services import signers
from curriculum.states import ASIDE, JobKind, JobStatus, Role, RunStatus, StageStatus

WHO = {Role.REVIEWER: "a reviewer", Role.APPROVER: "an approver"}

# the entries a wait may begin with; work aside is nothing that a run waits for
_BEGIN = Q(
    action__in=[
        "run.created",
        *(f"run.{status}" for status in RunStatus),
        *(f"stage.{status}" for status in StageStatus),
    ]
) | Q(
    action__in=[f"job.{s}" for s in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.LOST)],
    became__kind__in=[kind for kind in JobKind if kind not in ASIDE],
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person with the role has to do, where."""

    run: Run
    what: str
    role: Role
    path: str
    stage: Stage | None = None

    @property
    def who(self) -> str:
        return WHO[self.role]

    def people(self) -> list[User]:
        """Who may do it: under the two-person rule not who had a hand in it."""
        able = access.people(self.run, self.role)
        is_gate = self.stage is not None and self.stage.status == StageStatus.DECIDING
        if self.stage is None or not is_gate or not self.stage.run.two_people:
            return list(able)
        parts = signers.parts([self.stage])[self.stage.pk]
        taken = {part.user_id for part in parts}
        return [user for user in able if user.pk not in taken]


def current_stage(run: Run, stages: Sequence[Stage], jobs: Sequence[Job]) -> Stage | None:
    """The stage somebody is at; else the first that waits to be opened. None but while the run
    teaches, and none once the report was asked for: what is planned then stays so on record.
    """
    if run.status != RunStatus.TEACHING or any(job.kind == JobKind.REPORT for job in jobs):
        return None
    open_stages = [s for s in stages if not s.is_settled]
    started = [s for s in open_stages if s.status != StageStatus.PLANNED]
    return next(iter(started or open_stages), None)


def current_job(run: Run, stage: Stage | None, jobs: Sequence[Job]) -> Job | None:
    """The job the run stands or falls with at the moment, or what people had done aside."""
    if run.status == RunStatus.REVIEWING_DIAGNOSIS:
        return next((job for job in jobs if job.is_active), None)  # one that failed holds up nobody
    kind, of = _work(run, stage)
    if kind is None:
        return None
    stage_pk, round_ = (of.pk, of.round) if of else (None, None)
    fitting = [
        job
        for job in jobs
        if job.kind == kind and job.stage_id == stage_pk and (round_ is None or job.round == round_)
    ]
    return max(fitting, key=lambda job: job.pk, default=None)


def _work(run: Run, stage: Stage | None) -> tuple[JobKind | None, Stage | None]:
    if run.status == RunStatus.DIAGNOSING:
        return JobKind.DIAGNOSE, None
    if run.status != RunStatus.TEACHING:
        return None, None
    if stage is None:
        return JobKind.REPORT, None
    kinds = {
        StageStatus.WRITING: JobKind.WRITE,
        StageStatus.TRAINING: JobKind.TRAIN,
        StageStatus.ASSESSING: JobKind.ASSESS,
    }
    return kinds.get(StageStatus(stage.status)), stage


def wanted(run: Run, stages: Sequence[Stage], jobs: Sequence[Job]) -> Wanted | None:
    """What the run waits for a person to do; None while a worker is at it, and at the end."""
    stage = current_stage(run, stages, jobs)
    job = current_job(run, stage, jobs)
    page = run.get_absolute_url()
    if job is not None and job.may_retry:
        return Wanted(run, f"retry: {job.get_kind_display()}", Role.REVIEWER, page)
    if job is not None and job.is_active:
        return None
    if stage is not None:
        return _wanted_in(run, stage, page)
    match RunStatus(run.status):
        case RunStatus.DRAFT:
            return Wanted(run, "start the diagnosis", Role.REVIEWER, page)
        case RunStatus.REVIEWING_DIAGNOSIS:
            path = reverse("curriculum:run-diagnosis", args=[run.pk])
            return Wanted(run, "review and sign the diagnosis", Role.APPROVER, path)
        case RunStatus.REVIEWING_CURRICULUM:
            path = reverse("curriculum:run-curriculum", args=[run.pk])
            return Wanted(run, "review and sign the curriculum", Role.APPROVER, path)
    return None


def _wanted_in(run: Run, stage: Stage, page: str) -> Wanted | None:
    name = f"stage {stage.position}"
    match StageStatus(stage.status):
        case StageStatus.PLANNED:
            return Wanted(run, f"start {name}", Role.REVIEWER, page, stage)
        case StageStatus.REVIEWING:
            path = reverse("curriculum:stage-review", args=[stage.pk])
            return Wanted(run, f"review the items of {name}", Role.REVIEWER, path, stage)
        case StageStatus.DECIDING:
            path = reverse("curriculum:stage-gate", args=[stage.pk])
            return Wanted(run, f"sign the gate of {name}", Role.APPROVER, path, stage)
    return None


def begun(run: Run) -> AuditEntry | None:
    """The entry with which the run came to where it stands."""
    return AuditEntry.objects.filter(_BEGIN, run=run).order_by("sequence").last()


def since(runs: Iterable[Run]) -> dict[int, datetime]:
    """By run pk, when it came to where it stands. One query."""
    entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(_BEGIN, run__in=list(runs))
    return dict(entries.order_by().values_list("run").annotate(at=Max("at")))
