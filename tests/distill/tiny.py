"""A random Llama of some thousand weights, with a tokenizer of letters, in a folder."""

from __future__ import annotations

import string
from pathlib import Path

from distill.settings import LoraSettings

QUICK = LoraSettings(
    rank=4, alpha=8, learning_rate=5e-3, batch_size=4, save_every_steps=2, max_length_tokens=200
)
TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}<s>system\nYou are a patient helper.<e>\n{% endif %}"
    "{% for m in messages %}<s>{{ m['role'] }}\n{{ m['content'] }}<e>\n{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant\n{% endif %}"
)
SPECIAL = ["<pad>", "<unk>", "<s>", "<e>"]


def make(folder: Path, *, seed: int = 0) -> Path:
    """Write the model and its tokenizer; returns the folder. Weights are large: answers differ."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(set(string.printable))
    vocabulary = {token: at for at, token in enumerate([*SPECIAL, *letters])}
    letterwise = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    letterwise.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    letterwise.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=letterwise,
        eos_token="<e>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens=["<s>"],
        chat_template=TEMPLATE,
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=256,
            initializer_range=0.3,
            eos_token_id=vocabulary["<e>"],
            bos_token_id=None,
            pad_token_id=vocabulary["<pad>"],
        )
    ).save_pretrained(folder)
    return folder
