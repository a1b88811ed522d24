"""Writing the items of a round: what the writer is told of the student and of people, from rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import closing

from django.db.models import F, QuerySet, Sum

from curriculum import models
from curriculum.engine.checking import fits_check, leak_check
from curriculum.engine.describe import find_teacher, load_domain, settings_of
from curriculum.engine.exam import Keep
from curriculum.engine.examples import examples_of
from curriculum.engine.passed import on_the_way
from curriculum.engine.prompts import templates_of
from curriculum.errors import BadDomain
from curriculum.models import Answer, Run, Skill, Stage, TeacherCall
from curriculum.models.items import marks_of
from curriculum.models.team import refused_by_people
from curriculum.states import Verdict
from distill import roster
from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.operations import PROCEDURAL_OPERATIONS
from distill.adapter.prompting import Changed, Learner, Refused
from distill.adapter.tally import Tally
from distill.adapter.teaching import teach
from distill.adapter.writing import Order, write
from distill.authoring import attempts_of, learner
from distill.backends.base import Backend, Beat
from distill.domains import question_key
from distill.domains.base import Domain
from distill.records import Answer as Said
from distill.records import Call, Item, Probe, Split

SAVED_AT_ONCE = 20  # items: what is lost with a worker is written again, and costs no request
SHOWN_MOST = 40  # items of a skill that are looked at for what people said, newest first


def write_items(
    stage: Stage,
    orders: Sequence[Order],
    *,
    student: Backend | None,
    beat: Beat,
    keep: Keep,
    batch: int = 0,
) -> list[Item]:
    """Write and check the items of the stage's round; each is kept as soon as it is there.

    student: as it is now, where it is to try the domain's questions first.
    batch: 0 for the round's own; a number for each time that others are wanted in their place.

    Raises `BudgetSpent`, `DomainError`, and what the teacher, the student, `beat` and `keep` raise.
    """
    run = stage.run
    domain = load_domain(run.domain)
    attempts = attempts_of(student, settings_of(run)) if student else None
    key = f"s{stage.position}r{stage.round}" + (f"w{batch}" if batch else "")
    earlier = models.Item.objects.filter(stage__run=run).exclude(
        stage=stage, round=stage.round, key__startswith=f"{key}-"
    )
    questions = list(earlier.values_list("question", flat=True))
    leak, fits = leak_check(run), fits_check(run)
    skills = {s.key: s for s in run.skills.all()}
    calls = {c.key: c.pk for c in _calls(stage)}

    unsaved: list[Item] = []

    def sink(item: Item) -> None:
        unsaved.append(item)
        if len(unsaved) == SAVED_AT_ONCE:
            save()

    def save() -> None:
        if any(item.call not in calls for item in unsaved if item.call):
            calls.update(_calls(stage).values_list("key", "pk"))
        keep.items([_item_row(i, stage, skills[i.skill], calls.get(i.call)) for i in unsaved])
        unsaved.clear()

    def tell(tallies: Sequence[Tally]) -> None:
        keep.tallies([_tally_row(t, stage, batch, skills[t.skill]) for t in tallies])

    if run.teacher == roster.PROCEDURAL:
        items = write(
            domain,
            orders,
            seed=run.seed,
            round_key=key,
            operations=PROCEDURAL_OPERATIONS & set(settings_of(run).writing.operations),
            earlier=questions,
            leak=leak,
            fits=fits,
            attempts=attempts,
            beat=beat,
            sink=sink,
        )
        save()
        return items
    with closing(find_teacher(run.teacher)) as teacher:
        items = teach(
            domain,
            orders,
            {order.skill: learner_of(skills[order.skill], order, domain) for order in orders},
            _client(stage, teacher, skills, keep),
            teacher=teacher.name,
            seed=run.seed,
            round_key=key,
            settings=settings_of(run).writing,
            checks=Checks(domain, questions, leak=leak, fits=fits),
            taken={question_key(question) for question in questions},
            templates=templates_of(run),
            attempts=attempts,
            beat=beat,
            sink=sink,
            tell=tell,
        )
    save()
    return items


def learner_of(skill: Skill, order: Order, domain: Domain) -> Learner:
    """What the teacher is told of the student and of the reviewers' words on one skill. Raises
    `BadDomain` where the domain is another by now, without that skill.
    """
    known = {s.id: s for s in domain.skills}
    if skill.key not in known:
        raise BadDomain(f"{domain.title} has no skill {skill.key}.")
    told = learner(
        dataclasses.replace(
            known[skill.key],
            title=skill.title,
            statement=skill.statement,
            examples=examples_of(skill),
        ),
        known,
        mastery=order.mastery,
        answered=_answered(skill),
    )
    items = models.Item.objects.filter(skill=skill, round__gte=F("stage__first_round"))
    items = items.order_by("-pk")
    approved = items.filter(verdict=Verdict.APPROVED).values_list("question", flat=True)
    return dataclasses.replace(
        told,
        approved=tuple(reversed(approved[:SHOWN_MOST])),
        refused=_refused(skill),
        changed=_changed(skill),
    )


def _refused(skill: Skill) -> tuple[Refused, ...]:
    """What people refused, alone or by agreement, with their reasons, the oldest first."""
    items = models.Item.objects.filter(refused_by_people(), skill=skill)
    given = models.Review.objects.standing().filter(item__in=items, verdict=Verdict.REJECTED)
    reviews = given.order_by("-pk")
    said = reviews.values_list("item__question", "reason")[:SHOWN_MOST]
    return tuple(Refused(question, reason) for question, reason in reversed(said))


def _changed(skill: Skill) -> tuple[Changed, ...]:
    """How people changed items: what an item said before the last change, and says now."""
    last = models.Revision.objects.filter(
        item__skill=skill, actor__isnull=False, version=F("item__version") - 1
    ).order_by("-pk")
    return tuple(
        Changed(f"{r.question} {r.solution}", f"{r.item.question} {r.item.solution}")
        for r in reversed(last.select_related("item")[:SHOWN_MOST])
    )


def _answered(skill: Skill) -> list[tuple[Probe, Said]]:
    """Answers to `diagnose` probes, of the newest student that gave any: the current one or one
    that it came from. Never those of a gate.
    """
    given = Answer.objects.filter(
        probe__skill=skill, probe__split=Split.DIAGNOSE, checkpoint__in=on_the_way(skill.run)
    )
    newest = given.order_by("-checkpoint").values_list("checkpoint", flat=True).first()
    return [
        (
            Probe(p.key, skill.key, Split.DIAGNOSE, p.question, p.reference, p.grader),
            Said(p.key, answer.text, answer.grade, answer.tokens, answer.error),
        )
        for answer in given.filter(checkpoint=newest).select_related("probe").order_by("probe")
        for p in (answer.probe,)
    ]


def _client(stage: Stage, teacher: Backend, skills: dict[str, Skill], keep: Keep) -> TeacherClient:
    run = stage.run

    def keep_call(call: Call) -> None:
        values = dataclasses.asdict(call) | {"skill": skills[call.skill]}
        keep.calls(
            [TeacherCall(run=run, stage=stage, round=stage.round, teacher=teacher.name, **values)]
        )

    return TeacherClient(
        teacher,
        kept={row.key: as_call(row) for row in _calls(stage).select_related("skill")},
        keep=keep_call,
        budget=tokens_left(run),
    )


def tokens_left(run: Run) -> int | None:
    """What the teacher may still read and write for items; None where there is no bound."""
    budget = settings_of(run).writing.teacher_tokens
    return None if budget is None else budget - tokens_of_calls(run)


def tokens_of_calls(run: Run) -> int:
    """What the teacher has read and written for the run's items."""
    spent = run.teacher_calls.aggregate(n=Sum(F("prompt_tokens") + F("reply_tokens")))
    return int(spent["n"] or 0)


def _calls(stage: Stage) -> QuerySet[TeacherCall]:
    return TeacherCall.objects.filter(stage=stage, round=stage.round)


def as_call(row: TeacherCall) -> Call:
    values = {f.name: getattr(row, f.name) for f in dataclasses.fields(Call)}
    return Call(**values | {"skill": row.skill.key})


def _tally_row(tally: Tally, stage: Stage, batch: int, skill: Skill) -> models.WritingTally:
    values = dataclasses.asdict(tally) | {"skill": skill}
    return models.WritingTally(stage=stage, round=stage.round, batch=batch, **values)


def _item_row(item: Item, stage: Stage, skill: Skill, call: int | None) -> models.Item:
    checks = [dataclasses.asdict(c) for c in item.checks]
    return models.Item(
        stage=stage,
        round=stage.round,
        skill=skill,
        key=item.key,
        question=item.question,
        solution=item.solution,
        answer=item.answer,
        operations=list(item.operations),
        level=item.level,
        aims=list(item.aims),
        said=item.said,
        origin=item.origin,
        call_id=call,
        checks=checks,
        **marks_of(checks),
    )
