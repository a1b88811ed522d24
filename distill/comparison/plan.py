"""What is compared: everything that a run of an arm depends on, in words a process can be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distill import roster
from distill.allowance import count_words
from distill.comparison.arms import AVERAGED, BARE, IOA, Arm, find
from distill.domains.base import Domain
from distill.errors import DistillError, DomainError
from distill.roster import Student
from distill.settings import Settings

SAMPLE = 64  # problems of each skill, to see how long items are
TUNING_SEEDS_FROM = 1000  # seeds below are for what is reported, and no others

COMPOSITE = {"foundations": ("X1", "E1", "W1", "W2", "M2", "B3")}
"""Skills that put others together, by domain; elsewhere those with two prerequisites or more."""


@dataclass(frozen=True, slots=True)
class Run:
    """One student taught by one arm."""

    arm: str
    items: int  # the budget's size
    seed: int
    rate: float | None = None  # learning rate, while it is tuned

    @property
    def folder(self) -> str:
        name = f"{self.arm}/items-{self.items}/seed-{self.seed}"
        return name if self.rate is None else f"{name}/rate-{self.rate:g}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is compared: every arm with every budget and seed, by the same student and teacher."""

    domain: str
    student: str
    teacher: str
    models: Path
    skills: tuple[str, ...]  # empty: all
    arms: tuple[str, ...]
    items: tuple[int, ...]  # budgets, small to large
    seeds: tuple[int, ...]
    settings: Settings = Settings()
    tuning: Mapping[str, Any] = field(default_factory=dict)  # see `tuning.choose`
    rates: tuple[float, ...] = ()  # to choose from; none: nothing is tuned
    requests: int = roster.AT_ONCE

    def runs(self) -> Iterator[Run]:
        """Seed by seed, so that what is there so far can be compared in pairs."""
        for items in self.items:
            for seed in self.seeds:
                for arm in self.arms:
                    for rate in self.rates or (None,):
                        yield Run(arm, items, seed, rate)

    def settings_of(self, run: Run) -> Settings:
        """The arm's: its own learning rate, and room for as many items as its tokens hold.

        The budget of items only has to be out of the way: tokens are what is equal. An arm of one
        training has one schedule that ends at nothing, unless its name asks for an average.
        """
        rate = run.rate or self._tuned(run.arm) or self.settings.lora.learning_rate
        budget = self.settings.budget.model_copy(update={"items": run.items * 100})
        changed: dict[str, object] = {"learning_rate": rate}
        arm = find(run.arm)
        if isinstance(arm, Arm) and not (arm.asks_between or arm.is_averaged):
            changed["average"] = None
        lora = self.settings.lora.model_copy(update=changed)
        return self.settings.model_copy(update={"budget": budget, "lora": lora})

    def _tuned(self, arm: str) -> float | None:
        """What was chosen for the arm, or for the one that it is less a part of."""
        chosen = self.tuning.get("chosen", {})
        whole = IOA if arm.startswith(f"{IOA}-") else arm.removesuffix(BARE).removesuffix(AVERAGED)
        row = chosen.get(arm) or chosen.get(whole)
        return None if row is None else float(row["learning_rate"])

    def identity(self) -> dict[str, Any]:
        """What may not change when a comparison goes on; arms, budgets and seeds may be added."""
        return {
            "student": self.student.rpartition("/")[2],
            "teacher": self.teacher,
            "skills": list(self.skills),
            "settings": self.settings.model_dump(mode="json"),
            "tuned": {k: row["learning_rate"] for k, row in self.tuning.get("chosen", {}).items()},
            "rates": list(self.rates),
        }


def tokens_per_item(domain: Domain, student: Student, skills: Sequence[str]) -> float:
    """Mean tokens of a worked item over the skills that are taught, each weighing the same.

    So that a budget of N items is the same number of tokens for every arm and seed.
    """
    count = student.tokens or count_words
    means = []
    for skill in domain.skills:
        if skill.is_transfer or (skills and skill.id not in skills):
            continue
        problems = domain.problems(skill.id, SAMPLE, seed=0)
        if problems:
            means.append(sum(count(p.question, p.worked) for p in problems) / len(problems))
    if not means:
        raise DomainError(
            f"{domain.title} writes no items by itself, so that their length is not known before."
        )
    return sum(means) / len(means)


def composite(domain: Domain) -> tuple[str, ...]:
    listed = COMPOSITE.get(domain.id)
    if listed is not None:
        return listed
    return tuple(s.id for s in domain.skills if not s.is_transfer and len(s.prerequisites) > 1)


def read_tuning(path: Path) -> dict[str, Any]:
    """What `ioa compare --tune` wrote, see `tuning.choose`. Raises `DistillError`."""
    try:
        tuning = json.loads(path.read_text())
        if not isinstance(tuning, dict):
            raise TypeError("it is no JSON object, {…}.")
        for row in tuning["chosen"].values():
            float(row["learning_rate"])
        return {**tuning, "tried": dict(tuning["tried"]), "rates": list(tuning["rates"])}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise DistillError(f"{path} is not what --tune writes: {exc}") from exc
