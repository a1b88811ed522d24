"""Who teaches and who learns, by name: from a word in a form or on a command line to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from distill.backends.base import Backend, Prompt, Reply
from distill.backends.procedural import ProceduralBackend
from distill.backends.simulated import SimulatedStudent, SimulatedTrainer
from distill.errors import BackendUnavailable
from distill.training.base import Trainer

SIMULATED = "simulated"
PROCEDURAL = "procedural"
OPENAI, LOCAL = "openai:", "transformers:"  # what the spec of a language model begins with
TEACHERS_HELP = f"Who sets the mark: {PROCEDURAL}, {LOCAL}NAME or {OPENAI}MODEL@URL#NAME_OF_KEY."
MODELS_HELP = f"a folder in --models, a path, or {OPENAI}MODEL@https://host/v1#NAME_OF_KEY"


@dataclass(frozen=True, slots=True)
class Student:
    """A student as the loop sees it: it answers, with an adapter or as it came, and is trained."""

    name: str
    answering: Callable[[Path | None], Backend]
    trainer: Trainer
    tokens: Callable[[str, str], int] | None = None  # of a question and its solution, if it counts


def find_student(spec: str, models: Path) -> Student:
    """The student called `spec`: "simulated", a folder in `models`, or a path to a model folder.

    Looks at the folder but loads nothing: cheap, and without torch. Raises `ModelFolderBroken`.
    """
    if spec == SIMULATED:
        return Student(SIMULATED, SimulatedStudent, SimulatedTrainer())
    from distill.backends.chat import token_counter
    from distill.backends.transformers import TransformersBackend, check_model_folder
    from distill.training.lora import LoraTrainer

    folder = models / spec if "/" not in spec else Path(spec)
    check_model_folder(folder)
    return Student(
        folder.name,
        lambda adapter: TransformersBackend(folder, adapter=adapter),
        LoraTrainer(folder),
        token_counter(folder),
    )


def find_teacher(spec: str, models: Path, keys: Mapping[str, str] | None = None) -> Backend:
    """The teacher called `spec`: "procedural", or a language model by its whole spec.

    Cheap, see `find_model`. Raises `BackendUnavailable` or `ModelFolderBroken`.
    """
    if spec == PROCEDURAL:
        return ProceduralBackend()
    if spec.startswith((OPENAI, LOCAL)):
        return find_model(spec, models, keys)
    raise BackendUnavailable(
        f"There is no teacher “{spec}”. Known teachers: {PROCEDURAL}, {LOCAL}NAME and "
        f"{OPENAI}MODEL@https://host/v1#NAME_OF_KEY."
    )


def find_model(spec: str, models: Path, keys: Mapping[str, str] | None = None) -> Backend:
    """The language model called `spec`: "openai:MODEL@URL#NAME_OF_KEY", or a folder as in
    `find_student`, with "transformers:" before it or without.

    keys: from the names that a spec may use to keys; an environment will do. Whoever may write
    a spec may send any of them to any server.

    Cheap: asks nobody, loads nothing. Raises `BackendUnavailable`, also for a key that is
    missing, or `ModelFolderBroken`.
    """
    if spec.startswith(OPENAI):
        from distill.backends.openai import OpenAIBackend
        from distill.backends.servers import parse

        server = parse(spec)
        return OpenAIBackend(server, (keys or {}).get(server.key_name, ""))
    return Lazy(find_student(spec.removeprefix(LOCAL), models), None)


class Lazy:
    """A model that is loaded when it is first asked something."""

    def __init__(self, student: Student, adapter: Path | None) -> None:
        self.name = student.name
        self._load = partial(student.answering, adapter)
        self._backend: Backend | None = None

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        if not prompts:
            return []
        if self._backend is None:
            self._backend = self._load()
        return self._backend.generate(prompts)

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None
