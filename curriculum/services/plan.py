"""The stages of a run while people review the curriculum: which skills, together, in what order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from curriculum import engine
from curriculum.errors import BadPlan, NothingChanged, NothingToTeach, OrderBroken, Overtaken
from curriculum.models import AuditEntry, Run, Skill, Stage, StageSkill
from curriculum.services import audit
from curriculum.services.audit import Actor, require
from curriculum.services.planned import require_seen, stages_of, title_of
from curriculum.states import RunStatus, SkillStatus

_WHAT = "Stages can be changed"
_ASIDE = 10_000  # positions are unique: stages step aside before they change places


def make(run: Run) -> None:
    """Replace the stages, none of which has begun, by those the engine plans."""
    planned = engine.plan(run)
    if not planned.stages:
        raise NothingToTeach
    run.stages.all().delete()
    _create(run, planned.stages, after=0)
    for key, severity in planned.severity.items():
        run.skills.filter(key=key).update(severity=severity)
    run.notices = list(planned.notices)
    Run.objects.filter(pk=run.pk).update(notices=run.notices)


def replace_rest(run: Run, rest: engine.Rest) -> None:
    """Replace the stages behind `rest.n_kept`, none of which has begun. In a transaction."""
    Stage.objects.filter(run=run, position__gt=rest.n_kept).delete()
    _create(run, rest.stages, after=rest.n_kept)
    run.notices = list(rest.notices)
    Run.objects.filter(pk=run.pk).update(notices=run.notices)


def _create(
    run: Run, planned: Iterable[tuple[str, bool, float | None, list[str]]], *, after: int
) -> None:
    skills = {skill.key: skill for skill in run.skills.filter(status=SkillStatus.ACTIVE)}
    for position, (title, is_bridge, difficulty, keys) in enumerate(planned, start=after + 1):
        stage = Stage.objects.create(
            run=run,
            position=position,
            title=title[:200],
            is_bridge=is_bridge,
            difficulty=difficulty,
        )
        StageSkill.objects.bulk_create(StageSkill(stage=stage, skill=skills[key]) for key in keys)


@transaction.atomic
def move_skill(skill: Skill, *, to_stage: Stage, actor: Actor) -> Stage:
    """Teach the skill in another stage. A stage left without skills is closed up.

    A skill with a bridge leaves the stage of its full instances; the bridge stays.
    """
    run = to_stage.run
    before = _begin(run)
    if skill.run_id != run.pk or not Stage.objects.filter(pk=to_stage.pk).exists():
        raise BadPlan("Skill and stage are not of the same plan. Look again.")
    places = list(
        StageSkill.objects.filter(skill=skill).select_related("stage").order_by("stage__position")
    )
    if any(place.stage_id == to_stage.pk for place in places):
        raise BadPlan(_there_already(skill))
    if places:
        StageSkill.objects.filter(pk=places[-1].pk).update(stage=to_stage)
    else:
        StageSkill.objects.create(stage=to_stage, skill=skill)
    _close_up(run)
    _end(run, before, actor=actor, action="skill.moved", subject=skill)
    to_stage.refresh_from_db()
    return to_stage


def objections(skill: Skill, *, to_stage: Stage) -> tuple[list[str], list[str]]:
    """What would be said of teaching the skill there: what forbids it, and steps over τ_ZPD that
    are not there now. Nothing is written.
    """
    run = to_stage.run
    places = _places(run)
    moved = list(places)
    if (skill.pk, to_stage.position) in places:
        return [_there_already(skill)], []
    own = [i for i, (pk, _) in enumerate(places) if pk == skill.pk]
    if own:
        del moved[own[-1]]
    moved.append((skill.pk, to_stage.position))
    before = _broken(run, places)
    broken = [pair for pair in _broken(run, moved) if pair not in before]
    keys = dict(run.skills.values_list("pk", "key"))

    def stages(placed: Sequence[tuple[int, int]]) -> list[list[str]]:
        positions = sorted({position for _, position in placed})
        return [[keys[pk] for pk, at in placed if at == position] for position in positions]

    steps = engine.zpd_notices(run, stages(places))
    return (
        [str(OrderBroken(*pair)) for pair in broken],
        [step for step in engine.zpd_notices(run, stages(moved)) if step not in steps],
    )


@transaction.atomic
def split(stage: Stage, *, skills: Iterable[Skill | int], actor: Actor) -> Stage:
    """Put `skills` of the stage into a new stage right after it, and return that."""
    run = stage.run
    before = _begin(run)
    wanted = {skill.pk if isinstance(skill, Skill) else skill for skill in skills}
    rows = list(stage.stage_skills.select_related("skill"))
    leaving = [row for row in rows if row.skill_id in wanted]
    if not leaving or len(leaving) != len(wanted) or len(leaving) == len(rows):
        raise BadPlan("To split a stage, choose some of its skills, but not all of them.")
    stage.refresh_from_db()
    order = _order(run)
    new = Stage.objects.create(
        run=run,
        position=_ASIDE - 1,
        is_bridge=stage.is_bridge,
    )
    StageSkill.objects.filter(pk__in=[row.pk for row in leaving]).update(stage=new)
    order.insert(order.index(stage.pk) + 1, new.pk)
    _renumber(run, order)
    _end(run, before, actor=actor, action="stage.split", subject=stage)
    new.refresh_from_db()
    return new


@transaction.atomic
def merge(stage: Stage, *, into: Stage, actor: Actor, seen: str = "") -> Stage:
    """Teach the stage's skills together with those of `into`, which is returned."""
    run = into.run
    before = _begin(run, seen)
    if stage.pk == into.pk or stage.run_id != into.run_id:
        raise BadPlan("Choose two different stages of the same plan.")
    there = into.stage_skills.values_list("skill_id", flat=True)
    stage.stage_skills.exclude(skill__in=list(there)).update(stage=into)
    stage.stage_skills.all().delete()
    _close_up(run)
    _end(run, before, actor=actor, action="stage.merged", subject=into)
    into.refresh_from_db()
    return into


@transaction.atomic
def reorder(run: Run, *, order: Sequence[int], actor: Actor, seen: str = "") -> list[Stage]:
    """Teach the stages in the order of these keys, all of the run's."""
    before = _begin(run, seen)
    if sorted(order) != sorted(_order(run)):
        raise BadPlan("The order has to name every stage once. Look again.")
    _renumber(run, order)
    _end(run, before, actor=actor, action="stage.reordered", subject=run)
    return list(run.stages.all())


@transaction.atomic
def go_back(run: Run, *, entry: int, actor: Actor) -> list[Stage]:
    """Bring back the stages that the change of that number in the audit log found.

    Raises `BadPlan` where it changed no stages, or where a skill of theirs is not taught any more,
    and `OrderBroken` where what builds on what has changed since.
    """
    before = _begin(run)
    changed = AuditEntry.objects.filter(run=run, sequence=entry).first()
    if changed is None or not changed.was.get("stages") or not changed.became.get("stages"):
        raise BadPlan("No stages were changed there. Look again.")
    wanted = changed.was["stages"]
    keys = [list(stage["skills"]) for stage in wanted]
    if keys == [stage["skills"] for stage in before["stages"]]:
        raise NothingChanged("This is the curriculum as it is")
    taught = {skill.key: skill for skill in run.skills.filter(status=SkillStatus.ACTIVE)}
    if gone := sorted({key for each in keys for key in each} - taught.keys()):
        raise BadPlan(f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} not taught any more.")
    run.stages.all().delete()
    difficult = engine.difficulty(run, keys)
    titles = [title_of(taught[key] for key in each) for each in keys]  # by the words of now
    _create(run, zip(titles, _bridges(keys), difficult, keys, strict=True), after=0)
    _require_order(run, before)
    _note(run, before, actor=actor, action="stage.restored", subject=run)
    return list(run.stages.all())


def _bridges(stages: Sequence[Sequence[str]]) -> list[bool]:
    """Which of the stages are bridges: all of their skills come again later, in full size."""
    later = [{key for stage in stages[i + 1 :] for key in stage} for i in range(len(stages))]
    return [set(stage) <= behind for stage, behind in zip(stages, later, strict=True)]


def _begin(run: Run, seen: str = "") -> dict[str, Any]:
    require(run, RunStatus.REVIEWING_CURRICULUM, what=_WHAT)
    require_seen(run, seen)
    return {"stages": stages_of(run), "broken": _broken(run, _places(run))}


def _end(
    run: Run, before: dict[str, Any], *, actor: Actor, action: str, subject: Skill | Stage | Run
) -> None:
    """Refuse an order that this change broke; one that was broken before is not its fault. A stage
    is called by the skills it has now: people sign it, and auditors read it, by that name.
    """
    _require_order(run, before)
    _describe_changed(run, before["stages"])
    _note(run, before, actor=actor, action=action, subject=subject)


def _require_order(run: Run, before: Mapping[str, Any]) -> None:
    for source, target in _broken(run, _places(run)):
        if (source, target) not in before["broken"]:
            raise OrderBroken(source, target)


def _note(
    run: Run, before: Mapping[str, Any], *, actor: Actor, action: str, subject: Skill | Stage | Run
) -> None:
    audit.write(
        run,
        actor=actor,
        action=action,
        subject=subject,
        was={"stages": before["stages"]},
        became={"stages": stages_of(run)},
    )


def _describe_changed(run: Run, before: Sequence[Mapping[str, Any]]) -> None:
    """Name and difficulty of the stages whose skills are others than those of any stage before."""
    known = {tuple(sorted(stage["skills"])) for stage in before}
    changed = {
        stage.pk: skills
        for stage in Stage.objects.filter(run=run).prefetch_related("stage_skills__skill")
        if (skills := [row.skill for row in stage.stage_skills.all()])
        and tuple(sorted(skill.key for skill in skills)) not in known
    }
    found = engine.difficulty(run, [[s.key for s in skills] for skills in changed.values()])
    for (pk, skills), difficulty in zip(changed.items(), found, strict=True):
        Stage.objects.filter(pk=pk).update(title=title_of(skills), difficulty=difficulty)


def _there_already(skill: Skill) -> str:
    return f"{skill} is in this stage already."


def _places(run: Run) -> list[tuple[int, int]]:
    """Skill and position of its stage, in the order in which they are taught."""
    places = StageSkill.objects.filter(stage__run=run).order_by("stage__position", "pk")
    return list(places.values_list("skill_id", "stage__position"))


def _broken(run: Run, places: Iterable[tuple[int, int]]) -> list[tuple[str, str]]:
    """Edges whose source is not taught before their target, as skill keys, in order."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for skill, position in sorted(places, key=lambda place: place[1]):
        first.setdefault(skill, position)
        last[skill] = position
    return [
        (edge.source.key, edge.target.key)
        for edge in engine.holding(run)
        if edge.source_id in last
        and edge.target_id in first
        and last[edge.source_id] >= first[edge.target_id]
    ]


def _order(run: Run) -> list[int]:
    return list(Stage.objects.filter(run=run).order_by("position").values_list("pk", flat=True))


def _close_up(run: Run) -> None:
    Stage.objects.filter(run=run, stage_skills=None).delete()
    _renumber(run, _order(run))


def _renumber(run: Run, order: Sequence[int]) -> None:
    Stage.objects.filter(run=run).update(position=F("position") + _ASIDE)
    for position, pk in enumerate(order, start=1):
        if not Stage.objects.filter(pk=pk, run=run).update(position=position):
            raise Overtaken("This curriculum")
