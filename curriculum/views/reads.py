"""What the pages show, read in a number of queries that does not grow with the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from curriculum import access, engine
from curriculum.models import (
    Answer,
    Checkpoint,
    Evidence,
    GateRecord,
    Item,
    Job,
    Prerequisite,
    Run,
    Skill,
    Snapshot,
    Stage,
    StageSkill,
)
from curriculum.services import signers
from curriculum.states import ENDED, JobStatus, StageStatus, Verdict
from curriculum.views import lineage, rail

ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


def runs_with_work() -> QuerySet[Run]:
    """Runs with their stages and jobs: what `rail` needs."""
    of_round = Item.objects.filter(stage=OuterRef("pk"), round=OuterRef("round"))
    stages = Stage.objects.order_by("position").annotate(
        all_decided=Exists(of_round) & ~Exists(of_round.filter(verdict=Verdict.WAITING))
    )
    return Run.objects.select_related("created_by").prefetch_related(
        Prefetch("stages", stages), "jobs"
    )


@dataclass(frozen=True, slots=True)
class RunRow:
    run: Run
    stages: list[Stage]
    jobs: list[Job]
    action: rail.NextAction
    job: Job | None

    @property
    def n_settled(self) -> int:
        return sum(stage.is_settled for stage in self.stages)

    @property
    def is_live(self) -> bool:
        return rail.is_live(self.run, self.jobs, self.action)

    @property
    def steps(self) -> list[rail.Step]:
        return rail.steps(self.run, self.stages)

    @property
    def stage(self) -> Stage | None:
        return rail.current_stage(self.run, self.stages, self.jobs)


def run_row(run: Run) -> RunRow:
    stages, jobs = list(run.stages.all()), list(run.jobs.all())
    action = rail.next_action(run, stages, jobs)
    stage = rail.current_stage(run, stages, jobs)
    return RunRow(run, stages, jobs, action, rail.current_job(run, stage, jobs))


def runs_seen_by(user: User | AnonymousUser) -> QuerySet[Run]:
    """Those with their work in which they have a role, and with that."""
    return access.with_roles(user, runs_with_work())


def waiting_rows(user: User | AnonymousUser, among: QuerySet[Run] | None = None) -> list[RunRow]:
    """Runs in which this person can do the next thing; of those in `among`, which they see."""
    seen = runs_seen_by(user) if among is None else among
    going = seen.filter(archived_at=None).exclude(status__in=ENDED)
    rows = [run_row(run) for run in going]
    for_me = runs_for(user, rows)
    return [row for row in rows if row.run.pk in for_me]


def runs_for(user: User | AnonymousUser, rows: Iterable[RunRow]) -> set[int]:
    """Of runs that they see, the pks of those in which this person can do the next thing. Two
    queries where a gate is under the two-person rule, else none.
    """
    able = [row for row in rows if row.action.is_for(access.known_role(user, row.run))]
    at_gate = [row.stage for row in able if row.stage and row.stage.status == StageStatus.DECIDING]
    barred = signers.barred(user, at_gate)
    return {row.run.pk for row in able if not row.stage or row.stage.pk not in barred}


def bar(user: User | AnonymousUser) -> dict[str, Any]:
    """The counts in the top bar, and the person's role in the installation."""
    if not user.is_authenticated:
        return {"waiting": 0, "active": 0, "failed": 0, "role": ""}
    seen = access.visible_runs(user)
    jobs = Job.objects.filter(run__archived_at=None, run__in=seen).aggregate(
        active=Count("pk", filter=Q(status__in=ACTIVE)),
        failed=Count(
            "pk",
            filter=Q(status__in=[JobStatus.FAILED, JobStatus.LOST]) & ~Q(run__status__in=ENDED),
        ),
    )
    role = access.house_role(user)
    return {"waiting": len(waiting_rows(user)), "role": role.label if role else "", **jobs}


def eta_seconds(job: Job) -> float | None:
    """Seconds left at the pace so far; None when there is no pace yet."""
    if job.status != JobStatus.RUNNING or not job.started_at or not job.done or not job.total:
        return None
    elapsed = ((job.heartbeat_at or timezone.now()) - job.started_at).total_seconds()
    return max(0.0, elapsed / job.done * (job.total - job.done))


def aside(row: RunRow, kind: str) -> dict[str, Any]:
    """The work under way, and the last of what people have asked for aside, if it ended early."""
    last = next((job for job in row.jobs if job.kind == kind), None)
    return {
        "row": row,
        "eta_seconds": eta_seconds(row.job) if row.job else None,
        "ended_early": last if last is not None and last.may_retry else None,
    }


def cost(run: Run) -> dict[str, Any]:
    """What the run has used up so far."""
    made = Checkpoint.objects.filter(run=run).aggregate(
        train_tokens=Sum("train_tokens"), train_seconds=Sum("seconds")
    )
    trained = {"items": Snapshot.objects.filter(stage__run=run).spent().n_items()}
    asked = Answer.objects.filter(probe__skill__run=run).aggregate(
        answers=Count("pk"),
        teacher_tokens=Sum("tokens", filter=Q(checkpoint=None)),
    )
    return {key: value or 0 for key, value in {**made, **trained, **asked}.items()}


def checkpoints(run: Run) -> lineage.Tree:
    """Every student of the run, with the decision at its gate. Two queries."""
    gates = GateRecord.objects.filter(stage__run=run).select_related("decided_by")
    return lineage.tree(
        list(Checkpoint.objects.filter(run=run).select_related("stage", "snapshot").order_by("pk")),
        {gate.checkpoint_id: gate for gate in gates},
    )


# --- Answers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wrong:
    """A wrong answer beside the reference, and the teacher's where it was asked."""

    question: str
    reference: str
    text: str
    teacher: str = ""
    error: str = ""


def answers_before(item: Item) -> tuple[QuerySet[Answer], int | None]:
    """Answers to `diagnose` probes of an item's skill that students had given when it was written,
    and the newest student among them, if any was asked. One query.
    """
    given = Answer.objects.filter(
        probe__skill=item.skill_id,
        probe__split="diagnose",
        checkpoint__isnull=False,
        created_at__lte=item.created_at,
    )
    return given, given.order_by("-checkpoint").values_list("checkpoint", flat=True).first()


def tried(item: Item) -> dict[str, str] | None:
    """What the student said to the very question of an item, as `wrong_answers` tells one."""
    if not item.said:
        return None
    return {"question": item.question, "text": item.said, "reference": item.answer}


def wrong_answers(
    run: Run, split: str, by: Q, *, skills: Iterable[int] | None = None, each: int = 3
) -> dict[int, list[Wrong]]:
    """Up to `each` answers graded below 1, by skill pk. Two queries."""
    answers = Answer.objects.filter(by, probe__skill__run=run, probe__split=split, grade__lt=1)
    if skills is not None:
        answers = answers.filter(probe__skill__in=list(skills))
    ranked = answers.annotate(
        rank=Window(RowNumber(), partition_by=[F("probe__skill")], order_by=["pk"])
    ).filter(rank__lte=each)
    chosen = list(ranked.select_related("probe"))
    said = dict(
        Answer.objects.filter(
            checkpoint=None, probe__in=[answer.probe_id for answer in chosen]
        ).values_list("probe", "text")
    )
    found: dict[int, list[Wrong]] = defaultdict(list)
    for answer in chosen:
        found[answer.probe.skill_id].append(
            Wrong(
                answer.probe.question,
                answer.probe.reference,
                answer.text,
                said.get(answer.probe_id, ""),
                answer.error,
            )
        )
    return found


def slips(run: Run, split: str, by: Q) -> dict[int, list[tuple[str, int]]]:
    """The kinds of errors in all wrong answers, by skill pk. One query."""
    answers = Answer.objects.filter(by, probe__skill__run=run, probe__split=split, grade__lt=1)
    return engine.slips(answers.select_related("probe").order_by("pk"))


# --- Graph and curriculum -----------------------------------------------------------------------


def edges(run: Run) -> list[Prerequisite]:
    return list(
        Prerequisite.objects.filter(run=run)
        .select_related("source", "target")
        .prefetch_related(Prefetch("evidence", Evidence.objects.select_related("actor")))
        .order_by("target__pk", "source__pk")
    )


def stages_with_skills(run: Run) -> list[Stage]:
    return list(
        Stage.objects.filter(run=run)
        .order_by("position")
        .prefetch_related(
            Prefetch("stage_skills", StageSkill.objects.select_related("skill").order_by("pk"))
        )
    )


def builds_on(run: Run) -> dict[int, list[str]]:
    """skill pk -> keys of its direct prerequisites."""
    found: dict[int, list[str]] = defaultdict(list)
    pairs = Prerequisite.objects.filter(run=run, is_active=True).values_list(
        "target", "source__key"
    )
    for target, source in pairs.order_by("source__pk"):
        found[target].append(source)
    return found


def keys(skills: Sequence[Skill]) -> str:
    return ", ".join(skill.key for skill in skills)
