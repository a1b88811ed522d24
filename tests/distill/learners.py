"""Students whose prerequisites are known: what j needs has to sit before j can be learnt."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from distill.backends.base import Prompt
from distill.backends.simulated import SimulatedTrainer, seen_items
from distill.identifier.edges import Checkpoint
from distill.roster import Student
from tests.distill.samples import RuleStudent

TEN: Mapping[str, tuple[str, ...]] = {
    "A1": (),
    "A2": ("A1",),
    "A3": ("A2",),
    "B2": ("A1",),
    "B3": ("B2",),
    "A4": ("A3", "B3"),
    "M1": ("A1",),
    "M2": ("M1", "A3"),
    "N1": (),
    "N2": ("N1",),
}
"""Ten skills of the domain `foundations`, with its ten edges."""

SITS = 0.8  # true score from which a prerequisite carries what builds on it
PROBES = 32  # a skill and checkpoint


def histories(
    needs: Mapping[str, Sequence[str]],
    *,
    seed: int,
    runs: int,
    checkpoints: int,
    taught: int = 3,
    leak: float = 0.05,
) -> list[Checkpoint]:
    """Runs that teach skills drawn at random, `taught` a round, with every skill asked each time.

    A round closes 60 to 95 % of a skill's distance to 0.98 where its prerequisites sit, and
    `leak` of that where they do not. Untaught skills fade by 0.5 % a round.
    """
    draw = np.random.default_rng(seed)
    skills = list(needs)
    gain = {k: draw.uniform(0.6, 0.95) for k in skills}
    found = []
    for run in range(runs):
        mastery = {k: draw.uniform(0, 0.15) for k in skills}
        for number in range(checkpoints):
            chosen = list(draw.choice(skills, taught, replace=False)) if number else []
            mastery = {k: m * 0.995 for k, m in mastery.items()}
            before = dict(mastery)
            for k in chosen:
                is_ready = all(before[i] >= SITS for i in needs[k])
                mastery[k] += gain[k] * (1 if is_ready else leak) * (0.98 - mastery[k])
            scores = {k: draw.binomial(PROBES, mastery[k]) / PROBES for k in skills}
            found.append(Checkpoint(f"run {run:02}", number, frozenset(chosen), scores, scores))
    return found


@dataclass
class Counting:
    """A student that learns by counting items, and only where its prerequisites were counted.

    helps: j -> (i, ...): items of j count for nothing before `enough` items of each i were seen.
    """

    helps: Mapping[str, Sequence[str]] = field(default_factory=dict)
    enough: int = 40

    def student(self) -> Student:
        return Student("counting", self._answering, SimulatedTrainer())

    def mastery(self, seen: Mapping[str, int], skill: str) -> float:
        if any(seen.get(i, 0) < self.enough for i in self.helps.get(skill, ())):
            return 0.05
        return min(0.95, 0.05 + 0.9 * seen.get(skill, 0) / self.enough)

    def _answering(self, adapter: Path | None) -> RuleStudent:
        return RuleStudent(partial(self._is_right, Counter(seen_items(adapter))))

    def _is_right(self, seen: Mapping[str, int], prompt: Prompt) -> bool:
        return hash_of(prompt.text) < self.mastery(seen, prompt.skill)


def hash_of(text: str) -> float:
    """A number in 0..1 that is the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
