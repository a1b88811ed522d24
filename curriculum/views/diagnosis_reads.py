"""What the page of a diagnosis shows of each skill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from curriculum.models import Run, Score, Skill
from curriculum.states import SkillStatus
from curriculum.views import reads

DRAWN = 40  # rows of the figure: more are not seen at a glance


@dataclass(slots=True)
class SkillRow:
    skill: Skill
    teacher: Score | None = None
    student: Score | None = None
    is_told: bool = False  # whether what is behind the row is here
    wrong: list[reads.Wrong] = field(default_factory=list)
    slips: list[tuple[str, int]] = field(default_factory=list)  # sentence, how often

    @property
    def is_measured(self) -> bool:
        return self.teacher is not None and self.student is not None

    @property
    def may_ask(self) -> bool:
        """Whether more of it may be asked: it is to be taught, and probes are left."""
        is_out = self.student is not None and self.student.is_exhaustive
        is_taught = self.skill.status == SkillStatus.ACTIVE and not self.skill.is_transfer
        return is_taught and not is_out

    @property
    def has_wrong(self) -> bool:
        return self.student is not None and self.student.mean < 1


def rows(skills: QuerySet[Skill]) -> list[SkillRow]:
    """The worst first; retired and transfer skills last. Two queries."""
    found = {skill.pk: SkillRow(skill) for skill in skills}
    scores = Score.objects.filter(skill__in=skills, split="diagnose")
    for score in scores.filter(Q(checkpoint=None) | Q(checkpoint__parent=None)):
        row = found[score.skill_id]
        if score.checkpoint_id is None:
            row.teacher = score
        else:
            row.student = score
    return sorted(found.values(), key=_worst_first)


def _worst_first(row: SkillRow) -> tuple[bool, bool, float, int]:
    skill = row.skill
    severity = skill.severity if skill.severity is not None else -1.0
    return skill.status == SkillStatus.RETIRED, skill.is_transfer, -severity, skill.pk


def drawn(measured: Sequence[SkillRow], worst_first: Sequence[SkillRow]) -> list[SkillRow]:
    """What of the rows shown is in the figure: the severest, as they stand in the table."""
    there = {row.skill.pk for row in measured}
    kept = {row.skill.pk for row in [r for r in worst_first if r.skill.pk in there][:DRAWN]}
    return [row for row in measured if row.skill.pk in kept]


def tell(run: Run, behind: Sequence[SkillRow]) -> None:
    """Put behind the rows what the student said that was wrong. Three queries."""
    pks = [row.skill.pk for row in behind]
    base = Q(checkpoint__parent=None, checkpoint__isnull=False)
    wrong = reads.wrong_answers(run, "diagnose", base, skills=pks)
    slips = reads.slips(run, "diagnose", base & Q(probe__skill__in=pks))
    for row in behind:
        row.is_told = True
        row.wrong, row.slips = wrong.get(row.skill.pk, []), slips.get(row.skill.pk, [])
