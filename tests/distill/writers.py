"""Language models made of a rule: one that writes items, well or badly."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from functools import cache

from distill import domains
from distill.backends.base import Prompt, Reply
from distill.domains.base import Problem

_N = re.compile(r"Write (\d+) different exercises")


def said(*items) -> str:
    """A reply with these items: (question, steps, answer)."""
    return json.dumps(
        {"items": [{"question": q, "steps": list(steps), "answer": a} for q, steps, a in items]}
    )


def number_item(draw: random.Random):
    a, b = draw.randint(100, 999), draw.randint(100, 999)
    return f"What is {a} + {b}?", [f"{a} + {b} = {a + b}"], str(a + b)


@cache
def _problems(skill: str) -> list[Problem]:
    return domains.load("foundations").problems(skill, 2000, seed=0)


class Writer:
    """Answers a request for items with as many, drawn from the words it is asked with and its
    seed; answers anything else with `answer`. `spoil` gets each reply, and may ruin it.
    """

    name = "writer"

    def __init__(
        self,
        item: Callable[[random.Random], tuple[str, Sequence[str], str]] = number_item,
        answer: Callable[[Prompt], str] = lambda prompt: f"Answer: {prompt.reference}",
        spoil: Callable[[str, int], str] = lambda reply, nth: reply,
    ) -> None:
        self._item, self._answer, self._spoil = item, answer, spoil
        self.asked: list[Prompt] = []

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return [self._reply(prompt) for prompt in prompts]

    def _reply(self, prompt: Prompt) -> Reply:
        self.asked.append(prompt)
        wanted = _N.search(prompt.text)
        if wanted is None:
            text = self._answer(prompt)
        else:
            draw = random.Random(f"{prompt.text}{prompt.sampling.seed}")
            text = said(*(self._item(draw) for _ in range(int(wanted[1]))))
        text = self._spoil(text, len(self.asked))
        return Reply(text, len(prompt.text) // 4, len(text) // 4)

    @property
    def requests(self) -> list[Prompt]:
        return [p for p in self.asked if _N.search(p.text)]

    def close(self) -> None:
        pass


class Tutor(Writer):
    """Writes what `foundations` asks of the skill; of A2 where a request does not name one."""

    def _reply(self, prompt: Prompt) -> Reply:
        def item(draw: random.Random) -> tuple[str, Sequence[str], str]:
            problem = draw.choice(_problems(prompt.skill or "A2"))
            steps = problem.worked.removesuffix(problem.terse).split(". ")
            return problem.question, [step for step in steps if step], problem.answer

        self._item = item
        return super()._reply(prompt)
