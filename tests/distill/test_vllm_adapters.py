"""Adapters in the real vLLM, where IOA_TEST_VLLM names a model folder: see bench/vllm_cpu.sh."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from distill.backends.base import Prompt
from distill.settings import Sampling

MODEL = os.environ.get("IOA_TEST_VLLM", "")
pytestmark = [pytest.mark.torch, pytest.mark.student]
PROMPTS = [Prompt(f"What is {n} + 2?", Sampling(max_tokens=16)) for n in range(4)]
RANK = 4


def adapter(folder: Path, scale: float) -> Path:
    """An adapter of random matrices on the queries of all layers, in PEFT's format."""
    import torch
    from safetensors.torch import save_file

    config = json.loads((Path(MODEL) / "config.json").read_text())
    heads, width = config["num_attention_heads"], config["hidden_size"]
    out = heads * config.get("head_dim", width // heads)
    random = torch.Generator().manual_seed(0)
    weights = {}
    for layer in range(config["num_hidden_layers"]):
        name = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{name}.lora_A.weight"] = torch.randn(RANK, width, generator=random)
        weights[f"{name}.lora_B.weight"] = scale * torch.randn(out, RANK, generator=random)
    folder.mkdir()
    save_file(weights, folder / "adapter_model.safetensors")
    said = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": RANK,
        "target_modules": ["q_proj"],
        "bias": "none",
    }
    (folder / "adapter_config.json").write_text(json.dumps(said))
    return folder


if MODEL:

    def test_adapters_change_the_answers_on_a_base_that_is_loaded_once(tmp_path):
        from distill.backends.vllm import VllmBackend

        base = VllmBackend(Path(MODEL), rank=RANK, max_model_len=2048, enforce_eager=True)
        nothing = base.with_adapter(adapter(tmp_path / "nothing", 0.0))
        noise = base.with_adapter(adapter(tmp_path / "noise", 1.0))
        try:
            before = base.generate(PROMPTS)
            process = base._engine._process
            assert nothing.generate(PROMPTS) == before
            assert noise.generate(PROMPTS) != before
            assert base.generate(PROMPTS) == before
            assert base._engine._process is process
        finally:
            for backend in (base, nothing, noise):
                backend.close()
        assert process.poll() is not None
