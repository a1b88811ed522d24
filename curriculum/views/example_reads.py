"""How solutions of a skill are to be written: who changed it, and what came of trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from curriculum.models import AuditEntry, ExampleTrial, Run, Skill
from curriculum.states import JobKind
from curriculum.views import reads

ORDER = ("wrong", "right", "alike")  # what there is something to do about comes first


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of the questions that were put in one way."""

    n: int
    alike: int
    right: int  # in fewer steps than the examples have; without them, however many
    wrong: int

    @property
    def all_right(self) -> int:
        return self.alike + self.right

    @property
    def share(self) -> float:
        return self.all_right / self.n if self.n else 0.0

    @property
    def is_followed(self) -> bool:
        """Whether a round would go on showing the examples: see `distill.adapter.answering`."""
        return 2 * self.alike >= self.n


def trial(run: Run, skill: Skill) -> dict[str, Any]:
    """The last trial of the skill's examples, whatever became of it, and what came of it."""
    jobs = run.jobs.filter(kind=JobKind.EXAMPLES, asked__skill=skill.key)
    job = jobs.order_by("-pk").first()
    found = ExampleTrial.objects.filter(job=job).first() if job else None
    return {
        "job": job,
        "tried": found and _tried(found.answers),
        "is_in_use": job is not None and job.asked["examples"] == skill.examples,
        "now_url": f"{reverse('curriculum:run-examples-now', args=[run.pk])}?skill={skill.key}",
        "eta_seconds": reads.eta_seconds(job) if job else None,
        "back": "examples",
    }


def history(skill: Skill) -> list[AuditEntry]:
    """Who changed them, the last first."""
    entries = AuditEntry.objects.filter(
        run=skill.run, action="skill.examples", subject=f"skill:{skill.pk}"
    )
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


def _tally(answers: Any) -> Tally:
    counts = Counter(each["outcome"] for each in answers)
    return Tally(counts.total(), counts["alike"], counts["right"], counts["wrong"])
