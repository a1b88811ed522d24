"""Who writes the items of a run: the domain's generators, or a language model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from distill.adapter.attempts import Attempts
from distill.adapter.checks import Fits, NotLeak
from distill.adapter.client import TeacherClient
from distill.adapter.inspection import Checks
from distill.adapter.leaks import LeakIndex, questions_to_come
from distill.adapter.operations import PROCEDURAL_OPERATIONS
from distill.adapter.prompting import Learner, Wrong
from distill.adapter.teaching import teach
from distill.adapter.writing import Order, write
from distill.backends.base import Backend, Beat
from distill.backends.procedural import ProceduralBackend
from distill.diagnosis import BASE
from distill.domains.base import Domain, question_key
from distill.identifier.error_types import group_errors
from distill.identifier.probing import Sink, ask, no_sink
from distill.journal import Journal
from distill.records import Answer, Item, Probe, Skill, Split
from distill.roster import Lazy, Student
from distill.settings import Settings


class Author:
    """Writes for one headless run; what it asks of a language model is on record in the journal.

    against: questions beside the probes that nothing may be trained on, of benchmarks.
    """

    def __init__(
        self,
        domain: Domain,
        student: Student,
        teacher: Backend,
        settings: Settings,
        *,
        seed: int,
        journal: Journal,
        against: LeakIndex,
    ) -> None:
        self._domain = domain
        self._student = student
        self._teacher = teacher
        self._settings = settings
        self._seed = seed
        self._journal = journal
        self._fits = Fits(
            student.rendered,
            most_tokens=settings.lora.max_length_tokens,
            most_answer_tokens=settings.probing.limit(is_teacher=False),
        )
        self._never = [against, LeakIndex.of_questions(questions_to_come(domain))]

    def write(
        self, key: str, orders: Sequence[Order], *, adapter: Path | None, beat: Beat
    ) -> list[Item]:
        """The items of the round `key`, for the student that `adapter` makes. See `write`, `teach`.

        Raises `DomainError`, `BudgetSpent`, and what the teacher, the student and `beat` raise.
        """
        with closing(Lazy(self._student, adapter)) as student:
            attempts = attempts_of(
                student,
                self._settings,
                found=partial(self._journal.tried, key),
                keep=partial(self._journal.keep_tried, key),
            )
            # as it came, it would be asked for nothing: nearly all is wrong
            return self._write(key, orders, adapter, attempts if adapter else None, beat)

    def _write(
        self,
        key: str,
        orders: Sequence[Order],
        adapter: Path | None,
        attempts: Attempts | None,
        beat: Beat,
    ) -> list[Item]:
        earlier = self._journal.questions(except_of=key)
        asked = LeakIndex.of_questions(self._journal.probe_questions())
        leak = NotLeak(self._journal.probe_keys(), asked, *self._never, domain=self._domain)
        if isinstance(self._teacher, ProceduralBackend):
            return write(
                self._domain,
                orders,
                seed=self._seed,
                round_key=key,
                operations=PROCEDURAL_OPERATIONS & set(self._settings.writing.operations),
                earlier=earlier,
                leak=leak,
                fits=self._fits,
                attempts=attempts,
                beat=beat,
            )
        return teach(
            self._domain,
            orders,
            {order.skill: self._learner(order, adapter) for order in orders},
            TeacherClient(
                self._teacher,
                kept=self._journal.calls(key),
                keep=lambda call: self._journal.keep_call(key, call),
                budget=self._tokens_left(),
            ),
            teacher=self._teacher.name,
            seed=self._seed,
            round_key=key,
            settings=self._settings.writing,
            checks=Checks(self._domain, earlier, leak=leak, fits=self._fits),
            taken={question_key(question) for question in earlier},
            attempts=attempts,
            beat=beat,
        )

    def _tokens_left(self) -> int | None:
        budget = self._settings.writing.teacher_tokens
        return None if budget is None else budget - self._journal.tokens_of_calls()

    def _learner(self, order: Order, adapter: Path | None) -> Learner:
        skills = {s.id: s for s in self._domain.skills}
        items = [i for i in self._journal.clean_items() if i.skill == order.skill]
        return learner(
            skills[order.skill],
            skills,
            mastery=order.mastery,
            answered=self._answered(order.skill, adapter),
            approved=[i.question for i in items],
        )

    def _answered(self, skill: str, adapter: Path | None) -> list[tuple[Probe, Answer]]:
        """Answers to `diagnose` probes by the student as it is, or else as it came."""
        n = max(self._settings.probing.diagnose_probes, self._settings.probing.gate_probes)
        for who in (adapter.name if adapter else BASE, BASE):
            given = self._journal.grades(who, Split.DIAGNOSE).get(skill)
            if given:
                drawn = self._domain.probes(skill, Split.DIAGNOSE, n, seed=self._seed)
                pairs = ((p, self._journal.answer(who, p)) for p in drawn if p.id in given)
                return [(probe, answer) for probe, answer in pairs if answer is not None]
        return []


def attempts_of(
    student: Backend,
    settings: Settings,
    *,
    found: Callable[[Probe], Answer | None] = lambda probe: None,
    keep: Sink = no_sink,
) -> Attempts | None:
    """How `student`, as it is now, tries questions first; None where it is to try none.

    found, keep: what it said to a question before, which is not asked again; where that is kept.
    """
    if settings.writing.tried < 2:
        return None

    def tried(probes: Sequence[Probe], alive: Callable[[], None]) -> list[Answer]:
        said = {p.id: answer for p in probes if (answer := found(p)) is not None}
        answers = ask(
            student,
            [p for p in probes if p.id not in said],
            batch_size=settings.probing.batch_size,
            max_tokens=settings.probing.max_answer_tokens,
            beat=lambda done, total: alive(),
            sink=keep,
        )
        said |= {answer.probe: answer for answer in answers}
        return [said[p.id] for p in probes]

    return Attempts(tried, settings.writing.tried)


def learner(
    skill: Skill,
    skills: Mapping[str, Skill],
    *,
    mastery: float,
    answered: Sequence[tuple[Probe, Answer]],
    approved: Sequence[str] = (),
) -> Learner:
    """What a teacher is told of the student on one skill.

    answered: `diagnose` probes with the student's answers; those of a gate are for measuring, and
    never shown to who writes. Pure.
    """
    groups = group_errors(answered)
    wrong = [Wrong(e.question, e.reference, e.answer) for g in groups for e in g.examples[:1]]
    return Learner(
        skill,
        builds_on=tuple(skills[k] for k in skill.prerequisites if k in skills),
        mastery=mastery,
        slips=tuple((group.sentence, group.n) for group in groups),
        wrong=tuple(wrong),
        approved=tuple(approved),
    )
