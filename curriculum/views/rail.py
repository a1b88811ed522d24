"""Where a run stands: the steps of its rail, and the one thing to do next, by whom.

Pure over a run whose stages and jobs are loaded (`reads.runs_with_work`): costs no query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.urls import reverse

from curriculum.models import Job, Run, Stage
from curriculum.services.waiting import WHO, current_job, current_stage
from curriculum.states import Autonomy, JobKind, JobStatus, Role, RunStatus, StageStatus, Verdict

_TO_REVIEW = "Every item needs a verdict before training."


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    state: str  # done, waived, current, todo
    note: str = ""
    url: str = ""

    @property
    def glyph(self) -> str:
        return {"done": "●", "waived": "◍", "current": "◐"}.get(self.state, "○")


@dataclass(frozen=True, slots=True)
class NextAction:
    """`url` empty: nothing for a person to press. `is_post`: a form with one button."""

    label: str
    hint: str = ""
    url: str = ""
    is_post: bool = False
    role: Role | None = None  # that it takes
    who: str = "nobody"

    def is_for(self, role: Role | None) -> bool:
        """Whether somebody with this role in the run can do it."""
        return bool(self.url and self.role and role and role >= self.role)


def steps(run: Run, stages: Sequence[Stage]) -> list[Step]:
    order = list(RunStatus)
    at = order.index(RunStatus(run.status))
    is_stopped = run.status == RunStatus.STOPPED

    def state(first: RunStatus, last: RunStatus) -> str:
        if is_stopped:
            return "todo"
        if at > order.index(last):
            return "done"
        return "current" if at >= order.index(first) else "todo"

    diagnosing = state(RunStatus.DRAFT, RunStatus.REVIEWING_DIAGNOSIS)
    organising = state(RunStatus.REVIEWING_CURRICULUM, RunStatus.REVIEWING_CURRICULUM)
    if is_stopped and stages:
        diagnosing = organising = "done"
    rail = [
        Step("Diagnose", diagnosing, url=reverse("curriculum:run-diagnosis", args=[run.pk])),
        Step("Organise", organising, url=reverse("curriculum:run-curriculum", args=[run.pk])),
    ]
    for stage in stages:
        rail.append(
            Step(
                f"Stage {stage.position}",
                _stage_state(stage),
                "" if stage.status == StageStatus.PLANNED else stage.get_status_display(),
                stage.get_absolute_url(),
            )
        )
    is_finished = run.status == RunStatus.FINISHED
    report = reverse("curriculum:run-report", args=[run.pk]) if is_finished else ""
    rail.append(Step("Report", "done" if is_finished else "todo", url=report))
    return rail


def _stage_state(stage: Stage) -> str:
    if stage.status == StageStatus.WAIVED:
        return "waived"
    if stage.is_settled:
        return "done"
    return "todo" if stage.status == StageStatus.PLANNED else "current"


def next_action(run: Run, stages: Sequence[Stage], jobs: Sequence[Job]) -> NextAction:
    if run.origin is not None:
        return NextAction("", "The record of a run made elsewhere: nothing in it can be changed.")
    stage = current_stage(run, stages, jobs)
    job = current_job(run, stage, jobs)
    if job is not None and job.may_retry:
        return NextAction(
            f"Retry: {job.get_kind_display()}",
            f"The last attempt {ended(job)}. A retry continues where it stopped.",
            reverse("curriculum:job-retry", args=[job.pk]),
            is_post=True,
            role=Role.REVIEWER,
            who=WHO[Role.REVIEWER],
        )
    if job is not None and job.is_active:
        return _watch(job)
    if stage is not None:
        return _stage_action(stage)
    return _run_action(run)


def ended(job: Job) -> str:
    """How a job that may be retried came to its end, behind “the attempt”."""
    return {
        JobStatus.FAILED: "failed",
        JobStatus.CANCELLED: "was cancelled",
        JobStatus.LOST: "lost its worker",
    }[JobStatus(job.status)]


def _watch(job: Job) -> NextAction:
    if job.kind == JobKind.TRAIN and job.stage_id:
        url = reverse("curriculum:stage-training", args=[job.stage_id])
        return NextAction("Watch the training", url=url, who="a worker")
    if job.status == JobStatus.QUEUED:
        return NextAction("", f"Queued: {job.get_kind_display()}.", who="a worker")
    return NextAction("", f"A worker is at it: {job.get_kind_display()}.", who="a worker")


def _run_action(run: Run) -> NextAction:
    def url(name: str) -> str:
        return reverse(f"curriculum:{name}", args=[run.pk])

    match RunStatus(run.status):
        case RunStatus.DRAFT:
            return NextAction(
                "Start the diagnosis",
                "Teacher and student answer the same probes, skill by skill.",
                url("run-diagnose"),
                is_post=True,
                role=Role.REVIEWER,
                who=WHO[Role.REVIEWER],
            )
        case RunStatus.REVIEWING_DIAGNOSIS:
            return NextAction(
                "Review the diagnosis",
                "Then sign it: the stages are planned from what it says.",
                url("run-diagnosis"),
                role=Role.APPROVER,
                who=WHO[Role.APPROVER],
            )
        case RunStatus.REVIEWING_CURRICULUM:
            return NextAction(
                "Review the curriculum",
                "Then sign it: teaching starts with its first stage.",
                url("run-curriculum"),
                role=Role.APPROVER,
                who=WHO[Role.APPROVER],
            )
        case RunStatus.FINISHED:
            return NextAction("Read the report", url=url("run-report"))
        case RunStatus.STOPPED:
            return NextAction("", "This run was stopped. Its records stay.")
    return NextAction("", "Work is about to be queued.", who="a worker")


def _stage_action(stage: Stage) -> NextAction:
    name = f"stage {stage.position}"
    match StageStatus(stage.status):
        case StageStatus.PLANNED:
            return NextAction(
                f"Start {name}",
                "Items are written for the student as it is now.",
                reverse("curriculum:stage-open", args=[stage.pk]),
                is_post=True,
                role=Role.REVIEWER,
                who=WHO[Role.REVIEWER],
            )
        case StageStatus.REVIEWING:
            is_done = _all_have_a_verdict(stage)
            role = Role.APPROVER if is_done else Role.REVIEWER
            return NextAction(
                f"Train {name}" if is_done else f"Review the items of {name}",
                _before_training(stage.run) if is_done else _TO_REVIEW,
                reverse("curriculum:stage-review", args=[stage.pk]),
                role=role,
                who=WHO[role],
            )
        case StageStatus.DECIDING:
            return NextAction(
                "Decide at the gate",
                f"The evidence on {name} is in.",
                reverse("curriculum:stage-gate", args=[stage.pk]),
                role=Role.APPROVER,
                who=WHO[Role.APPROVER],
            )
    return NextAction("", f"Work on {name} is about to be queued.", who="a worker")


def _before_training(run: Run) -> str:
    if run.autonomy == Autonomy.EVERY_GATE:
        return "Every item has its verdict: look over what is approved, and train on it."
    return (
        "Every item has its verdict. Policy does not train on those of people: they can be taken "
        "back until somebody does."
    )


def _all_have_a_verdict(stage: Stage) -> bool:
    """Of a stage that comes from a list, as the list found it: no query for each."""
    found: bool | None = getattr(stage, "all_decided", None)
    if found is not None:
        return found
    waiting = Count("pk", filter=Q(verdict=Verdict.WAITING))
    n = stage.items.filter(round=stage.round).aggregate(all=Count("pk"), waiting=waiting)
    return bool(n["all"]) and not n["waiting"]


def is_live(run: Run, jobs: Sequence[Job], action: NextAction) -> bool:
    """Whether the page should look again by itself: somebody other than a person moves next."""
    if run.is_over:
        return False
    if any(job.is_active for job in jobs):
        return True
    if run.autonomy == Autonomy.NONE:  # policy decides between two jobs, unless one is stuck
        return not (action.is_post and action.label.startswith("Retry"))
    return action.who == "a worker"
