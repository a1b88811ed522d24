"""What goes into a training and what comes out, whoever does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from distill.backends.base import Beat
from distill.records import Item
from distill.settings import LoraSettings


@dataclass(frozen=True, slots=True)
class StepLog:
    """One optimiser step. `loss` in nats per trained token."""

    step: int
    loss: float
    learning_rate: float
    tokens_per_second: float  # a mean since this call began to train


Log = Callable[[StepLog], None]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    folder: Path  # a PEFT adapter folder, complete
    content_hash: str  # SHA-256 over the adapter's weights
    steps: int
    tokens: int  # prompt and answer tokens that went through the model, padding left out
    seconds: float
    final_loss: float


class Trainer(Protocol):
    """Teaches a student some items, starting from a checkpoint, and leaves a new checkpoint.

    Resumable: called again with the same arguments after a crash, it continues from the last
    state it saved and ends with the same adapter. A finished `out` is returned as it is.
    """

    def train(
        self,
        items: Sequence[Item],
        *,
        parent: Path | None,  # adapter to start from; None: the base
        out: Path,
        settings: LoraSettings,
        seed: int,
        beat: Beat,
        log: Log,
    ) -> TrainingResult:
        """Train on `items`, and return what lies in `out` then. See the class for a second call.

        Raises NothingToTrain, TrainingError, OutOfSpace, and what `beat` and `log` raise.
        """
        ...
