"""One chat template for training, assessing and serving: always the tokenizer's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from distill.backends.base import well_formed


@dataclass(frozen=True, slots=True)
class Rendered:
    """Token ids of one example; the first `n_prompt` are not trained on."""

    ids: tuple[int, ...]
    n_prompt: int

    @property
    def n_answer(self) -> int:
        """What a student has to say, the token that ends it among it."""
        return len(self.ids) - self.n_prompt


Render = Callable[[str, str], Rendered]
"""Of a question and its solution: see `renderer`."""


def load_tokenizer(folder: str) -> Any:
    """The tokenizer of a model folder, without its model: a second, and no torch."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def renderer(folder: Path) -> Render:
    """A question and its solution as the model of a folder is trained on them, uncut.

    The tokenizer is loaded when something is first rendered. Raises ValueError as `render_example`.
    """
    tokenizer = lru_cache(maxsize=1)(lambda: load_tokenizer(str(folder)))

    def render(question: str, solution: str) -> Rendered:
        return render_example(tokenizer(), question, solution, max_length_tokens=sys.maxsize)

    return render


def render_prompt(tokenizer: Any, question: str, *, system: str = "") -> list[int]:
    """Token ids of a user turn, up to where the assistant starts to speak."""
    return _ids(tokenizer, _messages(question, system), add_generation_prompt=True)


def render_example(
    tokenizer: Any, question: str, solution: str, *, system: str = "", max_length_tokens: int
) -> Rendered:
    """Token ids of a user turn and its answer, ended by the end-of-sequence token.

    What the template puts behind that token is cut off: a student never has to say it. Examples
    over `max_length_tokens` are cut at the end; of a prompt that long nothing is trained.

    Raises ValueError where the template renders the prompt differently once the answer follows:
    then the student would be trained on something that it is never asked.
    """
    prompt = render_prompt(tokenizer, question, system=system)
    messages = [*_messages(question, system), {"role": "assistant", "content": solution}]
    ids = _ids(tokenizer, messages, add_generation_prompt=False)
    if ids[: len(prompt)] != prompt:
        raise ValueError(
            "The chat template of this model renders a prompt differently when an answer "
            "follows. Choose a student whose template does not."
        )
    end = tokenizer.eos_token_id
    is_ended = end in ids[len(prompt) :]
    ids = ids[: len(ids) - ids[::-1].index(end)] if is_ended else [*ids, end]
    return Rendered(tuple(ids[:max_length_tokens]), min(len(prompt), max_length_tokens))


def common_prefix(sequences: Sequence[Sequence[int]]) -> int:
    """How many leading ids all sequences share, at least one id being left to each."""
    shortest = min(len(s) for s in sequences)
    first = sequences[0]
    for at in range(shortest - 1):
        if any(s[at] != first[at] for s in sequences):
            return at
    return shortest - 1


def _messages(question: str, system: str) -> list[dict[str, str]]:
    user = {"role": "user", "content": well_formed(question)}
    return [{"role": "system", "content": well_formed(system)}, user] if system else [user]


def _ids(
    tokenizer: Any, messages: list[dict[str, str]], *, add_generation_prompt: bool
) -> list[int]:
    ids = tokenizer.apply_chat_template(
        messages, add_generation_prompt=add_generation_prompt, tokenize=True, return_dict=False
    )
    return [int(i) for i in ids]
