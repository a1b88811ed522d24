"""How solutions of a skill are to be written: who changed it, and what came of trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from curriculum import engine
from curriculum.models import AuditEntry, ExampleTrial, Job, Run, Skill
from curriculum.states import JobKind
from curriculum.views import origin_reads, reads

# what there is something to do about comes first
ORDER = (engine.Outcome.UNUSABLE, engine.Outcome.USABLE, engine.Outcome.ALIKE)


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of the questions that were put in one way."""

    n: int
    alike: int
    unlike: int  # right, in fewer steps than the examples have; without them, however many
    unusable: int

    @property
    def usable(self) -> int:
        return self.alike + self.unlike

    @property
    def share(self) -> float:
        return self.usable / self.n if self.n else 0.0

    @property
    def is_followed(self) -> bool:
        """Whether a round would go on showing the examples: see `distill.adapter.answering`."""
        return 2 * self.alike >= self.n


def last_trial(skill: Skill) -> tuple[Job | None, list[dict[str, Any]]]:
    """The last trial of the skill's examples, whatever became of it, and the teacher's answers:
    none of one that is not over, or failed.
    """
    jobs = Job.objects.filter(run=skill.run_id, kind=JobKind.EXAMPLES, asked__skill=skill.key)
    job = jobs.select_related("example_trial").order_by("-pk").first()
    found: ExampleTrial | None = getattr(job, "example_trial", None)
    return job, found.answers if found else []


def trial(run: Run, skill: Skill) -> dict[str, Any]:
    """What the page says of the last trial."""
    job, answers = last_trial(skill)
    return {
        "job": job,
        "tried": _tried(answers) if answers else None,
        "is_in_use": job is not None and job.asked["examples"] == skill.examples,
        "now_url": f"{reverse('curriculum:run-examples-now', args=[run.pk])}?skill={skill.key}",
        "eta_seconds": reads.eta_seconds(job) if job else None,
        "back": "examples",
    }


def history(skill: Skill) -> list[AuditEntry]:
    """Who changed them, the last first."""
    about = origin_reads.about(skill.run, "skill", skill.pk)
    entries = AuditEntry.objects.filter(about, run=skill.run, action="skill.examples")
    return list(entries.select_related("actor").order_by("-pk")[:20])


def _tried(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown = {each["question"]: each for each in answers if each["shown"]}
    bare = {each["question"]: each for each in answers if not each["shown"]}
    rows = [
        {
            "question": question,
            "answer": each["answer"],
            "ways": [way[question] for way in (shown, bare) if question in way],
        }
        for question, each in (shown or bare).items()
    ]
    rows.sort(key=lambda row: ORDER.index(row["ways"][0]["outcome"]))
    return {
        "rows": rows,
        "shown": _tally(shown.values()) if shown else None,
        "bare": _tally(bare.values()),
    }


def _tally(answers: Iterable[Mapping[str, Any]]) -> Tally:
    counts = Counter(each["outcome"] for each in answers)
    unusable, unlike, alike = (counts[outcome] for outcome in ORDER)
    return Tally(counts.total(), alike, unlike, unusable)
