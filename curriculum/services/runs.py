"""A run from draft to report. Only this module writes `Run.status`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.db import transaction
from django.utils import timezone

from curriculum import engine
from curriculum.errors import (
    EmptyWords,
    MoveRefused,
    NothingToTeach,
    Overtaken,
    ReasonRequired,
    RunOver,
    WrongMoment,
)
from curriculum.models import Checkpoint, Evidence, Prerequisite, Run, Skill, Stage
from curriculum.services import audit, deciding, jobs, membership, notices, plan, planned, policy
from curriculum.services.audit import Actor, require
from curriculum.states import (
    ASIDE,
    RUN_MOVES,
    SETTLED,
    Autonomy,
    JobKind,
    RunStatus,
    SkillStatus,
    StageStatus,
)


@transaction.atomic
def _move(
    run: Run,
    to: RunStatus,
    *,
    actor: Actor,
    note: str = "",
    evidence: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Run:
    """Give `run` the status `to`, if it still is as the caller saw it."""
    was = RunStatus(run.status)
    if to not in RUN_MOVES[was]:
        raise RunOver(was.label) if not RUN_MOVES[was] else MoveRefused("run", was.label, to.label)
    audit.write(
        run,
        actor=actor,
        action=f"run.{to}",
        subject=run,
        was={"status": was},
        became={"status": to},
        evidence=evidence,
        note=note,
        seen=was,
    )
    if not Run.objects.filter(pk=run.pk, status=was).update(status=to, **changes):
        raise Overtaken("This run")
    notices.tell(run, actor=actor)
    run.refresh_from_db()
    return run


@transaction.atomic
def create(
    *,
    actor: Actor,
    name: str,
    domain: str,
    teacher: str,
    student: str,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    autonomy: str = Autonomy.EVERY_GATE,
    two_people: bool = False,
    skills: Iterable[str] = (),
) -> Run:
    """Make a draft with the domain's skills and edges in it, and the untaught student."""
    if not name.strip():
        raise EmptyWords("name")
    deciding.require_fitting(autonomy, two_people=two_people)
    chosen = list(skills)
    described = engine.describe_domain(domain, chosen)
    engine.check_models(teacher, student)
    engine.check_written(domain, teacher, chosen)
    run = Run.objects.create(
        name=name.strip(),
        domain=domain,
        skill_filter=chosen,
        teacher=teacher,
        student=student,
        settings=engine.clean_settings({**engine.default_settings(), **(settings or {})}),
        seed=seed,
        autonomy=autonomy,
        two_people=two_people,
        version=_program_version(),
        created_by=actor.user,
    )
    Checkpoint.objects.create(run=run, is_current=True)
    rows = [
        Skill(
            run=run,
            key=skill.key,
            title=skill.title,
            statement=skill.statement,
            area=skill.area,
            level=skill.level,
            is_transfer=skill.is_transfer,
            examples=skill.examples,
        )
        for skill in described.skills
    ]
    Skill.objects.bulk_create(rows)
    by_key = {skill.key: skill for skill in rows}
    edges = [
        Prerequisite(run=run, source=by_key[source], target=by_key[target])
        for source, target in described.edges
    ]
    Prerequisite.objects.bulk_create(edges)
    Evidence.objects.bulk_create(
        Evidence(prerequisite=edge, kind="declared", strength=1.0) for edge in edges
    )
    role = membership.begin(run, actor=actor)
    audit.write(
        run,
        actor=actor,
        action="run.created",
        subject=run,
        became={
            "domain": domain,
            "teacher": teacher,
            "student": student,
            "settings": run.settings,
            "seed": seed,
            "autonomy": autonomy,
            "two_people": two_people,
            "skills": [skill.key for skill in rows],
            "maker": role.label if role else "",
        },
    )
    return run


@transaction.atomic
def diagnose(run: Run, *, actor: Actor) -> Run:
    """Probe teacher and student on every skill; again, when the diagnosis is under review."""
    run = _move(run, RunStatus.DIAGNOSING, actor=actor)
    jobs.require_idle(run)
    round = run.jobs.filter(kind=JobKind.DIAGNOSE).count()
    jobs.create(run, actor=actor, kind=JobKind.DIAGNOSE, round=round)
    return run


def diagnosed(run: Run, *, actor: Actor) -> Run:
    return _move(run, RunStatus.REVIEWING_DIAGNOSIS, actor=actor, evidence=_diagnosis_of(run))


@transaction.atomic
def sign_diagnosis(run: Run, *, actor: Actor, note: str = "", seen: str = "") -> Run:
    """Accept the diagnosis and plan the stages from it.

    seen: the number of the last entry of the run's log when the person looked; raises `Overtaken`
    where something has been changed since. Empty: whatever there is.
    """
    audit.require_going(run)  # from here on nobody else changes what is signed
    if seen and seen != str(Run.objects.get(pk=run.pk).audit_sequence):
        raise Overtaken("This diagnosis")
    evidence = _diagnosis_of(run)
    run = _move(run, RunStatus.REVIEWING_CURRICULUM, actor=actor, note=note, evidence=evidence)
    jobs.require_idle(run, kinds=[JobKind.PROBE, JobKind.TRIAL])  # they change what is signed
    plan.make(run)
    policy.act(run)
    run.refresh_from_db()
    return run


@transaction.atomic
def replan(run: Run, *, actor: Actor) -> Run:
    """Plan the stages again from the diagnosis; what people moved is given up."""
    require(run, RunStatus.REVIEWING_CURRICULUM, what="Stages can be planned again")
    was = {"stages": planned.stages_of(run)}
    plan.make(run)
    became = {"stages": planned.stages_of(run)}
    audit.write(run, actor=actor, action="run.replanned", subject=run, was=was, became=became)
    return run


@transaction.atomic
def sign_curriculum(run: Run, *, actor: Actor, note: str = "", seen: str = "") -> Run:
    """Accept the stages: teaching begins.

    seen: `planned.digest` of those that the person has looked at; raises `Overtaken` where they are
    others by now. Empty: whatever they are.
    """
    audit.require_going(run)  # from here on nobody else changes what is signed
    if not run.stages.exists():
        raise NothingToTeach
    planned.require_seen(run, seen)
    evidence = {"stages": planned.stages_of(run)}
    run = _move(run, RunStatus.TEACHING, actor=actor, note=note, evidence=evidence)
    policy.act(run)
    run.refresh_from_db()
    return run


@transaction.atomic
def back_to_diagnosis(run: Run, *, actor: Actor) -> Run:
    """Give up the stages: they are planned anew when the diagnosis is signed again."""
    audit.require_going(run)
    evidence = {"stages": planned.stages_of(run)}
    return _move(run, RunStatus.REVIEWING_DIAGNOSIS, actor=actor, evidence=evidence)


@transaction.atomic
def conclude(run: Run, *, actor: Actor, reason: str) -> Run:
    """Write the report now, with stages left untaught; they stay "planned" on record."""
    if not reason.strip():
        raise ReasonRequired("ending before every stage is settled")
    require(run, RunStatus.TEACHING, what="Teaching can be concluded")
    if begun := _under_way(run):
        raise WrongMoment(
            "Teaching can be concluded", "stages are settled or planned", begun.get_status_display()
        )
    if _is_concluded(run):
        raise Overtaken("This run")
    planned = {"planned": run.stages.filter(status=StageStatus.PLANNED).count()}
    audit.write(run, actor=actor, action="run.concluded", subject=run, became=planned, note=reason)
    jobs.create(run, actor=actor, kind=JobKind.REPORT)
    return run


def may_conclude(run: Run) -> bool:
    """Whether `conclude` lacks nothing but a reason."""
    is_taught = run.goes_on_in(RunStatus.TEACHING)
    return is_taught and _under_way(run) is None and not _is_concluded(run)


def _under_way(run: Run) -> Stage | None:
    return run.stages.exclude(status__in=[*SETTLED, StageStatus.PLANNED]).first()


def _is_concluded(run: Run) -> bool:
    return run.jobs.filter(kind=JobKind.REPORT).exists()


@transaction.atomic
def finish(run: Run, *, actor: Actor, report: Mapping[str, Any]) -> Run:
    """End the run. Work aside is cancelled before: nothing may come of it any more."""
    for job in jobs.active(run).filter(kind__in=ASIDE):
        with suppress(Overtaken), transaction.atomic():  # it has just ended by itself
            jobs.cancel(job, actor=actor)
    return _move(run, RunStatus.FINISHED, actor=actor, evidence=report, report=dict(report))


@transaction.atomic
def stop(run: Run, *, actor: Actor, reason: str) -> Run:
    """End the run for good. Its jobs are cancelled; everything made so far stays."""
    if not reason.strip():
        raise ReasonRequired("stopping a run")
    run = _move(run, RunStatus.STOPPED, actor=actor, note=reason)
    for job in jobs.active(run):
        jobs.cancel(job, actor=actor)
    run.refresh_from_db()
    return run


def archive(run: Run, *, actor: Actor) -> Run:
    return _shelve(run, actor=actor, action="run.archived", is_archived=True)


def unarchive(run: Run, *, actor: Actor) -> Run:
    return _shelve(run, actor=actor, action="run.unarchived", is_archived=False)


@transaction.atomic
def _shelve(run: Run, *, actor: Actor, action: str, is_archived: bool) -> Run:
    audit.write(run, actor=actor, action=action, subject=run)
    seen = Run.objects.filter(pk=run.pk, archived_at__isnull=is_archived)
    if not seen.update(archived_at=timezone.now() if is_archived else None):
        raise Overtaken("This run")
    run.refresh_from_db()
    return run


def _diagnosis_of(run: Run) -> dict[str, Any]:
    fields = ("gap", "gap_low", "gap_high", "severity", "is_deficient", "is_teachable")
    rows = run.skills.filter(status=SkillStatus.ACTIVE).values("key", *fields)
    return {"skills": {row.pop("key"): row for row in rows}}


def _program_version() -> str:
    with suppress(PackageNotFoundError):  # run from a checkout that was never installed
        return version("ioa")
    return ""
