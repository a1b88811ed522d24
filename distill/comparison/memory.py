"""The student as it came is asked the same by every arm of a seed: once is enough."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from distill.backends.base import Backend, Prompt, Reply
from distill.diagnosis import BASE, Progress, ask_missing
from distill.domains.base import Domain
from distill.journal import Journal
from distill.records import Split
from distill.roster import Lazy, Student
from distill.settings import Settings


class Remembered:
    """A backend that knows what it said to some questions, and asks `backend` the others.

    Only for greedy answers of one model: then a reply is a function of the question.
    """

    def __init__(self, backend: Backend, said: Mapping[str, Reply]) -> None:
        self.name = backend.name
        self._backend = backend
        self._said = said

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        missing = [p for p in prompts if p.text not in self._said]
        new = iter(self._backend.generate(missing))
        return [self._said[p.text] if p.text in self._said else next(new) for p in prompts]

    def close(self) -> None:
        self._backend.close()


def ask_base(
    folder: Path,
    domain: Domain,
    student: Student,
    settings: Settings,
    *,
    skills: Sequence[str],
    seed: int,
    progress: Progress,
) -> None:
    """Ask the student as it came what every arm of this seed will ask it; on record in `folder`."""
    journal = _journal(folder, seed)
    journal.begin(
        domain=f"{domain.id} {domain.version}",
        student=student.name,
        max_answer_tokens=settings.probing.max_answer_tokens,
    )
    wanted = {
        Split.DIAGNOSE: settings.probing.diagnose_probes,
        Split.FINAL: settings.probing.final_probes,
    }
    backend = Lazy(student, None)
    try:
        for split, n in wanted.items():
            probes = [p for k in skills for p in domain.probes(k, split, n, seed=seed)]
            if probes:
                ask_missing(journal, BASE, backend, probes, settings.probing, progress)
    finally:
        backend.close()


def remembering(student: Student, folder: Path, seed: int) -> Student:
    """The student, with its answers from before it was taught as `ask_base` found them."""
    said = _journal(folder, seed).replies(BASE)

    def answering(adapter: Path | None) -> Backend:
        if adapter is not None:
            return student.answering(adapter)
        return Remembered(Lazy(student, None), said)

    return dataclasses.replace(student, answering=answering)


def _journal(folder: Path, seed: int) -> Journal:
    return Journal(folder, resume=True, name=f"seed-{seed}.jsonl")
