"""The words that a run's teacher is asked with: versions that people make, none of them lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from curriculum import engine
from curriculum.errors import BadPrompt, EmptyWords, NothingChanged, Overtaken
from curriculum.models import ExampleTrial, Job, PromptTemplate, PromptTrial, Run, Skill
from curriculum.services import audit, jobs
from curriculum.services.audit import Actor
from curriculum.states import JobKind

NO_WORDS = "The teacher of this run is a program: it is asked with no words."


@transaction.atomic
def change(
    run: Run, *, actor: Actor, name: str, source: str, seen: int, note: str = ""
) -> PromptTemplate:
    """Ask with these words from the next request on. `seen`: the version the person started from.

    Raises `Overtaken` when there is a later one, `BadPrompt` where the words cannot be used.
    """
    return _store(
        run, actor=actor, action="prompt.changed", name=name, source=source, seen=seen, note=note
    )


@transaction.atomic
def roll_back(
    run: Run, *, actor: Actor, name: str, number: int, seen: int, note: str = ""
) -> PromptTemplate:
    """Take up an earlier version again, 0 for the built-in one: as a new version."""
    return _store(
        run,
        actor=actor,
        action="prompt.rolled_back",
        name=name,
        source=source_of(run, name, number),
        seen=seen,
        note=note or f"as in version {number}",
    )


@transaction.atomic
def show_examples(
    skill: Skill,
    *,
    actor: Actor,
    examples: Sequence[Mapping[str, str]],
    seen: str = "",
    note: str = "",
) -> Skill:
    """Show the teacher these examples of the skill from the next request on; none: no more.

    seen: `Skill.examples_digest` of those that the person changed; raises `Overtaken` where they
    are others by now. Empty: whatever they are. Raises `BadPrompt` where one will not do.
    """
    _require_words(skill.run)
    skill = Skill.objects.select_for_update().select_related("run").get(pk=skill.pk)
    if seen and seen != skill.examples_digest:
        raise Overtaken("These examples")
    now = as_rows(examples)
    was = skill.examples
    if now == was:
        raise NothingChanged
    engine.check_examples(skill, now)
    Skill.objects.filter(pk=skill.pk).update(examples=now)
    audit.write(
        skill.run,
        actor=actor,
        action="skill.examples",
        subject=skill,
        was={"examples": was},
        became={"examples": now},
        note=note,
    )
    skill.refresh_from_db()
    return skill


@transaction.atomic
def begin_trial(run: Run, *, actor: Actor, name: str, source: str, skill: Skill) -> Job:
    """Have the teacher asked once with these words, without taking them into use."""
    source = _clean(source)
    if not source.strip():
        raise EmptyWords("template")
    _require(run, name)
    engine.check_prompt(run, name, source)
    asked = {"name": name, "source": source, "skill": skill.key}
    return jobs.create_aside(run, actor=actor, kind=JobKind.TRY, asked=asked)


@transaction.atomic
def tried(job: Job, *, actor: Actor, tried: engine.TriedPrompt) -> PromptTrial:
    """Keep what came of a trial, once. Nothing of it becomes an item."""
    call = job.run.teacher_calls.get(key=tried.call)
    audit.write(
        job.run,
        actor=actor,
        action="prompt.tried",
        subject=job,
        became={"name": job.asked["name"], "items": len(tried.items), "call": call.pk},
    )
    found = {"call": call, "items": tried.items, "faults": tried.faults}
    row, _ = PromptTrial.objects.update_or_create(job=job, defaults=found)
    return row


@transaction.atomic
def begin_examples_trial(
    skill: Skill, *, actor: Actor, examples: Sequence[Mapping[str, str]]
) -> Job:
    """Have the teacher work out some of the skill's questions with these examples and without,
    without taking them into use. Raises `BadPrompt` where one will not do, or nothing would show.
    """
    run = skill.run
    _require_words(run)
    shown = as_rows(examples)
    engine.check_examples(skill, shown)
    if why := engine.why_no_trial(skill):
        raise BadPrompt(why)
    asked = {"skill": skill.key, "examples": shown}
    return jobs.create_aside(run, actor=actor, kind=JobKind.EXAMPLES, asked=asked)


@transaction.atomic
def tried_examples(job: Job, *, actor: Actor, answers: Sequence[Mapping[str, Any]]) -> ExampleTrial:
    """Keep what came of a trial of examples, once. Nothing of it becomes an item."""
    audit.write(
        job.run,
        actor=actor,
        action="examples.tried",
        subject=job,
        became={"skill": job.asked["skill"], "answers": len(answers)},
    )
    row, _ = ExampleTrial.objects.update_or_create(job=job, defaults={"answers": list(answers)})
    return row


def current_number(run: Run, name: str) -> int:
    """The version in use; 0 where nobody has changed the built-in one."""
    rows = PromptTemplate.objects.filter(run=run, name=name).order_by("number")
    return rows.values_list("number", flat=True).last() or 0


def source_of(run: Run, name: str, number: int) -> str:
    """The words of one version. Raises `BadPrompt` where there is none."""
    row = find_version(run, name, number)
    return row.source if row else engine.built_in_prompt(name)


def find_version(run: Run, name: str, number: int) -> PromptTemplate | None:
    """One version, with who made it; None for the built-in one, which is no row. Raises `BadPrompt`
    where there is none.
    """
    require_name(name)
    if number == 0:
        return None
    rows = PromptTemplate.objects.filter(run=run, name=name, number=number)
    row = rows.select_related("actor").first()
    if row is None:
        raise BadPrompt(f"There is no version {number} of “{name}”.")
    return row


def require_name(name: str) -> None:
    """Raise `BadPrompt` where no template is called so."""
    if name not in engine.PROMPT_NAMES:
        raise BadPrompt(f"There is no template “{name}”.")


def as_rows(examples: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Examples as they are kept: with the line ends of a file, and nothing around them."""
    return [{name: _plain(each[name]) for name in ("question", "solution")} for each in examples]


def _store(
    run: Run, *, actor: Actor, action: str, name: str, source: str, seen: int, note: str
) -> PromptTemplate:
    source = _clean(source)
    if not source.strip():
        raise EmptyWords("template")
    _require(run, name)
    if seen != current_number(run, name):
        raise Overtaken("This template")
    was = source_of(run, name, seen)
    if source == was:
        raise NothingChanged
    engine.check_prompt(run, name, source)
    audit.write(
        run,
        actor=actor,
        action=action,
        subject=run,
        was={"name": name, "number": seen, "source": was},
        became={"name": name, "number": seen + 1, "source": source},
        note=note,
    )
    try:
        with transaction.atomic():
            return PromptTemplate.objects.create(
                run=run, name=name, number=seen + 1, source=source, note=note, actor=actor.user
            )
    except IntegrityError as exc:
        raise Overtaken("This template") from exc


def _require_words(run: Run) -> None:
    audit.require_going(run)
    if not engine.is_asked_in_words(run):
        raise BadPrompt(NO_WORDS)


def _require(run: Run, name: str) -> None:
    _require_words(run)
    require_name(name)


def _clean(source: str) -> str:
    """With the line ends of a file, not of a form, and one at the end."""
    lines = _lines(source).strip("\n")
    return f"{engine.storable(lines)}\n"


def _plain(text: str) -> str:
    return engine.storable(_lines(text).strip())


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
