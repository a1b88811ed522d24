"""The words that a run's teacher is asked with: their versions, and what came of trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.http import QueryDict

from curriculum import engine
from curriculum.models import Job, PromptTemplate, PromptTrial, Run
from curriculum.services import prompts
from curriculum.states import JobKind
from curriculum.views.calls import shown
from curriculum.views.review_reads import difference, opcodes

LONGEST_BY_WORDS = 4_000  # characters of a change that is shown word by word
TITLES = {
    "items": "the whole request",
    "concretise": "everyday cases",
    "decompose": "small steps",
    "limit_load": "small cases",
    "one_format": "one format",
    "plain_language": "plain words",
}


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    source: str
    actor: User | None = None
    at: datetime | None = None
    note: str = ""

    @property
    def title(self) -> str:
        return f"version {self.number}" if self.number else "built in"


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    versions: Sequence[Version]  # the last first; the built-in one is the last of them

    @property
    def title(self) -> str:
        return TITLES.get(self.name, self.name.replace("_", " "))

    @property
    def current(self) -> Version:
        return self.versions[0]


def head(run: Run) -> dict[str, Any]:
    """What every page of words has: whether this run's teacher is asked with any, and why not."""
    return {
        "run": run,
        "tab": "prompts",
        "is_in_words": engine.is_asked_in_words(run),
        "no_words": prompts.NO_WORDS,
    }


def templates(run: Run) -> list[Template]:
    """Every template of the run with all its versions. One query."""
    rows = PromptTemplate.objects.filter(run=run).select_related("actor").order_by("number")
    by_name: dict[str, list[PromptTemplate]] = {name: [] for name in engine.PROMPT_NAMES}
    for row in rows:
        if row.name in by_name:  # an archive may bring others, which no prompt is made of
            by_name[row.name].append(row)
    return [Template(name, _versions(name, found)) for name, found in by_name.items()]


def version(run: Run, name: str, number: int) -> Version:
    """One of them. Raises `BadPrompt` where there is none."""
    row = prompts.find_version(run, name, number)
    return as_version(row) if row else _built_in(name)


def as_version(row: PromptTemplate) -> Version:
    return Version(row.number, row.source, row.actor, row.created_at, row.note)


def source_in_use(run: Run, name: str) -> str:
    return engine.templates_of(run).sources[name]


def _versions(name: str, rows: Sequence[PromptTemplate]) -> list[Version]:
    return [*map(as_version, reversed(rows)), _built_in(name)]


def _built_in(name: str) -> Version:
    return Version(0, engine.built_in_prompt(name))


def compared(template: Template, said: QueryDict) -> dict[str, Any] | None:
    """The difference of the versions numbered `from` and `to`, or of the last two; None where
    there is but one.
    """
    by_number = {str(version.number): version for version in template.versions}
    now = template.current.number
    old = by_number.get(said.get("from", str(now - 1)))
    new = by_number.get(said.get("to", str(now)))
    if old is None or new is None:
        return None
    return {"old": old, "new": new, "parts": changes(old.source, new.source)}


def changes(old: str, new: str) -> list[tuple[str, str]]:
    """Words that stay, go and come, as (same | gone | new, text): line by line first, so that long
    texts take no long time, then word by word in the lines that changed.
    """
    a, b = _lines(old), _lines(new)
    parts: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in opcodes(a, b):
        gone, come = "".join(a[i1:i2]), "".join(b[j1:j2])
        if tag == "equal":
            parts.append(("same", gone))
        elif max(len(gone), len(come)) <= LONGEST_BY_WORDS:
            parts += _joined(difference(gone, come))
        else:
            parts += [(kind, text) for kind, text in (("gone", gone), ("new", come)) if text]
    return parts


def _joined(parts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """With changes that have nothing but a space between them as one: words, not confetti."""
    joined: list[tuple[str, str]] = []
    gone = come = space = ""
    for kind, text in [*parts, ("same", "")]:
        if kind == "same" and text and not text.strip(" ") and (gone or come):
            space = text
            continue
        if kind == "same":
            joined += [(k, t) for k, t in (("gone", gone), ("new", come)) if t]
            gone = come = ""
            joined += [("same", space + text)] if space + text else []
        elif kind == "gone":
            gone, come = gone + space + text, come + space
        elif space:
            gone, come = gone + space, come + space + text
        else:
            come += text
        space = ""
    return joined


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").rstrip("\n").splitlines(keepends=True)


def last_trial(run: Run, name: str = "") -> Job | None:
    """The last trial of words that was asked for in this run, whatever became of it: of the
    template `name`, or of any.
    """
    jobs = run.jobs.filter(kind=JobKind.TRY)
    if name:
        jobs = jobs.filter(asked__name=name)
    return jobs.order_by("-pk").first()


def trial_of(job: Job | None) -> dict[str, Any] | None:
    """What came of a trial; None before that."""
    found = PromptTrial.objects.filter(job=job).select_related("call").first() if job else None
    if found is None:
        return None
    return {"items": found.items, "faults": found.faults, "call": shown(found.call)}
