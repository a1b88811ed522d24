"""What is to be taught, and what builds on what, while people review the diagnosis."""

from __future__ import annotations

from django.db import transaction

from curriculum import engine
from curriculum.errors import (
    BadPlan,
    CycleRefused,
    EmptyWords,
    NothingChanged,
    Overtaken,
    ReasonRequired,
)
from curriculum.models import Evidence, Prerequisite, Run, Skill, Stage
from curriculum.services import audit, results
from curriculum.services.audit import Actor, require
from curriculum.services.planned import title_of
from curriculum.states import RunStatus, SkillStatus

_REVIEW = (RunStatus.DRAFT, RunStatus.REVIEWING_DIAGNOSIS)
_SKILLS, _EDGES = "Skills can be changed", "Prerequisites can be changed"


@transaction.atomic
def edit(skill: Skill, *, actor: Actor, title: str, statement: str, seen: str = "") -> Skill:
    """Put what is taught in other words; its stages are called by them from now on. Characters that
    would reorder what stands beside them are taken out.

    seen: `Skill.digest` of those that the person changed; raises `Overtaken` where they are others
    by now. Empty: whatever they are.
    """
    title, statement = (engine.without_turns(text).strip() for text in (title, statement))
    if not title:
        raise EmptyWords("title")
    if (title, statement) == (skill.title, skill.statement):
        raise NothingChanged
    require(skill.run, *_REVIEW, RunStatus.REVIEWING_CURRICULUM, what=_SKILLS)
    now = Skill.objects.filter(pk=skill.pk, title=skill.title, statement=skill.statement)
    is_seen = not seen or seen == skill.digest
    if not is_seen or not now.update(title=title, statement=statement):
        raise Overtaken("This skill")
    audit.write(
        skill.run,
        actor=actor,
        action="skill.edited",
        subject=skill,
        was={"title": skill.title, "statement": skill.statement},
        became={"title": title, "statement": statement},
    )
    skill.refresh_from_db()
    for stage in Stage.objects.filter(run=skill.run_id, stage_skills__skill=skill).distinct():
        taught = [row.skill for row in stage.stage_skills.select_related("skill")]
        Stage.objects.filter(pk=stage.pk).update(title=title_of(taught))
    return skill


def retire(skill: Skill, *, actor: Actor, reason: str = "") -> Skill:
    """Leave the skill out of what is taught. It stays on record, and can be restored."""
    return _turn(skill, SkillStatus.RETIRED, actor=actor, action="skill.retired", reason=reason)


def restore(skill: Skill, *, actor: Actor, reason: str = "") -> Skill:
    return _turn(skill, SkillStatus.ACTIVE, actor=actor, action="skill.restored", reason=reason)


@transaction.atomic
def add_edge(
    run: Run, *, source: Skill, target: Skill, actor: Actor, reason: str = ""
) -> Prerequisite:
    """Say that `target` builds on `source`. An edge that was refused before is taken up again."""
    if source.pk == target.pk:
        raise CycleRefused([source.key, source.key])
    if not source.run_id == target.run_id == run.pk:
        raise BadPlan("Both skills have to be of this run.")
    require(run, *_REVIEW, what=_EDGES)
    edge = Prerequisite.objects.filter(source=source, target=target).first()
    if edge is not None and edge.is_active:
        raise BadPlan(f"{target.key} builds on {source.key} already.")
    _refuse_cycle(run, source, target)
    is_new = edge is None
    if edge is None:
        edge = Prerequisite.objects.create(run=run, source=source, target=target)
    Prerequisite.objects.filter(pk=edge.pk).update(is_active=True)
    return _say(edge, "confirmed", actor=actor, action="edge.added", reason=reason, is_new=is_new)


@transaction.atomic
def confirm_edge(edge: Prerequisite, *, actor: Actor, reason: str = "") -> Prerequisite:
    """Put one's name under an edge; a refused one counts again."""
    require(edge.run, *_REVIEW, what=_EDGES)
    if not edge.is_active:
        _refuse_cycle(edge.run, edge.source, edge.target)
    if not Prerequisite.objects.filter(pk=edge.pk, is_active=edge.is_active).update(is_active=True):
        raise Overtaken("This prerequisite")
    return _say(edge, "confirmed", actor=actor, action="edge.confirmed", reason=reason)


@transaction.atomic
def refuse_edge(edge: Prerequisite, *, actor: Actor, reason: str) -> Prerequisite:
    """Take the edge out of the order. It stays on record with the reason."""
    if not reason.strip():
        raise ReasonRequired("refusing a prerequisite")
    require(edge.run, *_REVIEW, what=_EDGES)
    if not Prerequisite.objects.filter(pk=edge.pk, is_active=True).update(is_active=False):
        raise Overtaken("This prerequisite")
    return _say(edge, "refused", actor=actor, action="edge.refused", reason=reason)


@transaction.atomic
def _turn(skill: Skill, to: SkillStatus, *, actor: Actor, action: str, reason: str) -> Skill:
    require(skill.run, *_REVIEW, what=_SKILLS)
    if not Skill.objects.filter(pk=skill.pk).exclude(status=to).update(status=to):
        raise Overtaken("This skill")
    audit.write(
        skill.run,
        actor=actor,
        action=action,
        subject=skill,
        was={"status": skill.status},
        became={"status": to},
        note=reason,
    )
    skill.refresh_from_db()
    return skill


def _say(
    edge: Prerequisite,
    kind: str,
    *,
    actor: Actor,
    action: str,
    reason: str,
    is_new: bool = False,
) -> Prerequisite:
    was = None if is_new else {"is_active": edge.is_active}
    Evidence.objects.create(prerequisite=edge, kind=kind, actor=actor.user, reason=reason)
    edge.refresh_from_db()
    results.keep_severities(edge.run)
    became = {"is_active": edge.is_active, "evidence": kind}
    audit.write(
        edge.run, actor=actor, action=action, subject=edge, was=was, became=became, note=reason
    )
    return edge


def _refuse_cycle(run: Run, source: Skill, target: Skill) -> None:
    edges = Prerequisite.objects.filter(run=run, is_active=True)
    known = list(edges.values_list("source__key", "target__key"))
    if cycle := engine.cycle([*known, (source.key, target.key)]):
        raise CycleRefused(cycle)
