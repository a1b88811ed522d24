"""The curriculum under review: skills moved, stages split, merged, put in order, planned again."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router

from curriculum.access import Role
from curriculum.api.guard import actor, find_run
from curriculum.api.operations import Id, post
from curriculum.api.plan_schemas import MergeIn, MoveIn, OrderIn, SplitIn
from curriculum.api.problems import Refused
from curriculum.api.schemas import RunOut, StageOut
from curriculum.api.skills import skills_of
from curriculum.api.stages import find_stage
from curriculum.models import Run, Stage
from curriculum.services import runs, stages
from curriculum.views import reads

router = Router(tags=["plan"])


def _stage_of(run: Run, pk: int) -> Stage:
    found = run.stages.filter(pk=pk).first()
    if found is None:
        raise Refused(422, f"This run has no stage {pk}.")
    return found


@post(router, "/runs/{run_id}/reopen-diagnosis", scope="review", returns=RunOut)
def reopen_diagnosis(request: HttpRequest, run_id: Id) -> Run:
    """Back from the curriculum's review to the diagnosis's. Planned stages go."""
    run = find_run(request, run_id, Role.REVIEWER)
    return runs.back_to_diagnosis(run, actor=actor(request))


@post(router, "/runs/{run_id}/replan", scope="review", returns=RunOut)
def replan_run(request: HttpRequest, run_id: Id) -> Run:
    """Plan the stages again, from the diagnosis and the graph as they are now."""
    run = find_run(request, run_id, Role.REVIEWER)
    return runs.replan(run, actor=actor(request))


@post(router, "/runs/{run_id}/move-skill", scope="review", returns=list[StageOut])
def move_skill(request: HttpRequest, run_id: Id, said: MoveIn) -> list[Stage]:
    """Teach a skill in another stage; all stages as they are then. Against a prerequisite: 422."""
    run = find_run(request, run_id, Role.REVIEWER)
    (skill,) = skills_of(run, said.skill)
    stages.move_skill(skill, to_stage=_stage_of(run, said.stage_id), actor=actor(request))
    return reads.stages_with_skills(run)


@post(router, "/runs/{run_id}/reorder", scope="review", returns=list[StageOut])
def reorder_stages(request: HttpRequest, run_id: Id, said: OrderIn) -> list[Stage]:
    """Teach the stages in this order: every stage of the run, by its id, once."""
    run = find_run(request, run_id, Role.REVIEWER)
    stages.reorder(run, order=said.stages, actor=actor(request))
    return reads.stages_with_skills(run)


@post(router, "/stages/{stage_id}/split", scope="review", returns=list[StageOut])
def split_stage(request: HttpRequest, stage_id: Id, said: SplitIn) -> list[Stage]:
    """Put some of its skills into a new stage right after it; all stages as they are then."""
    stage = find_stage(request, stage_id, Role.REVIEWER)
    leaving = skills_of(stage.run, *said.skills)
    stages.split(stage, skills=leaving, actor=actor(request))
    return reads.stages_with_skills(stage.run)


@post(router, "/stages/{stage_id}/merge", scope="review", returns=list[StageOut])
def merge_stage(request: HttpRequest, stage_id: Id, said: MergeIn) -> list[Stage]:
    """Teach its skills together with those of another stage; all stages as they are then."""
    stage = find_stage(request, stage_id, Role.REVIEWER)
    stages.merge(stage, into=_stage_of(stage.run, said.into), actor=actor(request))
    return reads.stages_with_skills(stage.run)
