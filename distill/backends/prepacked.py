"""Frozen linear layers whose weights lie as oneDNN reads them: for a model that only answers.

torch multiplies float32 on a CPU by MKL, from weights as they lie in the file. With the 16 to 64
rows of a batch that is answering, oneDNN with weights laid out once takes a third to a half of the
time on a processor without AVX512 (`bench/linear.py`); in bfloat16 torch lays them out at every
call. What is summed is the same, in another order, so that the last bits differ.
"""

from __future__ import annotations

import platform
from typing import Any

import torch

ROWS = 64  # of the products that weights are laid out for; others are computed as well


class PrepackedLinear(torch.nn.Module):  # type: ignore[misc]  # its types are not followed
    """A linear layer for answering only: no gradient, no weights to be read back.

    weight: (N, K) of the layer it stands for; input (…, K), output (…, N), both of its type.
    """

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        self.in_features = layer.in_features
        self.out_features = layer.out_features
        self._bias = None if layer.bias is None else layer.bias.detach()
        self._packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), ROWS)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        flat = rows.reshape(-1, self.in_features)
        out = torch.ops.mkldnn._linear_pointwise(flat, self._packed, self._bias, "none", [], "")
        return out.reshape(*rows.shape[:-1], self.out_features)


def can_prepack() -> bool:
    """Whether this torch, on this processor, has what `PrepackedLinear` calls."""
    return (
        platform.machine() in {"x86_64", "AMD64"}
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def prepack(model: Any) -> None:
    """Let the linear layers of a model on a CPU be prepacked, one after the other.

    Each layer's own weights are let go, but for those that another layer shares (as the head
    shares the vocabulary's). Elsewhere than on a CPU, or where it cannot be, nothing is done.
    """
    if model.device.type != "cpu" or not can_prepack():
        return
    # no list of the layers: it would hold their weights until the last one is packed
    parents = [at for at in model.modules() if type(at) is not torch.nn.Linear]
    for parent in parents:
        for name in [n for n, at in parent.named_children() if type(at) is torch.nn.Linear]:
            setattr(parent, name, PrepackedLinear(getattr(parent, name)))
