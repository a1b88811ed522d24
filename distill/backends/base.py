"""Who answers: one protocol for teachers, students and judges."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from distill.errors import BackendError
from distill.settings import Sampling

STREAM_BATCH = 16
"""Prompts that a backend which says nothing of it is given at once by `stream`: what is lost when
it is killed.
"""

_NOT_IN_NAMES = re.compile(r"[^a-z0-9.-]+")

Beat = Callable[[int, int], None]
"""`beat(done, total)`: called between units of work; what it raises stops the work."""


def no_beat(done: int, total: int) -> None:
    """For callers who neither show progress nor cancel."""


@dataclass(frozen=True, slots=True)
class Prompt:
    text: str  # the user's turn
    sampling: Sampling = Sampling()
    system: str = ""  # empty: what the tokenizer's template says by itself
    reference: str = ""  # the right answer, and
    skill: str = ""  # the skill asked about: for backends that stand for somebody, see Backend
    schema: Mapping[str, Any] | None = field(default=None, hash=False)  # JSON schema of the reply


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    prompt_tokens: int
    reply_tokens: int
    truncated: bool = False  # it ran into max_tokens


class Ability(StrEnum):
    """What a backend does beyond the protocol. It declares these in `.abilities`, and
    tests/distill/test_conformance.py holds each to its word.
    """

    COUNTS = "counts tokens"  # else both counts of a reply are 0
    LIMITS = "keeps to max_tokens"  # and says `truncated`; else no reply is ever cut
    SYSTEM = "hears the system turn"
    STEADY = "answers a greedy batch the same in every call"
    DRAWS = "draws by temperature and seed, the same again from the same seed and batch"
    FORMS = "keeps to a prompt's schema"  # a reply that is not cut off is JSON that fits it
    REOPENS = "may be asked again after close()"  # else that is `BackendUnavailable`


def abilities(backend: Backend) -> frozenset[Ability]:
    """What a backend declares; nothing for one that declares nothing."""
    declared: frozenset[Ability] = getattr(backend, "abilities", frozenset())
    return declared


def name_of(model: str) -> str:
    """A model's name in the letters that audit log and file names take: [a-z0-9.-]+."""
    return _NOT_IN_NAMES.sub("-", model.lower()).strip("-.") or "model"


def well_formed(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, which no encoding takes."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def at_once(backend: Backend, most: int) -> int:
    """How many prompts to put in one call so that it does not take long: `most`, or fewer for a
    backend that says (`.at_once`) that it works on fewer at the same time.
    """
    return min(most, getattr(backend, "at_once", most))


def stream(
    backend: Backend, prompts: Sequence[Prompt], *, batch: int | None = None
) -> Iterator[Sequence[tuple[int, Reply]]]:
    """Answer each prompt once; yields (place of the prompt, reply) as they come, in any order,
    and together what came together: who keeps that before anything else has lost nothing. Nothing
    may have come, too: a chance to stop.

    A backend that can tell as it goes has a `.stream` of its own, of the same form. Any other is
    asked `batch` by batch: by default what it says that it works on at the same time (`.at_once`).
    Of prompts that follow each other and begin alike a local model runs the beginning once.
    What came before an error is yielded before it is raised. Who stops reading early stops the
    backend as soon as it can be stopped.
    """
    by_itself = getattr(backend, "stream", None)
    if by_itself is not None:
        if prompts:
            yield from by_itself(prompts, batch=batch)
        return
    step: int = getattr(backend, "at_once", STREAM_BATCH) if batch is None else batch
    for start in range(0, len(prompts), step):
        asked = prompts[start : start + step]
        try:
            replies = backend.generate(asked)
        except BackendError as exc:
            yield [(start + i, r) for i, r in enumerate(exc.replies) if r is not None]
            raise
        yield list(zip(range(start, start + len(asked)), replies, strict=True))


class Backend(Protocol):
    """Anything that can answer prompts: a teacher, a student, a judge.

    A backend knows nothing of stages. It retries what is worth retrying by itself; what it
    raises is final: `BackendUnavailable` or `PromptRefused`, whose `.replies` are those of the
    batch that came all the same. Only `procedural` and `simulated` look at `Prompt.reference` and
    `.skill`: they stand for somebody who knows the answer exactly, or who is played by a model of
    learning. Only `openai` and `vllm` look at `.schema`: whoever asks for a form has to check the
    reply. What a backend does beyond that it declares: see `Ability`.
    """

    name: str  # goes into the audit log and into file names: [a-z0-9.-]+

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        """Answer each prompt: N in, N out, in the same order. [] for []."""
        ...

    def close(self) -> None:
        """Let go of memory and connections. Safe to call twice."""
        ...
