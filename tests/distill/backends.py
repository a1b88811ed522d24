"""The backends that tests/distill/test_conformance.py holds to the protocol, and how each is made.

A real vLLM server is among them where IOA_TEST_VLLM_URL and IOA_TEST_VLLM_MODEL name one, and the
backend `vllm` where IOA_TEST_VLLM names a model folder: `bench/vllm_cpu.sh` sets both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from distill.backends.base import Ability, Backend, Prompt
from distill.backends.openai import OpenAIBackend, Patience
from distill.backends.procedural import ProceduralBackend
from distill.backends.scripted import ScriptedBackend
from distill.backends.servers import Server
from distill.backends.simulated import SimulatedStudent
from distill.errors import BackendUnavailable
from distill.settings import Sampling
from tests.distill import tiny
from tests.distill.serving import Said, completion, serving

COUNTS, LIMITS, SYSTEM, STEADY, DRAWS, FORMS, REOPENS = Ability
REFUSED = "Refuse this."
SHORT = Sampling(max_tokens=8)


@dataclass(frozen=True)
class Case:
    """One backend: how it is made, what it has to declare, and what is known of what it says.

    also: what the server behind it can do, which a backend for any server cannot declare.
    """

    name: str
    make: Callable[[pytest.FixtureRequest], Iterator[Backend]]
    declares: frozenset[Ability]
    also: frozenset[Ability] = frozenset()
    says: Callable[[Prompt], str] | None = None  # None: what a model says nobody knows
    refuses: Callable[[Backend, pytest.MonkeyPatch], Prompt] | None = None  # None: it never fails
    marks: tuple[pytest.MarkDecorator, ...] = ()

    def can(self, ability: Ability) -> bool:
        return ability in self.declares | self.also


# --- who is asked -------------------------------------------------------------------------------


def scripted(request):
    yield ScriptedBackend([f"reply {n}" for n in range(1000)])


def procedural(request):
    yield ProceduralBackend()


def simulated(request):
    yield SimulatedStudent()


def openai(request):
    """A server that repeats what it is asked, keeps to `max_tokens` in words, and knows a form."""

    def answer(asked):
        words = f"You say: {asked.words}".split()
        if asked.words == REFUSED:
            return Said({"error": {"message": "no"}}, 400)
        if "response_format" in asked.body:
            words = ['{"skill": "add", "easy": true}']
        limit = asked.body["max_tokens"]
        choice = {"finish_reason": "length" if len(words) > limit else "stop"}
        read = sum(len(message["content"].split()) + 1 for message in asked.body["messages"])
        usage = {"prompt_tokens": read, "completion_tokens": min(len(words), limit)}
        return completion(" ".join(words[:limit]), choice=choice, usage=usage)

    with serving() as served:
        served.answer = answer
        yield OpenAIBackend(Server("org/Some_Model:free", served.url))


def vllm_server(request):
    model, url = os.environ["IOA_TEST_VLLM_MODEL"], os.environ["IOA_TEST_VLLM_URL"]
    yield OpenAIBackend(Server(model, url), patience=Patience(tries=2))


def vllm_in_process(request):
    from distill.backends.vllm import VllmBackend

    yield VllmBackend(Path(os.environ["IOA_TEST_VLLM"]), max_model_len=2048, enforce_eager=True)


def tiny_transformers(request):
    from distill.backends.transformers import TransformersBackend

    folder = request.getfixturevalue("tmp_path_factory").mktemp("models") / "Tiny_Model"
    with on_one_core():
        yield TransformersBackend(tiny.make(folder))


def student_transformers(request):
    from distill.backends.transformers import TransformersBackend

    yield TransformersBackend(request.getfixturevalue("student_folder"))


def vllm_double(request):
    """The backend `vllm` with all of its processes, and a stand-in for vLLM that echoes."""
    from distill.backends.vllm import VllmBackend
    from tests.distill import vllm_double

    folder = request.getfixturevalue("tmp_path_factory").mktemp("double")
    with vllm_double.installed(folder) as python:
        yield VllmBackend(vllm_double.model(folder), python=python, max_model_len=2048)


@contextmanager
def on_one_core():
    """More would only wait for each other: the model has some thousand weights."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def breaking_down(backend, patch):
    """Let a local model run out of memory, or the like."""

    def fail(*args, **kwargs):
        raise BackendUnavailable("The model cannot go on.")

    patch.setattr(backend, "_generate_batch", fail)
    return Prompt("hello", SHORT)


def too_long(backend, patch):
    return Prompt("word " * 5000, SHORT)


MODEL = frozenset(Ability) - {FORMS, REOPENS}
SERVED = frozenset({COUNTS, LIMITS, SYSTEM, REOPENS})
TORCH, STUDENT = pytest.mark.torch, pytest.mark.student

CASES = [
    Case("scripted", scripted, frozenset({COUNTS, REOPENS})),
    Case(
        "procedural",
        procedural,
        frozenset({STEADY, REOPENS}),
        says=lambda prompt: f"Answer: {prompt.reference}",
    ),
    Case("simulated", simulated, frozenset({COUNTS, STEADY, REOPENS})),
    Case(
        "openai",
        openai,
        SERVED,
        also=frozenset({STEADY, FORMS}),
        says=lambda prompt: " ".join(
            f"You say: {prompt.text}".split()[: prompt.sampling.max_tokens]
        ),
        refuses=lambda backend, patch: Prompt(REFUSED),
    ),
    Case("vllm", vllm_double, frozenset(Ability), refuses=too_long),
    Case("transformers", tiny_transformers, MODEL, refuses=breaking_down, marks=(TORCH,)),
    Case("student", student_transformers, MODEL, refuses=breaking_down, marks=(TORCH, STUDENT)),
]
if os.environ.get("IOA_TEST_VLLM_URL"):
    CASES.append(
        Case(
            "vllm_server",
            vllm_server,
            SERVED,
            also=frozenset({STEADY, DRAWS, FORMS}),
            refuses=too_long,
        )
    )
if os.environ.get("IOA_TEST_VLLM"):
    CASES.append(Case("vllm_in_process", vllm_in_process, frozenset(Ability), refuses=too_long))


class Maker:
    """Makes a backend when there is none, as a real model is not loaded for each test."""

    def __init__(self, make: Callable[[], AbstractContextManager[Backend]]) -> None:
        self._make, self._stack = make, ExitStack()
        self._live: Backend | None = None

    def live(self):
        if self._live is None:
            self._live = self._stack.enter_context(self._make())
        return self._live

    def forget(self):
        if self._live is not None:
            self._live.close()
        self._live = None
        self._stack.close()
