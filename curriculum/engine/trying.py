"""Words that are not in use yet: the prompt they come to, and what the teacher makes of it."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from curriculum import models
from curriculum.engine.authoring import as_call, learner_of, tokens_left
from curriculum.engine.checking import fits_check, leak_check
from curriculum.engine.describe import find_teacher, load_domain, settings_of, storable
from curriculum.engine.exam import Keep
from curriculum.engine.passed import on_the_way
from curriculum.engine.prompts import changed_templates
from curriculum.errors import BadPrompt
from curriculum.models import Job, Run, Score, Skill, TeacherCall
from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.prompting import BadTemplate, Learner
from distill.adapter.trying import try_out, words_for
from distill.adapter.writing import Order
from distill.backends.base import Backend, Beat
from distill.domains import question_key
from distill.domains.base import FULL_LEVEL, Domain
from distill.records import Call, Split

TRIED_ITEMS = 3


@dataclass(frozen=True, slots=True)
class TriedPrompt:
    call: str  # its key
    items: list[dict[str, Any]]  # question, solution, answer, checks
    faults: list[str]


def preview(skill: Skill, *, name: str, source: str) -> str:
    """The whole prompt for the skill, told of this run's student as it is, with `source` in place
    of the template `name`. Asks nobody, saves nothing. Raises `BadPrompt`.
    """
    run = skill.run
    templates = changed_templates(run, name, source)
    domain, settings = load_domain(run.domain), settings_of(run).writing
    try:
        return words_for(
            domain,
            _learner(skill, domain),
            templates,
            settings,
            n=settings.items_per_request,
            level=FULL_LEVEL,
            seed=run.seed,
            taken={question_key(question) for question in _questions(run)},
        )
    except BadTemplate as exc:  # too long, with all that is told of this student
        raise BadPrompt(str(exc)) from exc


def try_prompt(run: Run, job: Job, *, beat: Beat, keep: Keep) -> TriedPrompt:
    """Ask the run's teacher once, with the words that `job` brings. Called again after it was
    interrupted, it asks nothing twice. Raises `BudgetSpent`, and what the teacher and `beat` raise.
    """
    skill = run.skills.get(key=job.asked["skill"])
    templates = changed_templates(run, job.asked["name"], job.asked["source"])
    domain, earlier = load_domain(run.domain), _questions(run)
    checks = Checks(domain, earlier, leak=leak_check(run), fits=fits_check(run))
    key = f"try{job.pk}"
    with closing(find_teacher(run.teacher)) as teacher:
        tried = try_out(
            domain,
            _learner(skill, domain),
            templates,
            trial_client(skill, teacher, key, keep),
            settings=settings_of(run).writing,
            checks=checks(skill.key),
            key=key,
            teacher=teacher.name,
            n=TRIED_ITEMS,
            level=FULL_LEVEL,
            seed=run.seed,
            taken={question_key(question) for question in earlier},
            beat=beat,
        )
    items = [
        {
            "question": storable(item.question),
            "solution": storable(item.solution),
            "answer": storable(item.answer),
            "checks": [
                {**dataclasses.asdict(c), "detail": storable(c.detail)} for c in item.checks
            ],
        }
        for item in tried.items
    ]
    return TriedPrompt(key, items, [storable(fault) for fault in tried.faults])


def trial_client(skill: Skill, teacher: Backend, key: str, keep: Keep) -> TeacherClient:
    """Asks a run's teacher for a trial, within the run's budget, and keeps what it says. `key`: of
    the trial's call, or what the keys of its calls begin with, before a hyphen.
    """
    run = skill.run
    kept = run.teacher_calls.filter(Q(key=key) | Q(key__startswith=f"{key}-"))

    def keep_call(call: Call) -> None:
        values = dataclasses.asdict(call) | {"skill": skill}
        keep.calls([TeacherCall(run=run, teacher=teacher.name, **values)])

    return TeacherClient(
        teacher,
        kept={row.key: as_call(row) for row in kept.select_related("skill")},
        keep=keep_call,
        budget=tokens_left(run),
    )


def _learner(skill: Skill, domain: Domain) -> Learner:
    return learner_of(skill, Order(skill.key, TRIED_ITEMS, _mastery(skill)), domain)


def _mastery(skill: Skill) -> float:
    """The student's mean over the teacher's, of what was measured last; 0 where nothing was."""
    scores = Score.objects.filter(skill=skill).exclude(split=Split.FINAL)
    students = scores.filter(checkpoint__in=on_the_way(skill.run))
    student = students.order_by("checkpoint", "pk").last()
    teacher = scores.filter(checkpoint=None).last()
    if student is None or teacher is None or not teacher.mean:
        return 0.0
    return student.mean / teacher.mean


def _questions(run: Run) -> list[str]:
    items = models.Item.objects.filter(stage__run=run)
    return list(items.values_list("question", flat=True))
