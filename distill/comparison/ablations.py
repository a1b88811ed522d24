"""`ioa` less one part: the product's own loop, with that part taken out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from distill.pipeline import Pipeline
from distill.records import Curriculum, Gap, PlannedStage, Score
from distill.settings import Settings

NO_CAP = 1000  # rounds: where one stage is the whole curriculum, the budget ends it


class WithoutIdentifier(Pipeline):
    """Every skill counts as wholly unknown: nothing is known before the first gate."""

    def diagnose(self) -> dict[str, Gap]:
        self._passed.mastered = {}
        return {s.id: _unknown(s.id) for s in self.skills}


class WithoutOrganizer(Pipeline):
    """The same skills, all at once: one stage, and rounds until the budget is spent."""

    def organise(self, gaps: Mapping[str, Gap]) -> Curriculum:
        planned = super().organise(gaps)
        skills = tuple(sorted({k for stage in planned.stages for k in stage.skills}))
        if not skills:
            return planned
        return Curriculum((PlannedStage(skills, "Everything"),), planned.severity)


class WithoutAdapter(Pipeline):
    """Bare answers of full size (by the settings), and none chosen by the student's mistakes."""

    def _errors(self, skills: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
        return {}


LOOPS: dict[str, type[Pipeline]] = {
    "identifier": WithoutIdentifier,
    "organizer": WithoutOrganizer,
    "adapter": WithoutAdapter,
}


def without(part: str, settings: Settings) -> tuple[type[Pipeline], Settings]:
    """The loop and the settings of `ioa` less `part`; of the product itself for ""."""
    budget, writing, lora = dict[str, object](), dict[str, object](), dict[str, object]()
    if part == "organizer":
        budget["rounds_cap"] = NO_CAP
    if part == "adapter":
        writing |= {"operations": (), "tried": 0}
    if part == "rounds":
        budget["rounds_cap"] = 1
    if part == "rehearsal":
        budget["rehearsal_share"] = 0.0
    if part == "average":
        lora["average"] = None
    changed = settings.model_copy(
        update={
            "budget": settings.budget.model_copy(update=budget),
            "writing": settings.writing.model_copy(update=writing),
            "lora": settings.lora.model_copy(update=lora),
        }
    )
    return LOOPS.get(part, Pipeline), changed


def _unknown(skill: str) -> Gap:
    return Gap(
        skill,
        teacher=Score(skill, 0, 1.0, 0.0, 1.0),
        student=Score(skill, 0, 0.0, 0.0, 1.0),
        gap=1.0,
        low=0.0,
        high=1.0,
        is_deficient=True,
        is_teachable=True,
    )
