"""Skill-it's test of an edge: does training on i help with j? Exact, costly, on request."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path

from distill.adapter.operations import PROCEDURAL_OPERATIONS
from distill.adapter.writing import Order, write
from distill.backends.base import Beat, no_beat
from distill.domains.base import Domain
from distill.errors import DomainError
from distill.identifier.edges import EPSILON
from distill.identifier.evidence import Evidence
from distill.identifier.probing import ask
from distill.records import EvidenceKind, Item, Probe, Split
from distill.roster import Lazy, Student
from distill.settings import Settings
from distill.statistics import is_over, normal_quantile
from distill.training.base import Log

UNTRAINED = "untrained"
SOURCE, TARGET, BOTH = "source", "target", "both"
ARMS = (SOURCE, TARGET, BOTH)
CHARACTERS_PER_TOKEN = 3  # of short sums and stories; for the announcement only


@dataclass(frozen=True, slots=True)
class Cost:
    items: int  # over the three trainings, repeated ones counted again
    steps: int
    tokens: int  # about
    questions: int

    @property
    def sentence(self) -> str:
        return (
            f"Three throw-away trainings: {self.steps} steps on {self.items} items, about "
            f"{self.tokens} tokens; then {self.questions} questions."
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """A test that is ready to be run: its cost is known, and nothing has been spent."""

    source: str
    target: str
    steps: int  # H: optimiser steps of each training
    seed: int
    arms: Mapping[str, tuple[Item, ...]]  # items of H steps each, in the order of training
    probes: tuple[Probe, ...]  # of the target

    @property
    def cost(self) -> Cost:
        items = list(chain.from_iterable(self.arms.values()))
        characters = sum(len(i.question) + len(i.solution) for i in items)
        return Cost(
            len(items),
            len(ARMS) * self.steps,
            math.ceil(characters / CHARACTERS_PER_TOKEN),
            (len(ARMS) + 1) * len(self.probes),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """P_S(j) with i and without it, on the same probes, and Dep with its interval."""

    with_source: float
    without: float
    dependency: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tested:
    """What the test says.

    alone: H steps on i, against none. together: H steps on i ∪ j, against H steps on j.
    """

    source: str
    target: str
    n: int  # probes of j
    alone: Comparison
    together: Comparison
    threshold: float

    @property
    def holds(self) -> bool | None:
        """True: one comparison shows it. False: neither can be above τ_dep. None: unclear."""
        if self._shown:
            return True
        both = (self.alone, self.together)
        return False if not any(is_over(c.high, self.threshold) for c in both) else None

    @property
    def _shown(self) -> list[Comparison]:
        both = (self.alone, self.together)
        return [c for c in both if is_over(c.dependency, self.threshold) and c.low > 0]

    @property
    def evidence(self) -> Evidence:
        strength = None
        if self.holds is not None:
            shown = self._shown or [self.alone, self.together]
            strength = min(1.0, max(0.0, *(c.dependency for c in shown)))
        return Evidence(EvidenceKind.TESTED, strength, self.n, self.sentence)

    @property
    def sentence(self) -> str:
        i, j, a, t = self.source, self.target, self.alone, self.together
        verdict = {True: "It holds", False: "It does not hold", None: "Unclear"}[self.holds]
        return (
            f"{verdict}: {j} is at {a.without:.2f} untrained and at {a.with_source:.2f} after {i} "
            f"alone; at {t.without:.2f} after {j}, and at {t.with_source:.2f} after {i} and {j} in "
            f"as many steps ({self.n} probes). Dep = {a.dependency:.2f} "
            f"[{a.low:.2f} {a.high:.2f}] alone, {t.dependency:.2f} "
            f"[{t.low:.2f} {t.high:.2f}] together."
        )


def plan_trial(
    domain: Domain, source: str, target: str, *, steps: int, settings: Settings, seed: int
) -> Trial:
    """Write the items and draw the probes of a test of `source` → `target`; trains nothing.

    `trial.cost` is what running it will take, to be told before. Items are cycled through where
    a skill has fewer than `steps` batches. Deterministic. Raises `DomainError` where the domain
    cannot write items for one of the two, or has not two probes of the target.
    """
    n = steps * settings.lora.batch_size
    probes = domain.probes(target, Split.DIAGNOSE, settings.probing.diagnose_probes, seed=seed)
    if len(probes) < 2:
        raise DomainError(f"There are too few questions to measure {target} with.")
    own = {k: _items(domain, k, n, seed) for k in (source, target)}
    half = (list(islice(cycle(own[source]), n - n // 2)), list(islice(cycle(own[target]), n // 2)))
    mixed = [item for pair in zip(*half, strict=False) for item in pair] + half[0][len(half[1]) :]
    arms = {
        SOURCE: tuple(islice(cycle(own[source]), n)),
        TARGET: tuple(islice(cycle(own[target]), n)),
        BOTH: tuple(mixed),
    }
    return Trial(source, target, steps, seed, arms, tuple(probes))


def run_trial(
    trial: Trial,
    student: Student,
    *,
    parent: Path | None,
    work: Path,
    settings: Settings,
    beat: Beat = no_beat,
    log: Log = lambda step: None,
) -> Tested:
    """Train three adapters from `parent`, ask each for the target, and throw them away.

    Args:
        parent: the student as it is now; None: as it came.
        work: a folder for the adapters. It is removed at the end; after an interruption the same
            call finds there what was trained.
        beat: told of steps and questions, out of those that `trial.cost` names.

    Returns:
        Both comparisons, each with an interval of the paired difference (normal, at 97.5 %: the
        two together err in 5 %) over P_S(j | with i) + ε.

    Raises what trainer, student and `beat` raise. Deterministic as far as they are.

    Source: Chen, Roberts, Bhatia, Wang, Zhang, Sala, Ré, "Skill-it! A data-driven skills
    framework for understanding and training language models", NeurIPS 2023, the definition of an
    ordered skill set. Ours: the score P_S(j) where they compare losses, and Eq. 3's ratio of it.
    Training on anything teaches the form of an answer, so that `alone` flatters; `together` does
    not.
    """
    cost = trial.cost
    total, done = cost.steps + cost.questions, 0
    # one training, with a schedule that ends: nothing goes on from a throw-away adapter
    once = settings.lora.model_copy(update={"epochs": 1, "average": None})
    grades: dict[str, list[float]] = {}
    for arm in (UNTRAINED, *ARMS):
        adapter = parent
        if arm != UNTRAINED:
            adapter = student.trainer.train(
                trial.arms[arm],
                parent=parent,
                out=work / arm,
                settings=once,
                seed=trial.seed,
                beat=_shifted(beat, done, total),
                log=log,
            ).folder
            done += trial.steps
        with closing(Lazy(student, adapter)) as backend:
            answers = ask(
                backend,
                trial.probes,
                batch_size=settings.probing.batch_size,
                max_tokens=settings.probing.max_answer_tokens,
                beat=_shifted(beat, done, total),
            )
        done += len(trial.probes)
        grades[arm] = [a.grade for a in answers]
    shutil.rmtree(work, ignore_errors=True)
    return Tested(
        trial.source,
        trial.target,
        len(trial.probes),
        compare(grades[SOURCE], grades[UNTRAINED]),
        compare(grades[BOTH], grades[TARGET]),
        settings.thresholds.dependency,
    )


def compare(with_source: Sequence[float], without: Sequence[float]) -> Comparison:
    """Dep = (A − B)/(A + ε) of two lists of grades on the same probes, with its interval.

    with_source, without (N,): grades in 0..1, paired by position; means A and B. N ≥ 2. Pure.
    """
    n = len(with_source)
    a, b = sum(with_source) / n, sum(without) / n
    apart = [x - y for x, y in zip(with_source, without, strict=True)]
    variance = sum((d - (a - b)) ** 2 for d in apart) / (n - 1)
    # differences that are all alike are not known exactly: see edges.observe
    half = normal_quantile(1 - 0.025 / 2) * max(math.sqrt(variance), EPSILON) / math.sqrt(n)
    over = a + EPSILON
    return Comparison(a, b, (a - b) / over, (a - b - half) / over, (a - b + half) / over)


def _items(domain: Domain, skill: str, n: int, seed: int) -> list[Item]:
    items = write(
        domain,
        [Order(skill, n)],
        seed=seed,
        round_key=f"trial-{skill}",
        operations=PROCEDURAL_OPERATIONS,
    )
    clean = [item for item in items if not item.is_flagged]
    if not clean:
        raise DomainError(f"No item of {skill} passes its checks, so it cannot be trained.")
    return sorted(clean, key=lambda i: hashlib.sha256(f"{seed}:{i.key}".encode()).digest())


def _shifted(beat: Beat, done: int, total: int) -> Beat:
    return lambda more, _: beat(done + more, total)
