"""Faster decoding on a CPU, where copying costs more than computing.

transformers grows its cache by copying all of it for every token; where several query heads share
one key head it copies keys and values once for each; and torch copies the vocabulary's weights
once for each row of a batch. All are avoided here; `bench/decoding.py` and `bench/assessment.py`
measure what it saves. On a GPU transformers' own ways are kept.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, DynamicCache
from transformers.cache_utils import DynamicLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

ATTENTION = "sdpa_folded"
ROOM = 128  # tokens that a cache grows by at a time


class RoomyLayer(DynamicLayer):  # type: ignore[misc]
    """A layer's keys and values (B, H, T, D) with room behind them: a new token is written, and
    what is there is copied once in `ROOM` tokens instead of at each."""

    _room: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values (B, H, N, D); return all of them (B, H, T + N, D)."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        room = self._room
        if room is None or not self._is_in(room) or room[0].shape[-2] < end:
            room = self._make_room(key_states, value_states, start, end)
        room[0][:, :, start:end] = key_states
        room[1][:, :, start:end] = value_states
        self.keys, self.values = room[0][:, :, :end], room[1][:, :, :end]
        return self.keys, self.values

    def _is_in(self, room: tuple[torch.Tensor, torch.Tensor]) -> bool:
        """No longer, after rows were selected or repeated: that makes tensors of their own."""
        return bool(self.keys.data_ptr() == room[0].data_ptr())

    def _make_room(
        self, keys: torch.Tensor, values: torch.Tensor, start: int, end: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        size = -(-end // ROOM) * ROOM
        room = (
            keys.new_empty(*keys.shape[:2], size, keys.shape[-1]),
            values.new_empty(*values.shape[:2], size, values.shape[-1]),
        )
        if start:
            room[0][:, :, :start] = self.keys
            room[1][:, :, :start] = self.values
        self._room = room
        return room


def folded_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of one new token over what was before, without a copy for each query head.

    query: (B, H, 1, D); key, value: (B, G, T, D) with H a multiple of G. The H / G query heads of
    a key head are its H / G queries: the sums are the same. Of anything else, transformers' own.
    Returns (B, 1, H, D).
    """
    rows, heads, length, width = query.shape
    groups = key.shape[1]
    if length > 1 or heads == groups:
        out: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, **kwargs
        )
        return out
    attended = torch.nn.functional.scaled_dot_product_attention(
        query.reshape(rows, groups, heads // groups, width),
        key,
        value,
        attn_mask=attention_mask,
        scale=kwargs.get("scaling"),
    )
    return attended.reshape(rows, 1, heads, width), None


AttentionInterface.register(ATTENTION, folded_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)


def quicken(model: Any) -> None:
    """Let a model on a CPU attend by `folded_attention`, in place of transformers' own."""
    if model.device.type == "cpu" and model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(ATTENTION)


def score_rows_together(model: Any) -> None:
    """Let a model on a CPU score its vocabulary (V, D) for all rows of a batch in one product.

    After a prompt a slice of its positions is scored, (B, N, D) with gaps between its rows. Of
    such a slice and frozen weights, as an adapter leaves them, torch makes B products, for which
    it copies the vocabulary B times: gigabytes, and half of the time of a batch of short answers.
    """
    head = model.get_output_embeddings()
    if head is not None and model.device.type == "cpu":
        head.register_forward_pre_hook(lambda _, given: (given[0].contiguous(), *given[1:]))


def new_cache(model: Any) -> DynamicCache:
    """An empty cache; on a CPU with room, in the layers that see all that was before."""
    cache = DynamicCache(config=model.config)
    if model.device.type == "cpu":
        cache.layers = [RoomyLayer() if type(at) is DynamicLayer else at for at in cache.layers]
    return cache
