"""Answers from a list. For tests and for demos."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from distill.backends.base import Ability, Prompt, Reply
from distill.errors import BackendUnavailable


class ScriptedBackend:
    """Answers from a list, in order, and remembers what it was asked."""

    name = "scripted"
    abilities = frozenset({Ability.COUNTS, Ability.REOPENS})  # words, for tokens

    def __init__(self, replies: Sequence[str]) -> None:
        self._replies = iter(replies)
        self.asked: list[Prompt] = []

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        self.asked += prompts
        texts = list(islice(self._replies, len(prompts)))
        if len(texts) < len(prompts):
            raise BackendUnavailable("The script has no more replies.")
        return [
            Reply(t, len(p.text.split()), len(t.split()))
            for p, t in zip(prompts, texts, strict=True)
        ]

    def close(self) -> None:
        pass
