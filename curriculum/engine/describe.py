"""What a form needs to know: domains, models, settings. Cheap: loads no model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from pydantic import ValidationError

from curriculum.errors import BadDomain, BadModel, BadSettings, CurriculumError
from curriculum.models import Run
from distill import domains as distill_domains
from distill import report, roster
from distill.backends.base import Backend
from distill.disk import is_full_disk
from distill.domains import parts
from distill.domains.foundations import Foundations
from distill.domains.lengths import solution_lengths
from distill.errors import BackendError, DistillError, DomainError, OutOfSpace
from distill.organizer.graph import find_cycle
from distill.records import Edge
from distill.settings import Settings, as_kept, faults
from distill.settings_page import one_line


@dataclass(frozen=True, slots=True)
class SkillRow:
    key: str
    title: str
    statement: str
    area: str
    level: int
    is_transfer: bool
    examples: list[dict[str, str]]  # question, solution


@dataclass(frozen=True, slots=True)
class DomainDescription:
    title: str
    skills: tuple[SkillRow, ...]
    edges: tuple[tuple[str, str], ...]  # source, target


@dataclass(frozen=True, slots=True)
class PlanRow:
    stages: list[tuple[str, bool, float, list[str]]]  # title, is_bridge, difficulty, skill keys
    notices: list[str]
    severity: dict[str, float] = field(default_factory=dict)


def home() -> Path:
    return Path(django_settings.IOA_HOME)


def models_folder() -> Path:
    return home() / "models"


def domains_folder() -> Path:
    """Where files lie that runs can be made of, beside the built-in domain."""
    return home() / "domains"


def domains() -> list[tuple[str, str]]:
    """(value, label) of every domain that a run can be made of: built in, or put in `domains/`."""
    files = sorted(p for p in domains_folder().glob("*") if p.is_file())
    return [
        (Foundations.id, Foundations.title),
        *((f"domains/{p.name}", p.name) for p in files if p.suffix in distill_domains.SUFFIXES),
    ]


def domains_titled() -> list[tuple[str, str]]:
    """`domains()` with the titles that people know them by before the names of their files."""
    return [(spec, _titled(spec, name)) for spec, name in domains()]


def _titled(spec: str, name: str) -> str:
    if spec == Foundations.id:
        return name
    try:
        title = _title_of(spec, _state(spec))
    except (BadDomain, OSError):  # the list of domains says what is wrong with it
        return name
    return name if title == Path(name).stem else f"{title} ({name})"


def _state(spec: str) -> tuple[str, int]:
    """The file, and another number once it is another: what was read of it is kept by this."""
    file = home() / spec
    return str(file), file.stat().st_mtime_ns


@lru_cache(maxsize=256)
def _title_of(spec: str, state: tuple[str, int]) -> str:
    """Read whole, which takes a while where it holds thousands of questions: once a `state`."""
    return load_domain(spec).title


def load_domain(spec: str) -> distill_domains.Domain:
    """The domain of that name, or of that file below IOA_HOME. Raises `BadDomain`."""
    path = spec
    if spec != Foundations.id:
        try:
            path = str((home() / spec).resolve())
        except (ValueError, OSError):  # no path at all
            path = ""
        if not Path(path).is_relative_to(home().resolve()):
            raise BadDomain(f"“{spec}” is not a domain of this installation.")
    try:
        return distill_domains.load(path)
    except DomainError as exc:
        raise BadDomain(str(exc)) from exc


def describe_domain(spec: str, skills: Sequence[str] = ()) -> DomainDescription:
    """Skills and edges of a domain; of the named skills only, and what they build on among
    themselves, if any are named.

    Raises `BadDomain` with a sentence.
    """
    domain = load_domain(spec)
    known = {s.id for s in domain.skills}
    if unknown := [k for k in skills if k not in known]:
        raise BadDomain(f"{domain.title} has no skill {', '.join(unknown)}.")
    chosen = set(skills) or known
    rows = tuple(
        SkillRow(
            s.id,
            s.title,
            s.statement,
            s.area,
            s.level,
            s.is_transfer,
            [asdict(e) for e in s.examples],
        )
        for s in domain.skills
        if s.id in chosen
    )
    if not any(not row.is_transfer for row in rows):
        raise BadDomain("Choose at least one skill that can be taught; transfer skills cannot.")
    edges = tuple((e.source, e.target) for e in parts.edges_among(domain.edges(), chosen))
    return DomainDescription(domain.title, rows, edges)


def lacking_told(edges: Sequence[tuple[str, str]], chosen: Sequence[str]) -> str:
    """In a sentence, which of these skills build on others; empty where none does. Pure."""
    missing = parts.lacking((Edge(*pair) for pair in edges), chosen)
    return parts.told({skill: missing[skill] for skill in chosen if skill in missing})


def with_prerequisites(edges: Sequence[tuple[str, str]], chosen: Sequence[str]) -> set[str]:
    """These skills, and all that they build on, directly or not. Pure."""
    return parts.with_prerequisites([Edge(*pair) for pair in edges], chosen)


def too_long(spec: str, most: int) -> dict[str, int]:
    """By skill about how many tokens its longest solutions have, where that is more than `most`.
    Of a domain's own solutions; a model's may have any length. Raises `BadDomain`.
    """
    state = (spec, 0) if spec == Foundations.id else _state(spec)
    return {skill: n for skill, n in _lengths_of(spec, state).items() if n > most}


@lru_cache(maxsize=256)
def _lengths_of(spec: str, state: tuple[str, int]) -> dict[str, int]:
    return solution_lengths(load_domain(spec))


def teachers() -> list[tuple[str, str]]:
    """(value, label) of the generators, and of every model that `IOA_TEACHERS` names."""
    return [
        (roster.PROCEDURAL, "procedural: exact generators with worked solutions"),
        *((spec, spec.partition("#")[0]) for spec in django_settings.IOA_TEACHERS),
    ]


def students() -> list[tuple[str, str]]:
    """(value, label) of every complete model folder, and the simulated student last."""
    folders = sorted(p.parent for p in models_folder().glob("*/config.json"))
    return [
        *((p.name, p.name) for p in folders),
        (roster.SIMULATED, "simulated: no model, for trying out the pages"),
    ]


def check_models(teacher: str, student: str) -> None:
    """Raise `BadModel`, with a sentence, unless both could be loaded."""
    try:
        find_teacher(teacher).close()
        find_student(student)
    except BackendError as exc:
        raise BadModel(str(exc)) from exc


def find_teacher(spec: str) -> Backend:
    """A teacher of `teachers()`; never one that a form could name, with a key of ours."""
    known = [value for value, _ in teachers()]
    if spec not in known:
        raise BadModel(f"“{spec}” is no teacher of this installation: see IOA_TEACHERS.")
    at_once = django_settings.IOA_TEACHER_REQUESTS
    return roster.find_teacher(spec, models_folder(), os.environ, at_once)


def find_student(spec: str) -> roster.Student:
    """A student by its name in IOA_HOME/models; never by a path that a form could smuggle in."""
    if Path(spec).name != spec:
        raise BadModel(f"“{spec}” is not a model of this installation.")
    return roster.find_student(spec, models_folder())


def default_settings() -> dict[str, Any]:
    defaults: dict[str, Any] = Settings().model_dump(mode="json")
    return defaults


def clean_settings(values: Mapping[str, Any], *, is_kept: bool = False) -> dict[str, Any]:
    """Complete, valid settings as plain JSON. Raises `BadSettings` naming each wrong value.

    is_kept: of a run that is there, perhaps of an earlier version: `distill.settings.as_kept`.
    """
    read = as_kept if is_kept else Settings.model_validate
    try:
        cleaned: dict[str, Any] = read(dict(values)).model_dump(mode="json")
    except ValidationError as exc:
        raise BadSettings(f"These settings cannot be used: {faults(exc)}.") from exc
    return cleaned


def settings_of(run: Run) -> Settings:
    return as_kept(run.settings)


@dataclass(frozen=True, slots=True)
class SettingRow:
    name: str
    value: str
    says: str
    is_changed: bool  # from its default


def settings_told(run: Run) -> list[tuple[str, str, list[SettingRow]]]:
    """Everything that decides what the run does, and what it means: (group, what it is, rows)."""
    usual, groups = Settings(), []
    for group, section in settings_of(run):
        rows = []
        for name, told in type(section).model_fields.items():
            value, default = getattr(section, name), getattr(getattr(usual, group), name)
            says = one_line(told.description)
            rows.append(SettingRow(name, _value_told(value), says, value != default))
        groups.append((group, one_line(type(section).__doc__), rows))
    return groups


def _value_told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def write_report(path: Path, figures: Mapping[str, Any]) -> None:
    """Write the figures beside `path`, then in its place. Raises `CurriculumError` when full."""
    try:
        report.write(path, figures)
    except OutOfSpace as exc:
        raise CurriculumError(str(exc)) from exc


def sentence(exc: Exception) -> str:
    """What a failed job says to people: our own errors as they stand, others with their kind."""
    if is_full_disk(exc) and not isinstance(exc, OutOfSpace):
        exc = OutOfSpace("the last result")
    if isinstance(exc, (DistillError, CurriculumError)):
        return storable(str(exc))
    told = storable(f"{type(exc).__name__}: {exc}")
    return f"Something unforeseen went wrong ({told}). A retry may help."


def storable(text: str) -> str:
    """The text as a database can keep it: PostgreSQL refuses NUL, UTF-8 halves of characters.
    A model may say either; in their place stands the sign for what cannot be shown.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\x00", "\ufffd")


def cycle(edges: Iterable[tuple[str, str]]) -> list[str]:
    """The skills of one cycle, first one repeated at the end; [] when there is none."""
    return find_cycle(Edge(source, target) for source, target in edges)
