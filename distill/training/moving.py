"""A path of weights that goes on from round to round, and their average, which is what is kept.

Source: weights averaged along the path of one training (Izmailov et al., "Averaging weights leads
to wider optima", 2018), by an average whose reach is a share of the path so far (Karras et al.,
"Analyzing and improving the training dynamics of diffusion models", 2024, section 3.1). Ours: the
path is that of a LoRA adapter, and is cut into rounds: docs/decisions/0026.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from distill.training.folders import AVERAGE, MOVING

_STEPS, _TAKEN = "steps", "optimizer_steps"
_WEIGHT, _MOMENTS = "weight", ("exp_avg", "exp_avg_sq")
_KEPT_AS = torch.bfloat16  # moments: two digits of them suffice, at half the size


class Averaging(TrainerCallback):  # type: ignore[misc]  # its types are not followed
    """Goes on where the parent's path stands, and leaves the average in the model at the end.

    Step t of n weighs t^γ / Σ t^γ, about, where steps are many: with γ = 3 the mean step lies a
    fifth of the path back. Weights are kept in float32; AdamW's state is carried on with them, its
    moments rounded to bfloat16 between rounds. Deterministic.

    exponent: γ. parent: a checkpoint whose path goes on; None: a path begins with the model as it
    is.
    """

    def __init__(self, exponent: float, parent: Path | None) -> None:
        self._exponent = exponent
        self._parent = parent
        self._weights: dict[str, torch.nn.Parameter] = {}
        self._average: dict[str, torch.Tensor] = {}
        self._steps = 0

    def on_train_begin(
        self, args: Any, state: Any, control: Any, *, model: Any, optimizer: Any, **_: Any
    ) -> None:
        self._weights = {n: p for n, p in model.named_parameters() if p.requires_grad}
        if state.global_step:  # the trainer has read its own state; this one lies beside it
            kept = load_file(Path(args.output_dir) / f"checkpoint-{state.global_step}" / AVERAGE)
            self._steps = int(kept.pop(_STEPS))
            self._average = {n: kept[n].to(p.device) for n, p in self._weights.items()}
            return
        self._average = {n: p.detach().clone() for n, p in self._weights.items()}
        if self._parent is not None:
            self._go_on(load_file(self._parent / MOVING), optimizer)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._steps += 1
        share = 1.0 - (1.0 - 1.0 / self._steps) ** (self._exponent + 1.0)
        with torch.no_grad():
            for name, weight in self._weights.items():
                self._average[name].lerp_(weight, share)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        kept = {n: a.contiguous() for n, a in self._average.items()}
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        _save({**kept, _STEPS: torch.tensor(self._steps)}, folder / AVERAGE)

    def leave(self, folder: Path, optimizer: Any) -> None:
        """Write where the path stands into `folder`, and the average into the model."""
        state = _state_of(optimizer)
        told = {_STEPS: torch.tensor(self._steps)}
        for name, weight in self._weights.items():
            told[f"{_WEIGHT}.{name}"] = weight.detach().contiguous()
            for moment in _MOMENTS:
                told[f"{moment}.{name}"] = state[weight][moment].to(_KEPT_AS).contiguous()
            told[_TAKEN] = torch.as_tensor(state[weight]["step"])
        _save(told, folder / MOVING)
        with torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(self._average[name])

    def _go_on(self, kept: Mapping[str, torch.Tensor], optimizer: Any) -> None:
        state = _state_of(optimizer)
        self._steps = int(kept[_STEPS])
        with torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(kept[f"{_WEIGHT}.{name}"])
                moments = {m: kept[f"{m}.{name}"].to(weight) for m in _MOMENTS}
                # a fused AdamW, which is the trainer's on a GPU, counts its steps there
                where = weight.device if _counts_beside(optimizer) else torch.device("cpu")
                state[weight] = {"step": kept[_TAKEN].clone().to(where), **moments}


def _state_of(optimizer: Any) -> Any:
    """Weight -> AdamW's state of it, through the wrapper that the Trainer puts around it."""
    return getattr(optimizer, "optimizer", optimizer).state


def _counts_beside(optimizer: Any) -> bool:
    """Whether AdamW wants the number of its steps on the device of the weights."""
    groups = getattr(optimizer, "optimizer", optimizer).param_groups
    return any(group.get("fused") or group.get("capturable") for group in groups)


def _save(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Whole or not at all: a file that is there can be read."""
    beside = path.with_suffix(".partial")
    save_file(dict(tensors), beside)
    beside.replace(path)
