"""Examples of a skill that may not be in use yet, tried on the run's teacher."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from curriculum.engine.checking import fits_check, leak_check
from curriculum.engine.describe import find_teacher, load_domain, settings_of, storable
from curriculum.engine.exam import Keep
from curriculum.engine.trying import trial_client
from curriculum.models import Job, Run
from distill.adapter.inspection import Checks
from distill.adapter.trying_examples import Outcome, try_examples
from distill.backends.base import Beat
from distill.records import Example

__all__ = ["TRIED_QUESTIONS", "Outcome", "try_shown"]
TRIED_QUESTIONS = 12


def try_shown(run: Run, job: Job, *, beat: Beat, keep: Keep) -> list[dict[str, Any]]:
    """Put some of the domain's questions to the run's teacher with the examples that `job` brings,
    and without: what it says to each, plain. Called again after it was interrupted, it asks nothing
    twice. Raises `BudgetSpent`, and what the teacher and `beat` raise.
    """
    skill = run.skills.select_related("run").get(key=job.asked["skill"])
    domain = load_domain(run.domain)
    key = f"try{job.pk}"
    with closing(find_teacher(run.teacher)) as teacher:
        tried = try_examples(
            domain,
            skill.key,
            [Example(each["question"], each["solution"]) for each in job.asked["examples"]],
            trial_client(skill, teacher, key, keep),
            settings=settings_of(run).writing,
            checks=Checks(domain, leak=leak_check(run), fits=fits_check(run)),
            key=key,
            n=TRIED_QUESTIONS,
            seed=run.seed,
            beat=beat,
        )
    return [
        {
            "question": storable(each.question),
            "answer": storable(each.answer),
            "said": storable(each.call.reply),
            "shown": each.shown,
            "outcome": each.outcome.value,
            "fault": storable(each.fault),
        }
        for each in tried
    ]
