"""Answers from a list. For tests and for demos."""

from __future__ import annotations

from collections.abc import Sequence

from distill.backends.base import Prompt, Reply


class ScriptedBackend:
    """Answers from a list, in order, and remembers what it was asked."""

    name = "scripted"

    def __init__(self, replies: Sequence[str]) -> None:
        self._replies = iter(replies)
        self.asked: list[Prompt] = []

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        self.asked += prompts
        texts = [next(self._replies) for _ in prompts]
        return [
            Reply(t, len(p.text.split()), len(t.split()))
            for p, t in zip(prompts, texts, strict=True)
        ]

    def close(self) -> None:
        pass
