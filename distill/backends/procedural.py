"""A teacher that is a program: it knows every answer, for nothing."""

from __future__ import annotations

from collections.abc import Sequence

from distill.backends.base import Ability, Prompt, Reply


class ProceduralBackend:
    """Answers with the reference. P_T = 1 by construction, and no tokens are spent.

    Source: programs that write problems are far cheaper than a model's calls (CBIT,
    arXiv 2511.07932).
    """

    name = "procedural"
    abilities = frozenset({Ability.STEADY, Ability.REOPENS})

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return [Reply(f"Answer: {p.reference}", 0, 0) for p in prompts]

    def close(self) -> None:
        pass
