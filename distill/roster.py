"""Who teaches and who learns, by name: from a word in a form or on a command line to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from distill.backends.base import Backend, Prompt, Reply, stream
from distill.backends.chat import Render
from distill.backends.procedural import ProceduralBackend
from distill.backends.simulated import SimulatedStudent, SimulatedTrainer
from distill.errors import BackendUnavailable
from distill.training.base import Trainer

SIMULATED = "simulated"
PROCEDURAL = "procedural"
# what the spec of a language model begins with
OPENAI, LOCAL, VLLM = "openai:", "transformers:", "vllm:"
TEACHERS_HELP = (
    f"Who sets the mark: {PROCEDURAL}, {LOCAL}NAME, {VLLM}NAME or {OPENAI}MODEL@URL#NAME_OF_KEY."
)
AT_ONCE = 8  # requests that a server gets at a time, unless somebody says otherwise
MODELS_HELP = f"a folder in --models, a path, or {OPENAI}MODEL@https://host/v1#NAME_OF_KEY"


@dataclass(frozen=True, slots=True)
class Student:
    """A student as the loop sees it: it answers, with an adapter or as it came, and is trained."""

    name: str
    answering: Callable[[Path | None], Backend]
    trainer: Trainer
    rendered: Render | None = None  # a question and its solution as it is trained, if in tokens

    @property
    def tokens(self) -> Callable[[str, str], int] | None:
        """Counts those of a question and its solution, where the student has any."""
        render = self.rendered
        return None if render is None else lambda asked, said: len(render(asked, said).ids)


def find_student(spec: str, models: Path) -> Student:
    """The student called `spec`: "simulated", a folder in `models`, or a path to a model folder;
    with "vllm:" before it, it answers by vLLM, and is trained as ever.

    Looks at the folder but loads nothing: cheap, and without torch. Raises `ModelFolderBroken`, or
    `BackendUnavailable` where vLLM is not installed.
    """
    if spec == SIMULATED:
        return Student(SIMULATED, SimulatedStudent, SimulatedTrainer())
    from distill.backends.chat import renderer
    from distill.backends.transformers import TransformersBackend, check_model_folder
    from distill.backends.vllm import VllmBackend, check_installed
    from distill.training.lora import LoraTrainer

    if is_served := spec.startswith(VLLM):
        check_installed()
    name = spec.removeprefix(VLLM)
    folder = models / name if "/" not in name else Path(name)
    check_model_folder(folder)
    backend: Callable[..., Backend] = VllmBackend if is_served else TransformersBackend
    return Student(
        folder.name,
        lambda adapter: backend(folder, adapter=adapter),
        LoraTrainer(folder),
        renderer(folder),
    )


def find_teacher(
    spec: str, models: Path, keys: Mapping[str, str] | None = None, at_once: int = AT_ONCE
) -> Backend:
    """The teacher called `spec`: "procedural", or a language model by its whole spec.

    Cheap, see `find_model`. Raises `BackendUnavailable` or `ModelFolderBroken`.
    """
    if spec == PROCEDURAL:
        return ProceduralBackend()
    if spec.startswith((OPENAI, LOCAL, VLLM)):
        return find_model(spec, models, keys, at_once)
    raise BackendUnavailable(
        f"There is no teacher “{spec}”. Known teachers: {PROCEDURAL}, {LOCAL}NAME, {VLLM}NAME and "
        f"{OPENAI}MODEL@https://host/v1#NAME_OF_KEY."
    )


def find_model(
    spec: str, models: Path, keys: Mapping[str, str] | None = None, at_once: int = AT_ONCE
) -> Backend:
    """The language model called `spec`: "openai:MODEL@URL#NAME_OF_KEY", or a folder as in
    `find_student`, with "transformers:" or "vllm:" before it or without.

    keys: from the names that a spec may use to keys; an environment will do. Whoever may write
    a spec may send any of them to any server. at_once: requests that a server gets at a time.

    Cheap: asks nobody, loads nothing. Raises `BackendUnavailable`, also for a key that is
    missing, or `ModelFolderBroken`.
    """
    if spec.startswith(OPENAI):
        from distill.backends.openai import OpenAIBackend
        from distill.backends.servers import parse

        server = parse(spec)
        key = (keys or {}).get(server.key_name, "")
        return OpenAIBackend(server, key, concurrency=at_once)
    return Lazy(find_student(spec.removeprefix(LOCAL), models), None)


def make_room(teacher: Backend) -> None:
    """Before a training, which has the device to itself: a model that runs here is closed, and is
    loaded again when it is next asked. A server of somebody's stays as it is.
    """
    if isinstance(teacher, Lazy):
        teacher.close()


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

    def stream(
        self, prompts: Sequence[Prompt], *, batch: int | None = None
    ) -> Iterator[Sequence[tuple[int, Reply]]]:
        """As the model can: see `base.stream`."""
        if not prompts:
            return
        if self._backend is None:
            self._backend = self._load()
        yield from stream(self._backend, prompts, batch=batch)

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None
