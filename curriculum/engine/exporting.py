"""A run's curriculum as a domain file, and its student with an adapter merged in."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Set
from pathlib import Path

from curriculum.engine.describe import find_student, home, load_domain
from curriculum.engine.examples import examples_of
from curriculum.engine.planning import edges_of
from curriculum.errors import BadDomain, BadModel
from curriculum.models import Checkpoint, Run
from curriculum.states import SkillStatus
from distill import domains, roster
from distill.domains.base import FULL_LEVEL, Domain, Problem
from distill.domains.files import FileDomain
from distill.errors import DomainError
from distill.records import Edge, Probe, Skill, Split

QUESTIONS = 100  # a skill and split, of a domain that generates them


class _Edited:
    """A domain with other skills: words and edges as people left them in a run."""

    def __init__(self, domain: Domain, skills: tuple[Skill, ...], edges: tuple[Edge, ...]) -> None:
        self._domain, self.skills, self._edges = domain, skills, edges
        self.id, self.title, self.version = domain.id, domain.title, domain.version

    def edges(self) -> tuple[Edge, ...]:
        return self._edges

    def grader(self, skill: str) -> str:
        return self._domain.grader(skill)

    def asks(self, skill: str, question: str) -> bool | None:
        return self._domain.asks(skill, question)

    def dealt_to(self, question: str) -> Split | None:
        return self._domain.dealt_to(question)

    def size(self, skill: str, split: Split) -> int | None:
        return self._domain.size(skill, split)

    def probes(
        self, skill: str, split: Split, n: int, *, seed: int, exclude: Set[str] = frozenset()
    ) -> list[Probe]:
        return self._domain.probes(skill, split, n, seed=seed, exclude=exclude)

    def problems(
        self,
        skill: str,
        n: int,
        *,
        seed: int,
        level: int = FULL_LEVEL,
        exclude: Set[str] = frozenset(),
    ) -> list[Problem]:
        return self._domain.problems(skill, n, seed=seed, level=level, exclude=exclude)


def domain_file(run: Run) -> str:
    """The run's active skills as YAML that `ioa domains check` accepts: titles, statements and
    prerequisites as they are in the run, questions as they are in its domain. Raises `BadDomain`.
    """
    domain = load_domain(run.domain)
    rows = {s.key: s for s in run.skills.filter(status=SkillStatus.ACTIVE)}
    edges = tuple(e for e in edges_of(run) if {e.source, e.target} <= rows.keys())
    skills = tuple(
        dataclasses.replace(
            skill,
            title=rows[skill.id].title,
            statement=rows[skill.id].statement,
            examples=examples_of(rows[skill.id]),
            prerequisites=tuple(e.source for e in edges if e.target == skill.id),
        )
        for skill in domain.skills
        if skill.id in rows
    )
    edited: Domain = _Edited(domain, skills, edges)
    if isinstance(domain, FileDomain):
        edited = dataclasses.replace(domain, skills=skills)
    with tempfile.TemporaryDirectory(prefix="ioa-domain-") as folder:
        path = Path(folder) / "domain.yaml"
        try:
            domains.export(edited, path, limit=QUESTIONS, remarks=[f"from the run {run.name}"])
        except DomainError as exc:
            raise BadDomain(str(exc)) from exc
        return path.read_text(encoding="utf-8")


def merge(checkpoint: Checkpoint, out: Path) -> None:
    """Write the base model with the adapter merged in to `out`, as safetensors with the tokenizer.

    Loads the whole model. Raises `BadModel` where there is nothing to merge.
    """
    run = checkpoint.run
    if run.student == roster.SIMULATED or not checkpoint.folder:
        raise BadModel("There are no weights to merge: this student has no adapter.")
    find_student(run.student)  # refuses what is not a model of this installation
    from distill.training.merging import merge_adapter

    merge_adapter(home() / "models" / run.student, home() / checkpoint.folder, out)
