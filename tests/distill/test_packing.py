"""A packed batch computes what the padded one does: loss, gradients, and whom a token sees."""

from __future__ import annotations

import types

import pytest
import torch

from distill.training.packing import MOST_TOKENS, can_pack, pack

pytestmark = pytest.mark.torch

ROWS = [[5, 6, 7, 11, 12, 13], [5, 6, 7, 21, 22, 23, 24, 25], [5, 6, 8, 31, 32]]
PROMPTS = [4, 5, 4]


def batch(rows=ROWS, prompts=PROMPTS):
    """ids, mask and labels (B, T), padded on the right."""
    longest = max(len(r) for r in rows)
    ids = [[*r, *[0] * (longest - len(r))] for r in rows]
    seen = [[1] * len(r) + [0] * (longest - len(r)) for r in rows]
    labels = [
        [-100] * n + r[n:] + [-100] * (longest - len(r)) for r, n in zip(rows, prompts, strict=True)
    ]
    return torch.tensor(ids), torch.tensor(seen), torch.tensor(labels)


def test_what_all_begin_with_stands_once_and_nothing_is_padded():
    packed = pack(*batch())

    assert packed.ids.tolist() == [[5, 6, 7, 11, 12, 13, 7, 21, 22, 23, 24, 25, 8, 31, 32]]
    assert packed.positions.tolist() == [[0, 1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 7, 2, 3, 4]]


def test_every_trained_token_is_predicted_from_the_one_before_it_in_its_own_example():
    packed = pack(*batch())

    flat = packed.ids[0].tolist()
    pairs = [(flat[b], t) for b, t in zip(packed.before, packed.targets.tolist(), strict=True)]
    assert pairs == [(11, 12), (12, 13), (22, 23), (23, 24), (24, 25), (31, 32)]


def test_a_token_sees_its_own_example_up_to_itself_and_no_other():
    packed = pack(*batch())
    flat = packed.ids[0].tolist()

    sees = [
        [flat[c] for c in range(len(flat)) if packed.mask[0, 0, r, c]] for r in range(len(flat))
    ]

    assert sees[:2] == [[5], [5, 6]]
    assert sees[5] == ROWS[0]
    assert sees[11] == ROWS[1]
    assert sees[14] == ROWS[2]


def test_the_last_token_before_what_is_trained_is_never_shared():
    """Else one place would have to predict several next tokens."""
    packed = pack(*batch([[5, 6, 11], [5, 6, 12]], [2, 2]))

    assert packed.ids.tolist() == [[5, 6, 11, 6, 12]]
    assert packed.before.tolist() == [1, 3]


def test_one_example_or_too_many_tokens_are_not_packed():
    long = [list(range(3, 3 + MOST_TOKENS)) for _ in range(2)]

    assert pack(*batch(ROWS[:1], PROMPTS[:1])) is None
    assert pack(*batch([[1, *long[0]], [2, *long[1]]], [4, 4])) is None


@pytest.mark.parametrize("rows", [ROWS, [[5, 6, 7], [9, 6, 7, 8]], [[5, 6, 7, 8]] * 3])
def test_loss_and_gradients_are_those_of_the_padded_batch(rows):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
        attn_implementation="sdpa",
    )
    model = LlamaForCausalLM(config).double()
    ids, seen, labels = batch(rows, [2] * len(rows))
    assert can_pack(model.config, dropout=0.0)

    cross_entropy = torch.nn.functional.cross_entropy
    padded = model(input_ids=ids, attention_mask=seen).logits[:, :-1]
    cross_entropy(padded.flatten(0, 1), labels[:, 1:].flatten()).backward()
    wanted = {n: p.grad.clone() for n, p in model.named_parameters()}
    model.zero_grad()
    packed = pack(ids, seen, labels)
    logits = model(
        input_ids=packed.ids,
        attention_mask=packed.mask,
        position_ids=packed.positions,
        logits_to_keep=packed.before,
    ).logits
    cross_entropy(logits[0], packed.targets).backward()

    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "dropout"),
    [
        ({"model_type": "mamba"}, 0.0),
        ({"sliding_window": 4096}, 0.0),
        ({"_attn_implementation": "eager"}, 0.0),
        ({"attention_dropout": 0.1}, 0.0),
        ({}, 0.05),
    ],
)
def test_a_model_that_would_compute_something_else_is_not_packed(change, dropout):
    fits = {"model_type": "qwen2", "_attn_implementation": "sdpa", "sliding_window": None}

    assert can_pack(types.SimpleNamespace(**fits), dropout=0.0)
    assert not can_pack(types.SimpleNamespace(**fits | change), dropout=dropout)
