"""A student without a model: it learns by counting. For tests, for trying out the pages.

Nothing about real models follows from it; the pages say "simulated" wherever it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from distill.backends.base import Ability, Beat, Prompt, Reply, well_formed
from distill.disk import write_beside
from distill.errors import NothingToTrain
from distill.records import Item
from distill.settings import LoraSettings
from distill.training.base import Log, StepLog, TrainingResult

LEARNED_AFTER_ITEMS = 40  # trained items of a skill until it answers nearly all of its probes
START_MASTERY = 0.1
MANIFEST = "ioa.json"


class SimulatedStudent:
    """Answers a probe right with a chance that grows with the items it was trained on.

    The chance is START_MASTERY + (1 − START_MASTERY) · min(1, items / LEARNED_AFTER_ITEMS), and
    whether it is right is decided by a hash of the question: the same in every process.
    """

    name = "simulated"
    abilities = frozenset({Ability.COUNTS, Ability.STEADY, Ability.REOPENS})

    def __init__(self, adapter: Path | None = None) -> None:
        self._seen = seen_items(adapter)

    def generate(self, prompts: Sequence[Prompt]) -> list[Reply]:
        return [self._reply(p) for p in prompts]

    def _reply(self, prompt: Prompt) -> Reply:
        share = min(1.0, self._seen.get(prompt.skill, 0) / LEARNED_AFTER_ITEMS)
        chance = START_MASTERY + (1.0 - START_MASTERY) * share
        digest = hashlib.sha256(well_formed(prompt.text).encode()).digest()
        is_right = int.from_bytes(digest[:4]) / 2**32 < chance
        text = f"Answer: {prompt.reference}" if is_right else "I do not know."
        return Reply(text, len(prompt.text.split()), len(text.split()))

    def close(self) -> None:
        pass


class SimulatedTrainer:
    """Adds the items of a training to what the student has seen, beating as it goes.

    A finished `out` is taken as it is, whoever made it.
    """

    def train(
        self,
        items: Sequence[Item],
        *,
        parent: Path | None,
        out: Path,
        settings: LoraSettings,
        seed: int,
        beat: Beat,
        log: Log,
    ) -> TrainingResult:
        if not items:
            raise NothingToTrain
        manifest = out / MANIFEST
        steps = -(-len(items) // settings.batch_size)
        if not manifest.is_file():
            for step in range(1, steps + 1):
                loss = 2.0 / (1 + step)
                log(StepLog(step, loss, settings.learning_rate * (1 - step / steps), 0.0))
                beat(step, steps)
            seen = Counter(seen_items(parent)) + Counter(item.skill for item in items)
            write_beside(manifest, json.dumps({"seen": seen}, sort_keys=True))
        tokens = sum(len((i.question + " " + i.solution).split()) for i in items) * settings.epochs
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
        return TrainingResult(out, digest, steps, tokens, 0.0, 2.0 / (1 + steps))


def seen_items(adapter: Path | None) -> Mapping[str, int]:
    """Skill -> items it was trained on, from a checkpoint of `SimulatedTrainer`."""
    if adapter is None:
        return {}
    seen: dict[str, int] = json.loads((adapter / MANIFEST).read_text())["seen"]
    return seen
