"""A batch as one row: no padding, and what all examples begin with is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

MODEL_TYPES = frozenset({"llama", "qwen2", "qwen3"})
"""Decoders whose every layer takes a mask of our own and knows a token only by its position."""

MOST_TOKENS = 1024
"""Of a row: attention looks at all pairs in it, so that a long one costs more than its padding."""


@dataclass(frozen=True, slots=True)
class Packed:
    """B examples in one row of L tokens, the first P of which all of them begin with."""

    ids: torch.Tensor  # (1, L) int64
    positions: torch.Tensor  # (1, L) int64: each token's place in its own example
    mask: torch.Tensor  # (1, 1, L, L) bool: row sees column
    before: torch.Tensor  # (N,) int64: the places that predict the N trained tokens
    targets: torch.Tensor  # (N,) int64


def pack(ids: torch.Tensor, seen: torch.Tensor, labels: torch.Tensor) -> Packed | None:
    """The batch in one row, or None where that would take more than `MOST_TOKENS`.

    ids, seen, labels: (B, T) int64, padded on the right; seen 0 on padding, labels -100 where
    nothing is learnt. A token sees the tokens before it in its own example and no others, at the
    same positions, so that the loss and its gradients are those of the padded batch, but for the
    order in which floating point adds. Only without dropout: a shared token drops the same for all.

    Pure. Ours; packing with block masks is Krell et al., arXiv 2107.02027.
    """
    rows = [row[:n].tolist() for row, n in zip(ids, seen.sum(dim=1).tolist(), strict=True)]
    begins = [int((row != -100).int().argmax()) for row in labels]
    # one token of its own before what is trained: the shared ones can predict only one next
    shared = min(_common(rows), *(first - 1 for first in begins))
    total = shared + sum(len(row) - shared for row in rows)
    if total > MOST_TOKENS or len(rows) < 2:
        return None
    flat, places, owner, before, targets = (
        rows[0][:shared],
        list(range(shared)),
        [0] * shared,
        [],
        [],
    )
    for number, (row, wanted) in enumerate(zip(rows, labels.tolist(), strict=True), 1):
        offset = len(flat) - shared
        for at in range(shared, len(row)):
            if wanted[at] != -100:
                before.append(offset + at - 1)
                targets.append(wanted[at])
        flat += row[shared:]
        places += range(shared, len(row))
        owner += [number] * (len(row) - shared)
    device = ids.device
    whose = torch.tensor(owner, device=device)
    is_own = whose[:, None] == whose[None, :]
    mask = (is_own | (whose == 0)[None, :]).tril()
    return Packed(
        torch.tensor([flat], device=device),
        torch.tensor([places], device=device),
        mask[None, None],
        torch.tensor(before, device=device),
        torch.tensor(targets, device=device),
    )


def can_pack(config: Any, *, dropout: float) -> bool:
    """Whether a model computes the same for a packed batch: known layers, no window, no dropout."""
    return (
        config.model_type in MODEL_TYPES
        and getattr(config, "_attn_implementation", "") == "sdpa"
        and not getattr(config, "sliding_window", None)
        and not getattr(config, "attention_dropout", 0.0)
        and not dropout
    )


def _common(rows: Sequence[Sequence[int]]) -> int:
    """How many leading ids all rows share."""
    for at, tokens in enumerate(zip(*rows, strict=False)):
        if len(set(tokens)) > 1:
            return at
    return min(len(row) for row in rows)
